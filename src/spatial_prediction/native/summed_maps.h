// Means and lagged products of maps, by all threads.

#pragma once

#include "lagged_products.h"

namespace lagged {

// Calls finish(map, step, means (channels), sums (lags, channels)) for `steps` steps of each map, on all threads; `begin`
// makes the `finish` of a thread. Many maps are divided among the threads, few are summed by all of them together.
template <typename T, typename Begin>
void for_each_map_summed(ffi::ThreadPool& pool, const Shape& shape, ffi::Span<const int64_t> lags, const T* taper_y,
                         const T* taper_x, const T* x, int64_t steps, const Begin& begin) {
  const int64_t length = shape.width * shape.channels, size = shape.height * length, channels = shape.channels;
  const int64_t lag_sums = lags.size() / 2 * channels;
  const auto products = [&] { return Products<T>(shape, lags, taper_y, taper_x, Products<T>::kInCache); };
  if (shape.maps >= 2 * pool.num_threads()) {
    return kernels::for_each_map(pool, shape.maps, [&] {
      return [&, products = products(), mean = Lined<double>(channels), sums = Lined<double>(lag_sums),
              finish = begin()](int64_t map) mutable {
        products.take(x + map * size, mean.data(), sums.data());
        for (int64_t step = 0; step < steps; ++step) finish(map, step, mean.data(), sums.data());
      };
    });
  }
  const Parts parts(shape.height);
  Lined<double> of_parts(shape.maps * parts.count * std::max(channels, lag_sums));
  Lined<double> means(shape.maps * channels), sums(shape.maps * lag_sums);
  kernels::for_each_map(pool, shape.maps * parts.count, [&] {
    return [&, totals = Totals<T>(shape)](int64_t index) mutable {
      const int64_t first = parts.begin(index % parts.count), last = parts.end(index % parts.count);
      totals.take(x + index / parts.count * size + first * length, (last - first) * shape.width,
                  of_parts.data() + index * channels);
    };
  });
  for (int64_t map = 0; map < shape.maps; ++map)
    add_in_order(of_parts.data() + map * parts.count * channels, parts.count, channels, means.data() + map * channels);
  for (double& mean : means) mean /= shape.height * shape.width;
  kernels::for_each_map(pool, shape.maps * parts.count, [&] {
    return [&, products = products()](int64_t index) mutable {
      const int64_t map = index / parts.count;
      products.centre(means.data() + map * channels);
      products.sum_part(x + map * size, index % parts.count, of_parts.data() + index * lag_sums);
    };
  });
  for (int64_t map = 0; map < shape.maps; ++map)
    add_in_order(of_parts.data() + map * parts.count * lag_sums, parts.count, lag_sums, sums.data() + map * lag_sums);
  kernels::for_each_map(pool, shape.maps * steps, [&] {
    return [&, finish = begin()](int64_t index) mutable {
      const int64_t map = index / steps;
      finish(map, index % steps, means.data() + map * channels, sums.data() + map * lag_sums);
    };
  });
}

}  // namespace lagged
