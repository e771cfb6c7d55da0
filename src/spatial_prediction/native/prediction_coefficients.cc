// XLA custom calls: linear prediction coefficients of maps by the autocorrelation method, and their derivative.
//
// The normal equations of every channel, for prediction downwards and to the right, are put together from
// the lagged products, factored (L L'), and solved in double precision, whatever the type of the map: smooth
// maps make them nearly singular, and products rounded to single precision would lose the solution.
// Channels lie side by side in vectors, so that a factorisation runs over all of them at once.

#include <cmath>

#include "lagged_products.h"

namespace {

using kernels::kVector;
using lagged::Products;
using kernels::Shape;
using Lanes = double __attribute__((vector_size(kVector * sizeof(double)), aligned(sizeof(double)), may_alias));

struct Unknowns {
  int64_t count, columns;  // of the matrix; of the right-hand side
  const int64_t* lag;      // (count, count + columns): which sum stands where in [matrix, right-hand side]

  // `dimensions` of an array (*maps, columns, count, channels) of solutions
  Unknowns(ffi::Span<const int64_t> dimensions, ffi::Span<const int64_t> lag)
      : count(dimensions[dimensions.size() - 2]),
        columns(dimensions[dimensions.size() - 3]),
        lag(lag.begin()) {}

  // Where entry (unknown, column) of a solution stands in the array.
  int64_t place(int64_t entry) const { return entry % columns * count + entry / columns; }
};

inline Lanes& at(std::vector<double>& values, int64_t index) {
  return *reinterpret_cast<Lanes*>(values.data() + index * kVector);
}

// `count` rows of the factor from row i on, in column k. Several at once, for their sums do not wait for
// one another.
template <int64_t count>
__attribute__((always_inline)) inline void eliminate(std::vector<double>& matrix, int64_t n, int64_t i, int64_t k,
                                                     const Lanes& inverse) {
  Lanes sums[count];
  for (int64_t r = 0; r < count; ++r) sums[r] = at(matrix, (i + r) * n + k);
  for (int64_t j = 0; j < k; ++j)
    for (int64_t r = 0; r < count; ++r) sums[r] -= at(matrix, (i + r) * n + j) * at(matrix, k * n + j);
  for (int64_t r = 0; r < count; ++r) at(matrix, (i + r) * n + k) = sums[r] * inverse;
}

// Factors the lower half of the matrix in place, the inverse of the diagonal on the diagonal; clears
// `definite` in lanes where the matrix is not positive definite.
FOR_EACH_PROCESSOR void factor(std::vector<double>& matrix, int64_t n, double* definite) {
  for (int64_t k = 0; k < n; ++k) {
    Lanes pivot = at(matrix, k * n + k), inverse;
    for (int64_t j = 0; j < k; ++j) pivot -= at(matrix, k * n + j) * at(matrix, k * n + j);
    for (int64_t v = 0; v < kVector; ++v) {
      const bool usable = pivot[v] > 0 && std::isfinite(pivot[v]);
      if (!usable) definite[v] = 0;
      inverse[v] = usable ? 1 / std::sqrt(pivot[v]) : 0;
    }
    at(matrix, k * n + k) = inverse;
    int64_t i = k + 1;
    for (; i + 4 <= n; i += 4) eliminate<4>(matrix, n, i, k, inverse);
    for (; i < n; ++i) eliminate<1>(matrix, n, i, k, inverse);
  }
}

// Solves L L' x = b for `count` columns from `first` on, x in the place of b (n, columns).
template <int64_t count>
__attribute__((always_inline)) inline void substitute(std::vector<double>& factor, int64_t n, int64_t columns,
                                                      int64_t first, std::vector<double>& b) {
  auto row = [&](int64_t i, int64_t begin, int64_t end, int64_t down, int64_t right) {
    Lanes sums[count];
    for (int64_t c = 0; c < count; ++c) sums[c] = at(b, i * columns + first + c);
    for (int64_t j = begin; j < end; ++j)
      for (int64_t c = 0; c < count; ++c)
        sums[c] -= at(factor, i * down + j * right) * at(b, j * columns + first + c);
    for (int64_t c = 0; c < count; ++c) at(b, i * columns + first + c) = sums[c] * at(factor, i * n + i);
  };
  for (int64_t i = 0; i < n; ++i) row(i, 0, i, n, 1);
  for (int64_t i = n - 1; i >= 0; --i) row(i, i + 1, n, 1, n);
}

FOR_EACH_PROCESSOR void substitute_all(std::vector<double>& factor, int64_t n, int64_t columns,
                                       std::vector<double>& b) {
  int64_t first = 0;
  for (; first + 4 <= columns; first += 4) substitute<4>(factor, n, columns, first, b);
  for (; first + 2 <= columns; first += 2) substitute<2>(factor, n, columns, first, b);
  for (; first < columns; ++first) substitute<1>(factor, n, columns, first, b);
}

// The normal equations of some channels, and their solution.
//
// Turned by 180 degrees, the neighbourhood is itself and every lag its opposite, with the same sum: the
// matrix equals itself with rows and columns in reverse. So its even and its odd vectors do not mix, and
// the equations fall into two of half the size (a quarter of the arithmetic): with
// e[i] = (x[i] + x[n-1-i]) / sqrt 2 and o[i] = (x[i] - x[n-1-i]) / sqrt 2, the middle by itself,
//   E[i,j] = A[i,j] + A[i,n-1-j],   O[i,j] = A[i,j] - A[i,n-1-j],   E[i,middle] = sqrt 2 A[i,middle].
class System {
 public:
  std::vector<double> solution, work;

  explicit System(const Unknowns& of)
      : solution(of.count * of.columns * kVector),
        work(of.count * of.columns * kVector),
        of_(of),
        even_size_((of.count + 1) / 2),
        odd_size_(of.count / 2),
        even_(even_size_ * even_size_ * kVector),
        odd_(odd_size_ * odd_size_ * kVector),
        even_side_(even_size_ * of.columns * kVector),
        odd_side_(odd_size_ * of.columns * kVector) {}

  // Makes and solves the equations of the channels from `first` on. Lanes without a solution are 0.
  FOR_EACH_PROCESSOR void solve(const double* sums, int64_t channels, int64_t first, double scale, double ridge) {
    const int64_t n = of_.count, wide = of_.count + of_.columns;
    const int64_t lanes = std::min(kVector, channels - first);
    auto gather = [&](int64_t i, int64_t j) {
      Lanes value = {};
      const double* from = sums + of_.lag[i * wide + j] * channels + first;
      for (int64_t v = 0; v < lanes; ++v) value[v] = from[v] * scale;
      return value;
    };
    for (int64_t i = 0; i < even_size_; ++i)
      for (int64_t j = 0; j <= i; ++j) {
        const Lanes same = gather(i, j) + (i == j ? ridge : 0.0);
        if (i >= odd_size_) {
          at(even_, i * even_size_ + j) = i == j ? same : same * std::sqrt(2.0);
        } else {
          const Lanes opposite = gather(i, n - 1 - j);
          at(even_, i * even_size_ + j) = same + opposite;
          at(odd_, i * odd_size_ + j) = same - opposite;
        }
      }
    for (int64_t i = 0; i < n; ++i)
      for (int64_t k = 0; k < of_.columns; ++k) at(solution, i * of_.columns + k) = gather(i, n + k);
    std::fill(definite_, definite_ + kVector, 1.0);
    factor(even_, even_size_, definite_);
    factor(odd_, odd_size_, definite_);
    apply_inverse(solution);
  }

  // Solves for the right-hand side b (count, columns), in its place.
  FOR_EACH_PROCESSOR void apply_inverse(std::vector<double>& b) {
    const int64_t n = of_.count, columns = of_.columns;
    const double root = std::sqrt(0.5);
    for (int64_t i = 0; i < even_size_; ++i)
      for (int64_t k = 0; k < columns; ++k) {
        const Lanes near = at(b, i * columns + k), far = at(b, (n - 1 - i) * columns + k);
        at(even_side_, i * columns + k) = i < odd_size_ ? (near + far) * root : near;
        if (i < odd_size_) at(odd_side_, i * columns + k) = (near - far) * root;
      }
    substitute_all(even_, even_size_, columns, even_side_);
    substitute_all(odd_, odd_size_, columns, odd_side_);
    const Lanes usable = *reinterpret_cast<const Lanes*>(definite_);
    for (int64_t i = 0; i < even_size_; ++i)
      for (int64_t k = 0; k < columns; ++k) {
        const Lanes even = at(even_side_, i * columns + k);
        if (i == odd_size_) {
          at(b, i * columns + k) = usable != 0 ? even : Lanes{};
        } else {
          const Lanes odd = at(odd_side_, i * columns + k);
          at(b, i * columns + k) = usable != 0 ? (even + odd) * root : Lanes{};
          at(b, (n - 1 - i) * columns + k) = usable != 0 ? (even - odd) * root : Lanes{};
        }
      }
  }

  // Adds to the slopes of the sums what the slopes of the solution, in `work`, give: with A y = slope of x,
  // b has the slope y and A has -y x'.
  FOR_EACH_PROCESSOR void add_slopes(int64_t channels, int64_t first, double scale, double* sum_slopes) {
    const int64_t n = of_.count, wide = of_.count + of_.columns;
    const int64_t lanes = std::min(kVector, channels - first);
    apply_inverse(work);
    auto add = [&](int64_t entry, const Lanes& value) {
      double* to = sum_slopes + of_.lag[entry] * channels + first;
      for (int64_t v = 0; v < lanes; ++v) to[v] += value[v] * scale;
    };
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t k = 0; k < of_.columns; ++k) add(i * wide + n + k, at(work, i * of_.columns + k));
      for (int64_t j = 0; j < n; ++j) {
        Lanes slope = {};
        for (int64_t k = 0; k < of_.columns; ++k)
          slope -= at(work, i * of_.columns + k) * at(solution, j * of_.columns + k);
        add(i * wide + j, slope);
      }
    }
  }

 private:
  Unknowns of_;
  int64_t even_size_, odd_size_;
  std::vector<double> even_, odd_, even_side_, odd_side_;
  double definite_[kVector];
};

// x (*maps, height, width, channels) -> means (*maps, channels), and for either direction the solution
// (*maps, columns, unknowns, channels)
template <ffi::DataType D>
ffi::Error coefficients(ffi::ThreadPool pool, ffi::Span<const int64_t> lags, ffi::Span<const int64_t> down_lag,
                        ffi::Span<const int64_t> right_lag, double scale, double ridge, ffi::Buffer<D> x,
                        ffi::Buffer<D> taper_y, ffi::Buffer<D> taper_x, ffi::ResultBuffer<D> means,
                        ffi::ResultBuffer<D> down, ffi::ResultBuffer<D> right) {
  using T = ffi::NativeType<D>;
  const Shape shape = kernels::shape_of(x.dimensions());
  const int64_t size = shape.height * shape.width * shape.channels, channels = shape.channels;
  const Unknowns directions[] = {{down->dimensions(), down_lag}, {right->dimensions(), right_lag}};
  T* results[] = {down->typed_data(), right->typed_data()};
  kernels::for_each_map(pool, shape.maps, [&] {
    return [&, products = Products<T>(shape, lags, taper_y.typed_data(), taper_x.typed_data()),
            systems = std::vector<System>{System(directions[0]), System(directions[1])},
            mean = std::vector<double>(channels),
            sum = std::vector<double>(lags.size() / 2 * channels)](int64_t map) mutable {
      products.take(x.typed_data() + map * size, mean.data());
      products.sums(sum.data());
      std::copy(mean.begin(), mean.end(), means->typed_data() + map * channels);
      for (int d = 0; d < 2; ++d) {
        const Unknowns& of = directions[d];
        const int64_t entries = of.count * of.columns;
        for (int64_t first = 0; first < channels; first += kVector) {
          systems[d].solve(sum.data(), channels, first, scale, ridge);
          for (int64_t i = 0; i < entries; ++i)
            for (int64_t v = 0; v < std::min(kVector, channels - first); ++v)
              results[d][(map * entries + of.place(i)) * channels + first + v] = systems[d].solution[i * kVector + v];
        }
      }
    };
  });
  return ffi::Error::Success();
}

// Adds the gradient of `coefficients` to `x_slopes`, in its place, given the slopes of its results.
template <ffi::DataType D>
ffi::Error coefficients_gradient(ffi::ThreadPool pool, ffi::Span<const int64_t> lags,
                                 ffi::Span<const int64_t> down_lag, ffi::Span<const int64_t> right_lag,
                                 double scale, double ridge, ffi::Buffer<D> x_slopes, ffi::Buffer<D> x,
                                 ffi::Buffer<D> taper_y, ffi::Buffer<D> taper_x, ffi::Buffer<D> mean_slopes, ffi::Buffer<D> down_slopes,
                                 ffi::Buffer<D> right_slopes, ffi::ResultBuffer<D> gradient) {
  using T = ffi::NativeType<D>;
  const Shape shape = kernels::shape_of(x.dimensions());
  const int64_t size = shape.height * shape.width * shape.channels, channels = shape.channels;
  const Unknowns directions[] = {{down_slopes.dimensions(), down_lag}, {right_slopes.dimensions(), right_lag}};
  const T* slopes[] = {down_slopes.typed_data(), right_slopes.typed_data()};
  kernels::take_over(x_slopes, gradient);
  kernels::for_each_map(pool, shape.maps, [&] {
    return [&, products = Products<T>(shape, lags, taper_y.typed_data(), taper_x.typed_data()),
            systems = std::vector<System>{System(directions[0]), System(directions[1])},
            mean = std::vector<double>(channels), sum = std::vector<double>(lags.size() / 2 * channels),
            sum_slopes = std::vector<double>(lags.size() / 2 * channels)](int64_t map) mutable {
      products.take(x.typed_data() + map * size, mean.data());
      products.sums(sum.data());
      std::fill(sum_slopes.begin(), sum_slopes.end(), 0.0);
      for (int d = 0; d < 2; ++d) {
        const Unknowns& of = directions[d];
        const int64_t entries = of.count * of.columns;
        for (int64_t first = 0; first < channels; first += kVector) {
          systems[d].solve(sum.data(), channels, first, scale, ridge);
          for (int64_t i = 0; i < entries; ++i)
            for (int64_t v = 0; v < kVector; ++v)
              systems[d].work[i * kVector + v] =
                  first + v < channels ? slopes[d][(map * entries + of.place(i)) * channels + first + v] : T(0);
          systems[d].add_slopes(channels, first, scale, sum_slopes.data());
        }
      }
      const T* of_means = mean_slopes.typed_data() + map * channels;
      std::copy(of_means, of_means + channels, mean.begin());
      products.add_gradient(mean.data(), sum_slopes.data(), gradient->typed_data() + map * size);
    };
  });
  return ffi::Error::Success();
}

}  // namespace

#define EQUATIONS                             \
  .Attr<ffi::Span<const int64_t>>("lags")         \
      .Attr<ffi::Span<const int64_t>>("down_lag")  \
      .Attr<ffi::Span<const int64_t>>("right_lag") \
      .Attr<double>("scale")                       \
      .Attr<double>("ridge")

DEFINE_KERNEL(prediction_coefficients, coefficients, 3, 3, EQUATIONS);
DEFINE_KERNEL(prediction_coefficients_gradient, coefficients_gradient, 7, 1, EQUATIONS);
