// XLA custom calls: channel means and lagged products of centred, tapered maps, and their derivative.

#include "summed_maps.h"

#include "checks.h"

namespace {

using lagged::Products;
using kernels::Lined;
using kernels::Shape;

// The results, or their cotangents.
void check_results(checks::Call& call, ffi::Span<const int64_t> lags, const Shape& shape,
                   checks::Dimensions means, checks::Dimensions sums) {
  call.of_maps("means", means, {shape.channels});
  call.of_maps("sums", sums, {static_cast<int64_t>(lags.size() / 2), shape.channels});
}

// x (*maps, height, width, channels) -> means (*maps, channels), sums (*maps, lags, channels)
template <ffi::DataType D>
ffi::Error products(ffi::ThreadPool pool, ffi::Span<const int64_t> lags, ffi::Buffer<D> x,
                    ffi::Buffer<D> taper_y, ffi::Buffer<D> taper_x, ffi::ResultBuffer<D> means,
                    ffi::ResultBuffer<D> sums) {
  checks::Call call("lagged_products");
  const Shape shape = lagged::checked(call, lags, x.dimensions(), taper_y.dimensions(), taper_x.dimensions());
  check_results(call, lags, shape, means->dimensions(), sums->dimensions());
  if (call.failed()) return call.error();
  const int64_t channels = shape.channels, lag_sums = lags.size() / 2 * channels;
  lagged::for_each_map_summed(pool, shape, lags, taper_y.typed_data(), taper_x.typed_data(), x.typed_data(), 1, [&] {
    return [&](int64_t map, int64_t, const double* mean, const double* sum) {
      std::copy_n(mean, channels, means->typed_data() + map * channels);
      std::copy_n(sum, lag_sums, sums->typed_data() + map * lag_sums);
    };
  });
  return ffi::Error::Success();
}

// Adds the gradient of `products` to `cotangents`, in place, given the cotangents of its results.
template <ffi::DataType D>
ffi::Error products_gradient(ffi::ThreadPool pool, ffi::Span<const int64_t> lags, ffi::Buffer<D> cotangents,
                             ffi::Buffer<D> x,
                             ffi::Buffer<D> taper_y, ffi::Buffer<D> taper_x, ffi::Buffer<D> mean_cotangents,
                             ffi::Buffer<D> sum_cotangents, ffi::ResultBuffer<D> gradient) {
  using T = ffi::NativeType<D>;
  checks::Call call("lagged_products_gradient");
  const Shape shape = lagged::checked(call, lags, x.dimensions(), taper_y.dimensions(), taper_x.dimensions());
  call.same("cotangents", cotangents.dimensions(), x.dimensions());
  check_results(call, lags, shape, mean_cotangents.dimensions(), sum_cotangents.dimensions());
  call.same("gradient", gradient->dimensions(), x.dimensions());
  if (call.failed()) return call.error();
  const int64_t size = shape.height * shape.width * shape.channels, channels = shape.channels;
  const int64_t count = lags.size() / 2;
  kernels::take_over(cotangents, gradient);
  kernels::for_each_map(pool, shape.maps, [&] {
    return [&, products = Products<T>(shape, lags, taper_y.typed_data(), taper_x.typed_data(),
                                        Products<T>::kWhole),
            mean = Lined<double>(channels)](int64_t map) mutable {
      products.take(x.typed_data() + map * size, mean.data(), nullptr);
      const T* of_means = mean_cotangents.typed_data() + map * channels;
      const T* of_sums = sum_cotangents.typed_data() + map * count * channels;
      const Lined<double> means(of_means, of_means + channels), sums(of_sums, of_sums + count * channels);
      products.add_gradient(means.data(), sums.data(), gradient->typed_data() + map * size);
    };
  });
  return ffi::Error::Success();
}

}  // namespace

#define LAGS .Attr<ffi::Span<const int64_t>>("lags")

DEFINE_KERNEL(lagged_products, products, 3, 2, LAGS);
DEFINE_KERNEL(lagged_products_gradient, products_gradient, 6, 1, LAGS);
