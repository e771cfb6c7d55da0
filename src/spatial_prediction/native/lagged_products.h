// Lagged products of feature maps and their derivative, map by map.
//
// A map of shape (height, width, channels) is centred by its channel means, tapered, and laid out in a
// buffer with zeros between its rows, behind and in front, so that a lag (dy, dx) is one offset and no
// neighbour lies outside: dy * row + dx * channels. The channel of element n of the buffer is
// n mod channels; elements are taken in groups of `period`, a multiple of both channels and the vector
// length, so that every lane of a vector keeps its channel.

#pragma once

#include <numeric>

#include "checks.h"
#include "kernels.h"

namespace lagged {

using kernels::kVector;
using kernels::Lined;
using kernels::Shape;
using kernels::Vector;
using kernels::vector_at;

// Checks what all kernels that take lagged products are given.
inline Shape checked(checks::Call& call, ffi::Span<const int64_t> lags, checks::Dimensions x,
                     checks::Dimensions taper_y, checks::Dimensions taper_x) {
  call.integers("lags", lags, (lags.size() + 1) / 2 * 2, -checks::kFarthest, checks::kFarthest);
  const Shape shape = call.maps("x", x);
  call.shared("taper_y", taper_y, {shape.height});
  call.shared("taper_x", taper_x, {shape.width});
  return shape;
}

constexpr int64_t kLagsAtOnce = 13;  // sums kept in registers
constexpr int64_t kSideBySide = 4;   // vectors of the gradient computed side by side
constexpr int64_t kBlock = 64;       // terms added before a sum is carried to double precision

// Where the map lies in its buffer.
struct Layout {
  int64_t row, front, size, period;

  Layout(const Shape& shape, ffi::Span<const int64_t> lags) {
    int64_t down = 0, across = 0;
    for (size_t i = 0; i < lags.size(); i += 2) {
      down = std::max(down, std::abs(lags[i]));
      across = std::max(across, std::abs(lags[i + 1]));
    }
    period = std::lcm(shape.channels, kVector);
    row = (shape.width + across) * shape.channels;
    row = (row + period - 1) / period * period;
    front = down * row + across * shape.channels;
    front = (front + period - 1) / period * period;
    size = shape.height * row;
  }
};

// Mean over the pixels of each channel of a map; rows are added as a whole, a few at a time.
template <typename T>
FOR_EACH_PROCESSOR void channel_means(const T* x, const Shape& shape, double* mean) {
  const int64_t length = shape.width * shape.channels;
  std::vector<T> rows(length);
  std::fill(mean, mean + shape.channels, 0.0);
  for (int64_t first = 0; first < shape.height; first += kBlock) {
    std::fill(rows.begin(), rows.end(), T(0));
    for (int64_t y = first; y < std::min(first + kBlock, shape.height); ++y)
      for (int64_t k = 0; k < length; ++k) rows[k] += x[y * length + k];
    for (int64_t k = 0; k < length; k += shape.channels)
      for (int64_t c = 0; c < shape.channels; ++c) mean[c] += rows[k + c];
  }
  for (int64_t c = 0; c < shape.channels; ++c) mean[c] /= shape.height * shape.width;
}

// Centres and tapers a map into its buffer, whose gaps stay zero.
template <typename T>
FOR_EACH_PROCESSOR void lay_out(const T* x, const T* centre, const T* taper_y, const T* taper_row,
                                const Shape& shape, const Layout& layout, T* z) {
  const int64_t length = shape.width * shape.channels;
  for (int64_t y = 0; y < shape.height; ++y)
    for (int64_t k = 0; k < length; ++k)
      z[y * layout.row + k] = (x[y * length + k] - centre[k]) * (taper_y[y] * taper_row[k]);
}

// sums[lag][lane] += sum over n of z[n] z[n + offset], n = 0, period, ... below size
template <int64_t lags, typename T>
__attribute__((always_inline)) inline void add_products(const T* z, const int64_t* offsets, int64_t size,
                                                        int64_t period, double* sums) {
  typename Vector<T>::type partial[lags] = {};
  for (int64_t n = 0; n < size; n += period)
    for (int64_t l = 0; l < lags; ++l) partial[l] += vector_at(z + n) * vector_at(z + n + offsets[l]);
  for (int64_t l = 0; l < lags; ++l)
    for (int64_t v = 0; v < kVector; ++v) sums[l * kVector + v] += partial[l][v];
}

// All lags of a block before the next block: what they reach stays in the fastest cache.
template <typename T>
FOR_EACH_PROCESSOR void lagged_sums(const T* z, const int64_t* offsets, int64_t lags, const Layout& layout,
                                    int64_t channels, double* sums) {
  Lined<double> total(lags * kVector);
  std::fill(sums, sums + lags * channels, 0.0);
  for (int64_t lane = 0; lane < layout.period; lane += kVector) {
    std::fill(total.begin(), total.end(), 0.0);
    for (int64_t begin = lane; begin < layout.size; begin += kBlock * layout.period) {
      const int64_t size = std::min(kBlock * layout.period, layout.size - begin);
      int64_t l = 0;
      auto add = [&](auto count) __attribute__((always_inline)) {
        for (; lags - l >= count(); l += count())
          add_products<count()>(z + begin, offsets + l, size, layout.period, total.data() + l * kVector);
      };
      add(std::integral_constant<int64_t, kLagsAtOnce>{});
      add(std::integral_constant<int64_t, 7>{});
      add(std::integral_constant<int64_t, 3>{});
      add(std::integral_constant<int64_t, 1>{});
    }
    for (int64_t l = 0; l < lags; ++l)
      for (int64_t v = 0; v < kVector; ++v) sums[l * channels + (lane + v) % channels] += total[l * kVector + v];
  }
}

// gradient[n] = sum over lags of slope[lag] (z[n + offset] + z[n - offset]), for some vectors side by side;
// `slope(i)` is the address of the slopes of the i-th vector, one row of `period` for each lag
template <typename T, typename Slope>
__attribute__((always_inline)) inline void spread_vectors(const T* here, const int64_t* offsets, const Slope& slope,
                                                          int64_t lags, int64_t period,
                                                          typename Vector<T>::type* sums) {
  for (int64_t l = 0; l < lags; ++l)
    for (int64_t i = 0; i < kSideBySide; ++i) {
      // multiplied one by one: their sum may leave the range of T where the slope is 0
      const auto& weight = vector_at(slope(i) + l * period);
      sums[i] += weight * vector_at(here + i * kVector + offsets[l]) + weight * vector_at(here + i * kVector - offsets[l]);
    }
}

template <typename T>
FOR_EACH_PROCESSOR void spread(const T* z, const int64_t* offsets, const T* slopes, int64_t lags,
                               const Shape& shape, const Layout& layout, T* gradient) {
  const int64_t length = shape.width * shape.channels, period = layout.period;
  for (int64_t y = 0; y < shape.height; ++y)
    for (int64_t first = 0; first < length; first += kSideBySide * kVector) {
      const T* here = z + y * layout.row + first;
      typename Vector<T>::type sums[kSideBySide] = {};
      if (period == kVector) {  // all vectors have the same slopes, which are loaded once
        spread_vectors(here, offsets, [&](int64_t) { return slopes; }, lags, kVector, sums);
      } else {
        const T* slope[kSideBySide];
        for (int64_t i = 0; i < kSideBySide; ++i) slope[i] = slopes + (first + i * kVector) % period;
        spread_vectors(here, offsets, [&](int64_t i) { return slope[i]; }, lags, period, sums);
      }
      const int64_t count = std::min(kSideBySide * kVector, length - first);
      std::memcpy(gradient + y * length + first, sums, count * sizeof(T));
    }
}

template <typename T>
FOR_EACH_PROCESSOR void taper(T* x, const T* taper_y, const T* taper_row, const Shape& shape) {
  const int64_t length = shape.width * shape.channels;
  for (int64_t y = 0; y < shape.height; ++y)
    for (int64_t k = 0; k < length; ++k) x[y * length + k] *= taper_y[y] * taper_row[k];
}

// total += x, with `row` added to each of its rows
template <typename T>
FOR_EACH_PROCESSOR void add_shifted(const T* x, const T* row, const Shape& shape, T* total) {
  const int64_t length = shape.width * shape.channels;
  for (int64_t y = 0; y < shape.height; ++y)
    for (int64_t k = 0; k < length; ++k) total[y * length + k] += x[y * length + k] + row[k];
}

// What one thread needs to take the products of maps, one after the other.
template <typename T>
class Products {
 public:
  Products(const Shape& shape, ffi::Span<const int64_t> lags, const T* taper_y, const T* taper_x)
      : shape_(shape),
        layout_(shape, lags),
        count_(lags.size() / 2),
        taper_y_(taper_y),
        taper_row_(shape.width * shape.channels),
        row_(shape.width * shape.channels),
        memory_(2 * layout_.front + layout_.size + layout_.period + kSideBySide * kVector, T(0)),
        slopes_(count_ * layout_.period) {
    for (size_t i = 0; i < lags.size(); i += 2)
      offsets_.push_back(lags[i] * layout_.row + lags[i + 1] * shape.channels);
    for (size_t k = 0; k < taper_row_.size(); ++k) taper_row_[k] = taper_x[k / shape.channels];
  }

  // Takes in a map and gives its means (channels).
  void take(const T* x, double* mean) {
    channel_means(x, shape_, mean);
    repeat_along_row(mean);
    lay_out(x, row_.data(), taper_y_, taper_row_.data(), shape_, layout_, z());
  }

  // Sums (lags, channels) of the products of the map taken in.
  void sums(double* sums) {
    lagged_sums(z(), offsets_.data(), count_, layout_, shape_.channels, sums);
  }

  // Adds to `total` (height, width, channels) the gradient with respect to the map taken in, from the slopes of
  // its means (channels) and sums (lags, channels).
  void add_gradient(const double* mean_slopes, const double* sum_slopes, T* total) {
    gradient_.resize(shape_.height * shape_.width * shape_.channels);
    T* gradient = gradient_.data();
    const int64_t channels = shape_.channels;
    for (int64_t l = 0; l < count_; ++l)
      for (int64_t i = 0; i < layout_.period; ++i)
        slopes_[l * layout_.period + i] = sum_slopes[l * channels + i % channels];
    spread(z(), offsets_.data(), slopes_.data(), count_, shape_, layout_, gradient);
    taper(gradient, taper_y_, taper_row_.data(), shape_);
    // centring takes the mean out of the gradient; the mean's own gradient joins it
    std::vector<double> shift(channels);
    channel_means(gradient, shape_, shift.data());
    for (int64_t c = 0; c < channels; ++c)
      shift[c] = mean_slopes[c] / (shape_.height * shape_.width) - shift[c];
    repeat_along_row(shift.data());
    add_shifted(gradient, row_.data(), shape_, total);
  }

 private:
  T* z() { return memory_.data() + layout_.front; }

  void repeat_along_row(const double* of_channels) {
    for (size_t k = 0; k < row_.size(); ++k) row_[k] = of_channels[k % shape_.channels];
  }

  Shape shape_;
  Layout layout_;
  int64_t count_;
  std::vector<int64_t> offsets_;
  const T* taper_y_;
  std::vector<T> taper_row_, row_;
  Lined<T> memory_, slopes_, gradient_;
};

}  // namespace lagged
