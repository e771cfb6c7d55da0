// XLA custom calls: linear prediction coefficients of maps by the autocorrelation method, and their derivative.
//
// The normal equations of every channel, for prediction downwards and to the right, are assembled from
// the lagged products, factored (L L'), and solved in double precision, whatever the type of the map: smooth
// maps make them nearly singular, and products rounded to single precision would lose the solution.
// Channels are side by side in vectors, so that a factorisation runs over all of them at once.

#include "checks.h"
#include "cholesky.h"
#include "summed_maps.h"

namespace {

using checks::Dimensions;
using cholesky::kLanes;
using cholesky::Lanes;
using kernels::Lined;
using kernels::Shape;
using lagged::Products;

struct Unknowns {
  int64_t count, columns;  // of the matrix; of the right-hand side
  const int64_t* lag;      // (count, count + columns): index of the sum for each entry of [matrix, right-hand side]

  // `dimensions` of an array (*maps, columns, count, channels) of solutions
  Unknowns(ffi::Span<const int64_t> dimensions, ffi::Span<const int64_t> lag)
      : count(dimensions[dimensions.size() - 2]),
        columns(dimensions[dimensions.size() - 3]),
        lag(lag.begin()) {}
};

// The normal equations of some channels, and their solution.
//
// Rotated by 180 degrees, the neighbourhood is unchanged and every lag becomes its opposite, with the same sum: the
// matrix is unchanged when rows and columns are reversed. So even and odd vectors do not mix, and
// the equations separate into two systems of half the size (a quarter of the arithmetic): with
// e[i] = (x[i] + x[n-1-i]) / sqrt 2 and o[i] = (x[i] - x[n-1-i]) / sqrt 2, the middle by itself,
//   E[i,j] = A[i,j] + A[i,n-1-j],   O[i,j] = A[i,j] - A[i,n-1-j],   E[i,middle] = sqrt 2 A[i,middle].
class System {
 public:
  Lined<double> sums;  // of the channels in hand, (lags, kLanes); lanes without a channel are 0
  Lined<double> solution, work;

  System(const Unknowns& of, int64_t lags)
      : sums(lags * kLanes),
        solution(of.count * of.columns * kLanes),
        work(of.count * of.columns * kLanes),
        of_(of),
        even_size_((of.count + 1) / 2),
        odd_size_(of.count / 2),
        even_(even_size_ * even_size_ * kLanes),
        odd_(odd_size_ * odd_size_ * kLanes),
        even_side_(even_size_ * of.columns * kLanes),
        odd_side_(odd_size_ * of.columns * kLanes),
        definite_(kLanes) {}

  // Assembles and solves the equations of the channels whose sums are loaded. Lanes without a solution are 0.
  struct Solve {
    template <int64_t bytes>
    ALWAYS_INLINE static void run(System& system, double scale, double ridge) {
      cholesky::for_all_lanes<bytes>([&](auto at) ALWAYS_INLINED {
        system.put_together(at, scale, ridge);
        cholesky::factor(at, system.even_.data(), system.even_size_, system.definite_.data());
        cholesky::factor(at, system.odd_.data(), system.odd_size_, system.definite_.data());
        system.apply_inverse(at, system.solution.data());
      });
    }
  };

  // Overwrites the sums with their cotangents, from those of the solution, in `work`: with A y = cotangent of x, the
  // cotangent of b is y and that of A is -y x'. Entries that are equal by symmetry are added before going to their lag.
  struct TurnToCotangents {
    template <int64_t bytes>
    ALWAYS_INLINE static void run(System& system, double scale) {
      std::fill(system.sums.begin(), system.sums.end(), 0.0);
      cholesky::for_all_lanes<bytes>([&](auto at) ALWAYS_INLINED { system.turn_to_cotangents(at, scale); });
    }
  };

  // Loads the solution of `lanes` channels, or its cotangents, from an array of all channels, and stores it.
  template <typename T>
  void take(const T* from, int64_t channels, int64_t lanes, Lined<double>& to) const {
    for (int64_t k = 0; k < of_.columns; ++k)
      for (int64_t i = 0; i < of_.count; ++i, from += channels) {
        double* at = to.data() + (i * of_.columns + k) * kLanes;
        std::copy_n(from, lanes, at);
        std::fill(at + lanes, at + kLanes, 0.0);
      }
  }

  template <typename T>
  void give(const Lined<double>& from, int64_t channels, int64_t lanes, T* to) const {
    for (int64_t k = 0; k < of_.columns; ++k)
      for (int64_t i = 0; i < of_.count; ++i, to += channels)
        std::copy_n(from.data() + (i * of_.columns + k) * kLanes, lanes, to);
  }

 private:
  template <int64_t bytes>
  ALWAYS_INLINE void put_together(const Lanes<bytes>& at, double scale, double ridge) {
    const Unknowns of = of_;
    const int64_t n = of.count, wide = of.count + of.columns, even_size = even_size_, odd_size = odd_size_;
    double *const even = even_.data(), *const odd = odd_.data(), *const b = solution.data();
    auto gather = [&, from = sums.data()](int64_t i, int64_t j)
                      ALWAYS_INLINED { return at(from, of.lag[i * wide + j]) * scale; };
    for (int64_t i = 0; i < even_size; ++i)
      for (int64_t j = 0; j <= i; ++j) {
        const auto same = gather(i, j) + (i == j ? ridge : 0.0);
        if (i >= odd_size) {
          at(even, i * even_size + j) = i == j ? same : same * std::sqrt(2.0);
        } else {
          const auto opposite = gather(i, n - 1 - j);
          at(even, i * even_size + j) = same + opposite;
          at(odd, i * odd_size + j) = same - opposite;
        }
      }
    for (int64_t i = 0; i < n; ++i)
      for (int64_t k = 0; k < of.columns; ++k) at(b, i * of.columns + k) = gather(i, n + k);
    at(definite_.data(), 0) = typename Lanes<bytes>::Register{} + 1;
  }

  // Solves for the right-hand side b (count, columns), in place.
  template <int64_t bytes>
  ALWAYS_INLINE void apply_inverse(const Lanes<bytes>& at, double* b) {
    using Register = typename Lanes<bytes>::Register;
    const int64_t n = of_.count, columns = of_.columns, even_size = even_size_, odd_size = odd_size_;
    double *const even = even_side_.data(), *const odd = odd_side_.data();
    const double root = std::sqrt(0.5);
    for (int64_t i = 0; i < even_size; ++i)
      for (int64_t k = 0; k < columns; ++k) {
        const Register near = at(b, i * columns + k), far = at(b, (n - 1 - i) * columns + k);
        at(even, i * columns + k) = i < odd_size ? (near + far) * root : near;
        if (i < odd_size) at(odd, i * columns + k) = (near - far) * root;
      }
    cholesky::substitute_all(at, even_.data(), even_size, columns, even);
    cholesky::substitute_all(at, odd_.data(), odd_size, columns, odd);
    const Register definite = at(definite_.data(), 0), none = {};
    for (int64_t i = 0; i < even_size; ++i)
      for (int64_t k = 0; k < columns; ++k) {
        const Register of_even = at(even, i * columns + k);
        if (i == odd_size) {
          at(b, i * columns + k) = definite != 0 ? of_even : none;
        } else {
          const Register of_odd = at(odd, i * columns + k);
          at(b, i * columns + k) = definite != 0 ? (of_even + of_odd) * root : none;
          at(b, (n - 1 - i) * columns + k) = definite != 0 ? (of_even - of_odd) * root : none;
        }
      }
  }

  template <int64_t bytes>
  ALWAYS_INLINE void turn_to_cotangents(const Lanes<bytes>& at, double scale) {
    const Unknowns of = of_;
    const int64_t n = of.count, columns = of.columns, wide = n + columns, even_size = even_size_;
    double *const y = work.data(), *const to = sums.data();
    apply_inverse(at, y);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t k = 0; k < columns; ++k) {
        at(y, i * columns + k) *= scale;
        at(to, of.lag[i * wide + n + k]) += at(y, i * columns + k);
      }
    for (int64_t i = 0; i < even_size; ++i) {
      int64_t j = 0;
      for (; j + 6 <= n; j += 6) subtract_products<6>(at, of, i, j, y, solution.data(), to);
      for (; j < n; ++j) subtract_products<1>(at, of, i, j, y, solution.data(), to);
    }
  }

  // Subtracts from the cotangents of the lags row i of the matrix y x' in `count` columns from j on, and the entries
  // that are equal by symmetry. Several at once, because their sums are independent.
  template <int64_t count, int64_t bytes>
  ALWAYS_INLINE static void subtract_products(const Lanes<bytes>& at, const Unknowns& of, int64_t i, int64_t j,
                                              double* y, double* x, double* to) {
    const int64_t n = of.count, columns = of.columns;
    typename Lanes<bytes>::Register products[count] = {};
    auto add = [&](int64_t row, int64_t column, int64_t step) ALWAYS_INLINED {
      for (int64_t k = 0; k < columns; ++k) {
        const auto factor = at(y, row * columns + k);
        for (int64_t c = 0; c < count; ++c) products[c] += factor * at(x, (column + c * step) * columns + k);
      }
    };
    add(i, j, 1);
    if (i < of.count / 2) add(n - 1 - i, n - 1 - j, -1);
    for (int64_t c = 0; c < count; ++c) at(to, of.lag[i * (n + columns) + j + c]) -= products[c];
  }

  Unknowns of_;
  int64_t even_size_, odd_size_;
  Lined<double> even_, odd_, even_side_, odd_side_, definite_;
};

// The equations of both directions.
std::array<System, 2> both_systems(const Unknowns (&directions)[2], int64_t lags) {
  return {System(directions[0], lags), System(directions[1], lags)};
}

// Sums of channels, (rows, channels), `count` from `first` on, with their corrections, if there are any, side by side
// as (rows, kLanes).
template <typename T>
void take_lanes(const double* sums, const T* corrections, int64_t channels, int64_t first, int64_t count,
                Lined<double>& lanes) {
  std::fill(lanes.begin(), lanes.end(), 0.0);
  for (size_t row = 0; row < lanes.size() / kLanes; ++row)
    for (int64_t v = 0; v < count; ++v) {
      const int64_t at = row * channels + first + v;
      lanes[row * kLanes + v] = sums[at] + (corrections == nullptr ? 0 : corrections[at]);
    }
}

void add_lanes(const Lined<double>& lanes, int64_t channels, int64_t first, int64_t count,
               Lined<double>& rows) {
  for (size_t row = 0; row < lanes.size() / kLanes; ++row)
    for (int64_t v = 0; v < count; ++v) rows[row * channels + first + v] += lanes[row * kLanes + v];
}

// A solution (*maps, columns, unknowns, channels), or its cotangents, and the lag at each place of its equations.
void check_solution(checks::Call& call, const char* operand, Dimensions solution, ffi::Span<const int64_t> lag,
                    ffi::Span<const int64_t> lags, const Shape& shape) {
  const auto sizes = call.last<3>(operand, solution);
  const int64_t columns = sizes[0], unknowns = sizes[1];
  call.of_maps(operand, solution, {columns, unknowns, shape.channels});
  call.integers(operand, lag, unknowns * (unknowns + columns), 0, static_cast<int64_t>(lags.size() / 2) - 1);
}

// The corrections, (*maps, lags, channels) or, of no sum, (*maps, 0, channels): of one map, or null.
template <ffi::DataType D>
const ffi::NativeType<D>* corrections_of(const ffi::Buffer<D>& corrections, int64_t map, const Shape& shape) {
  const int64_t lags = corrections.dimensions()[corrections.dimensions().size() - 2];
  return lags == 0 ? nullptr : corrections.typed_data() + map * lags * shape.channels;
}

void check_corrections(checks::Call& call, Dimensions corrections, int64_t lags, const Shape& shape) {
  const bool none = corrections.size() >= 2 && corrections[corrections.size() - 2] == 0;
  call.of_maps("corrections", corrections, {none ? 0 : lags, shape.channels});
}

// x (*maps, height, width, channels) and corrections, which are added to the sums of products
// -> means (*maps, channels), and for either direction the solution (*maps, columns, unknowns, channels)
template <ffi::DataType D>
ffi::Error coefficients(ffi::ThreadPool pool, ffi::Span<const int64_t> lags, ffi::Span<const int64_t> down_lag,
                        ffi::Span<const int64_t> right_lag, double scale, double ridge, ffi::Buffer<D> x,
                        ffi::Buffer<D> corrections, ffi::Buffer<D> taper_y, ffi::Buffer<D> taper_x,
                        ffi::ResultBuffer<D> means, ffi::ResultBuffer<D> down, ffi::ResultBuffer<D> right) {
  using T = ffi::NativeType<D>;
  checks::Call call("prediction_coefficients");
  const Shape shape = lagged::checked(call, lags, x.dimensions(), taper_y.dimensions(), taper_x.dimensions());
  const int64_t channels = shape.channels, lag_count = lags.size() / 2;
  check_corrections(call, corrections.dimensions(), lag_count, shape);
  call.of_maps("means", means->dimensions(), {channels});
  check_solution(call, "down", down->dimensions(), down_lag, lags, shape);
  check_solution(call, "right", right->dimensions(), right_lag, lags, shape);
  if (call.failed()) return call.error();
  const Unknowns directions[] = {{down->dimensions(), down_lag}, {right->dimensions(), right_lag}};
  T* results[] = {down->typed_data(), right->typed_data()};
  const int64_t groups = (channels + kLanes - 1) / kLanes;
  const auto begin = [&] {
    return [&, systems = both_systems(directions, lag_count)](
               int64_t map, int64_t step, const double* mean, const double* sums) mutable {
      if (step == 0) std::copy_n(mean, channels, means->typed_data() + map * channels);
      const int64_t d = step / groups, first = step % groups * kLanes, lanes = std::min(kLanes, channels - first);
      const int64_t entries = directions[d].count * directions[d].columns;
      take_lanes(sums, corrections_of(corrections, map, shape), channels, first, lanes, systems[d].sums);
      kernels::run<System::Solve>(systems[d], scale, ridge);
      systems[d].give(systems[d].solution, channels, lanes, results[d] + map * entries * channels + first);
    };
  };
  lagged::for_each_map_summed(pool, shape, lags, taper_y.typed_data(), taper_x.typed_data(), x.typed_data(),
                              2 * groups, begin);
  return ffi::Error::Success();
}

// Adds the gradient of `coefficients` by x to `x_cotangents`, in place, given the cotangents of its results, and
// returns that by the corrections.
template <ffi::DataType D>
ffi::Error coefficients_gradient(ffi::ThreadPool pool, ffi::Span<const int64_t> lags,
                                 ffi::Span<const int64_t> down_lag, ffi::Span<const int64_t> right_lag,
                                 double scale, double ridge, ffi::Buffer<D> x_cotangents, ffi::Buffer<D> x,
                                 ffi::Buffer<D> corrections, ffi::Buffer<D> taper_y, ffi::Buffer<D> taper_x,
                                 ffi::Buffer<D> mean_cotangents, ffi::Buffer<D> down_cotangents,
                                 ffi::Buffer<D> right_cotangents, ffi::ResultBuffer<D> gradient,
                                 ffi::ResultBuffer<D> correction_gradient) {
  using T = ffi::NativeType<D>;
  checks::Call call("prediction_coefficients_gradient");
  const Shape shape = lagged::checked(call, lags, x.dimensions(), taper_y.dimensions(), taper_x.dimensions());
  const int64_t size = shape.height * shape.width * shape.channels, channels = shape.channels;
  const int64_t lag_count = lags.size() / 2;
  call.same("x_cotangents", x_cotangents.dimensions(), x.dimensions());
  check_corrections(call, corrections.dimensions(), lag_count, shape);
  call.of_maps("mean_cotangents", mean_cotangents.dimensions(), {channels});
  check_solution(call, "down_cotangents", down_cotangents.dimensions(), down_lag, lags, shape);
  check_solution(call, "right_cotangents", right_cotangents.dimensions(), right_lag, lags, shape);
  call.same("gradient", gradient->dimensions(), x.dimensions());
  call.same("correction_gradient", correction_gradient->dimensions(), corrections.dimensions());
  if (call.failed()) return call.error();
  const Unknowns directions[] = {{down_cotangents.dimensions(), down_lag}, {right_cotangents.dimensions(), right_lag}};
  const T* cotangents[] = {down_cotangents.typed_data(), right_cotangents.typed_data()};
  kernels::take_over(x_cotangents, gradient);
  kernels::for_each_map(pool, shape.maps, [&] {
    return [&, products = Products<T>(shape, lags, taper_y.typed_data(), taper_x.typed_data(),
                                        Products<T>::kWhole),
            systems = both_systems(directions, lag_count),
            mean = Lined<double>(channels), sum = Lined<double>(lag_count * channels),
            sum_cotangents = Lined<double>(lag_count * channels)](int64_t map) mutable {
      products.take(x.typed_data() + map * size, mean.data(), sum.data());
      std::fill(sum_cotangents.begin(), sum_cotangents.end(), 0.0);
      for (int d = 0; d < 2; ++d) {
        const int64_t entries = directions[d].count * directions[d].columns;
        for (int64_t first = 0; first < channels; first += kLanes) {
          const int64_t lanes = std::min(kLanes, channels - first);
          take_lanes(sum.data(), corrections_of(corrections, map, shape), channels, first, lanes, systems[d].sums);
          kernels::run<System::Solve>(systems[d], scale, ridge);
          systems[d].take(cotangents[d] + map * entries * channels + first, channels, lanes, systems[d].work);
          kernels::run<System::TurnToCotangents>(systems[d], scale);
          add_lanes(systems[d].sums, channels, first, lanes, sum_cotangents);
        }
      }
      if (corrections_of(corrections, map, shape) != nullptr)
        std::copy(sum_cotangents.begin(), sum_cotangents.end(),
                  correction_gradient->typed_data() + map * lag_count * channels);
      const T* of_means = mean_cotangents.typed_data() + map * channels;
      std::copy(of_means, of_means + channels, mean.begin());
      products.add_gradient(mean.data(), sum_cotangents.data(), gradient->typed_data() + map * size);
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

DEFINE_KERNEL(prediction_coefficients, coefficients, 4, 3, EQUATIONS);
DEFINE_KERNEL(prediction_coefficients_gradient, coefficients_gradient, 8, 2, EQUATIONS);
