// XLA custom calls: coefficients of prediction from the nearest pixel by the covariance method, and their
// derivative.
//
//   a = S / D,    S = sum of z[y-1] z[y],    D = sum of z[y-1]^2,    over all rows y except the first
//
// is the coefficient for prediction downwards, with z the map minus its mean: D is the energy E of the map minus that
// of its last row. The other sides are alike, and opposite sides share S. A coefficient outside [-1, 1] is replaced by
// 1 / a, for stability. It is 0 where D vanishes, or is so small that its reciprocal leaves the range of the map's
// type, or where a sum leaves that range.

#include <cmath>
#include <limits>

#include "checks.h"
#include "lagged_products.h"

namespace {

using kernels::Lined;
using kernels::Shape;

constexpr int64_t kSides = 4;  // top, bottom, left, right
constexpr int64_t kLags[] = {0, 0, 1, 0, 0, 1};

// Calls visit(offset of a pixel) for the outermost row or column of a side.
template <typename Visit>
void for_each_border_pixel(const Shape& shape, int64_t side, const Visit& visit) {
  const int64_t row = shape.width * shape.channels, pixel = shape.channels;
  const int64_t first = side == 1 ? (shape.height - 1) * row : side == 3 ? (shape.width - 1) * pixel : 0;
  const int64_t step = side < 2 ? pixel : row, count = side < 2 ? shape.width : shape.height;
  for (int64_t i = 0; i < count; ++i) visit(first + i * step);
}

// Memory with which one thread fits maps, one after the other.
template <typename T>
class Fit {
 public:
  Lined<double> mean, coefficients;

  Fit(const Shape& shape, int64_t bytes)  // as of `lagged::Products`
      : mean(shape.channels),
        coefficients(kSides * shape.channels),
        shape_(shape),
        ones_(std::max(shape.height, shape.width), T(1)),
        products_(shape, ffi::Span<const int64_t>(kLags, 6), ones_.data(), ones_.data(),
                  bytes),
        sums_(3 * shape.channels),
        energies_(kSides * shape.channels),
        totals_(kSides * shape.channels) {}

  void take(const T* x) {
    const int64_t channels = shape_.channels;
    products_.take(x, mean.data(), sums_.data());
    std::fill(energies_.begin(), energies_.end(), 0.0);
    std::fill(totals_.begin(), totals_.end(), 0.0);
    for (int64_t side = 0; side < kSides; ++side)
      for_each_border_pixel(shape_, side, [&](int64_t pixel) {
        for (int64_t c = 0; c < channels; ++c) {
          const double z = x[pixel + c] - mean[c];
          energies_[side * channels + c] += z * z;
          totals_[side * channels + c] += z;
        }
      });
    for (int64_t i = 0; i < kSides * channels; ++i) {
      const double a = quotient(i);
      coefficients[i] = std::abs(a) > 1 ? 1 / a : a;
    }
  }

  // Adds to `total` the gradient with respect to the loaded map, from the cotangents of means and coefficients.
  void add_gradient(const T* x, const T* mean_cotangents, const T* cotangents, T* total) {
    const int64_t channels = shape_.channels;
    Lined<double> of_mean(mean_cotangents, mean_cotangents + channels), of_sums(3 * channels, 0.0);
    Lined<double> of_energy(kSides * channels);
    for (int64_t i = 0; i < kSides * channels; ++i) {
      const int64_t side = i / channels, c = i % channels;
      const double a = quotient(i);
      double cotangent = divisible(i) ? cotangents[i] / divisor(i) : 0.0;
      if (std::abs(a) > 1) cotangent *= -1 / (a * a);
      of_sums[(side < 2 ? 1 : 2) * channels + c] += cotangent;
      of_sums[c] -= cotangent * a;
      of_energy[i] = cotangent * a;
      of_mean[c] -= 2 * of_energy[i] * totals_[i];
    }
    products_.add_gradient(of_mean.data(), of_sums.data(), total);
    for (int64_t side = 0; side < kSides; ++side)
      for_each_border_pixel(shape_, side, [&](int64_t pixel) {
        for (int64_t c = 0; c < channels; ++c)
          total[pixel + c] += 2 * of_energy[side * channels + c] * (x[pixel + c] - mean[c]);
      });
  }

 private:
  double numerator(int64_t i) const {
    const int64_t side = i / shape_.channels, c = i % shape_.channels;
    return sums_[(side < 2 ? 1 : 2) * shape_.channels + c];
  }

  double divisor(int64_t i) const { return sums_[i % shape_.channels] - energies_[i]; }

  bool divisible(int64_t i) const {
    constexpr double least = std::numeric_limits<T>::min(), most = std::numeric_limits<T>::max();
    return divisor(i) > least && divisor(i) <= most && std::abs(numerator(i)) <= most;
  }

  double quotient(int64_t i) const { return divisible(i) ? numerator(i) / divisor(i) : 0.0; }

  Shape shape_;
  Lined<T> ones_;
  lagged::Products<T> products_;
  Lined<double> sums_, energies_, totals_;
};

// x (*maps, height, width, channels) -> means (*maps, channels), coefficients (*maps, sides, channels)
template <ffi::DataType D>
ffi::Error first_order(ffi::ThreadPool pool, ffi::Buffer<D> x, ffi::ResultBuffer<D> means,
                       ffi::ResultBuffer<D> coefficients) {
  using T = ffi::NativeType<D>;
  checks::Call call("first_order");
  const Shape shape = call.maps("x", x.dimensions());
  call.of_maps("means", means->dimensions(), {shape.channels});
  call.of_maps("coefficients", coefficients->dimensions(), {kSides, shape.channels});
  if (call.failed()) return call.error();
  const int64_t size = shape.height * shape.width * shape.channels, channels = shape.channels;
  kernels::for_each_map(pool, shape.maps, [&] {
    return [&, fit = std::make_unique<Fit<T>>(shape, lagged::Products<T>::kInCache)](int64_t map) {
      fit->take(x.typed_data() + map * size);
      std::copy(fit->mean.begin(), fit->mean.end(), means->typed_data() + map * channels);
      std::copy(fit->coefficients.begin(), fit->coefficients.end(),
                coefficients->typed_data() + map * kSides * channels);
    };
  });
  return ffi::Error::Success();
}

// Adds the gradient of `first_order` to `cotangents`, in place, given the cotangents of its results.
template <ffi::DataType D>
ffi::Error first_order_gradient(ffi::ThreadPool pool, ffi::Buffer<D> cotangents,
                                ffi::Buffer<D> x, ffi::Buffer<D> mean_cotangents,
                                ffi::Buffer<D> coefficient_cotangents, ffi::ResultBuffer<D> gradient) {
  using T = ffi::NativeType<D>;
  checks::Call call("first_order_gradient");
  const Shape shape = call.maps("x", x.dimensions());
  call.same("cotangents", cotangents.dimensions(), x.dimensions());
  call.of_maps("mean_cotangents", mean_cotangents.dimensions(), {shape.channels});
  call.of_maps("coefficient_cotangents", coefficient_cotangents.dimensions(), {kSides, shape.channels});
  call.same("gradient", gradient->dimensions(), x.dimensions());
  if (call.failed()) return call.error();
  const int64_t size = shape.height * shape.width * shape.channels, channels = shape.channels;
  kernels::take_over(cotangents, gradient);
  kernels::for_each_map(pool, shape.maps, [&] {
    return [&, fit = std::make_unique<Fit<T>>(shape, lagged::Products<T>::kWhole)](int64_t map) {
      const T* here = x.typed_data() + map * size;
      fit->take(here);
      fit->add_gradient(here, mean_cotangents.typed_data() + map * channels,
                        coefficient_cotangents.typed_data() + map * kSides * channels,
                        gradient->typed_data() + map * size);
    };
  });
  return ffi::Error::Success();
}

}  // namespace

DEFINE_KERNEL(first_order, first_order, 1, 2);
DEFINE_KERNEL(first_order_gradient, first_order_gradient, 4, 1);
