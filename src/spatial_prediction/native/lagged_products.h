// Lagged products of feature maps and their derivative, map by map.
//
// A map of shape (height, width, channels) is centred by its channel means, tapered, and laid out in a
// buffer with zeros between its rows, before and after it, so that a lag (dy, dx) is one offset,
// dy * row + dx * channels, and no neighbour lies outside the buffer. The channel of element n of the buffer is
// n mod channels; elements are taken in groups of `period`, a multiple of both channels and the vector
// length, so that every lane of a vector keeps its channel. If the channels fill whole vectors, consecutive lags
// to the right need the same vectors at neighbouring pixels: each is loaded once for several pixels.

#pragma once

#include <limits>

#include "checks.h"
#include "map_parts.h"

namespace lagged {

using kernels::kVector;
using kernels::Lined;
using kernels::Registers;
using kernels::Scratch;
using kernels::Shape;
using kernels::unrolled;

// Checks the operands that all kernels of lagged products share.
inline Shape checked(checks::Call& call, ffi::Span<const int64_t> lags, checks::Dimensions x,
                     checks::Dimensions taper_y, checks::Dimensions taper_x) {
  call.integers("lags", lags, (lags.size() + 1) / 2 * 2, -checks::kFarthest, checks::kFarthest);
  const Shape shape = call.maps("x", x);
  call.shared("taper_y", taper_y, {shape.height});
  call.shared("taper_x", taper_x, {shape.width});
  return shape;
}

constexpr int64_t kLagsAtOnce = 13;  // sums kept in registers

// Consecutive lags to the right.
struct Run {
  int64_t first, count, offset;
};

// The place of some rows of the map in their buffer: `front` elements and `down` of its rows come before them and after,
// of which lags reach `up` upwards.
struct Layout {
  int64_t row, up = 0, down = 0, front, period;

  Layout(const Shape& shape, ffi::Span<const int64_t> lags) {
    int64_t across = 0;
    for (size_t i = 0; i < lags.size(); i += 2) {
      up = std::max(up, -lags[i]);
      down = std::max(down, std::abs(lags[i]));
      across = std::max(across, std::abs(lags[i + 1]));
    }
    period = std::lcm(shape.channels, kVector);
    row = (shape.width + across) * shape.channels;
    row = (row + period - 1) / period * period;
    front = down * row + across * shape.channels;
    front = (front + period - 1) / period * period;
  }
};

// Centres and tapers rows of a map into the buffer, whose gaps stay zero.
template <typename T>
FOR_EACH_PROCESSOR void lay_out(const T* x, const T* centre, const T* taper_y, const T* taper_row, int64_t rows,
                                int64_t length, int64_t row, T* z) {
  for (int64_t y = 0; y < rows; ++y)
    for (int64_t k = 0; k < length; ++k)
      z[y * row + k] = (x[y * length + k] - centre[k]) * (taper_y[y] * taper_row[k]);
}

// Calls work(count, first) for parts of a run; count is a compile-time constant.
template <typename Work>
ALWAYS_INLINE void in_parts(const Run& run, const Work& work) {
  int64_t l = 0;
  auto some = [&](auto count) ALWAYS_INLINED {
    for (; run.count - l >= count(); l += count()) work(count, l);
  };
  some(std::integral_constant<int64_t, kLagsAtOnce>());
  some(std::integral_constant<int64_t, 7>());
  some(std::integral_constant<int64_t, 5>());
  some(std::integral_constant<int64_t, 3>());
  some(std::integral_constant<int64_t, 2>());
  some(std::integral_constant<int64_t, 1>());
}

// sums[lag][place in the period] += sum of z[n] z[n + offset] over the n at that place. All lags of a block come before
// the next block, so that the elements stay in the fastest cache.
struct LaggedSums {
  template <int64_t bytes, typename T>
  ALWAYS_INLINE static void run(const T* z, int64_t all, const Lined<Run>& runs, const Layout& layout,
                                int64_t channels, double* sums) {
    for (int64_t lane = 0; lane < layout.period; lane += Registers<T, bytes>::kLanes)
      for (int64_t begin = lane; begin < all; begin += kBlock * layout.period) {
        const int64_t size = std::min(kBlock * layout.period, all - begin);
        for (const Run& run : runs)
          in_parts(run, [&](auto count, int64_t l) ALWAYS_INLINED {
            add<count(), bytes>(z + begin, run.offset + l * channels, channels, layout.period, size,
                                sums + (run.first + l) * layout.period + lane);
          });
      }
  }

 private:
  template <int64_t lags, int64_t bytes, typename T>
  ALWAYS_INLINE static void add(const T* z, int64_t offset, int64_t channels, int64_t period, int64_t size,
                                double* sums) {
    using In = Registers<T, bytes>;
    typename In::Register partial[lags] = {};
    int64_t n = 0;
    auto some = [&](auto pixels) ALWAYS_INLINED {
      for (; n + (pixels() - 1) * period < size; n += pixels() * period) {
        const T* there = z + n + offset;
        typename In::Register here[pixels()];
        unrolled<pixels()>([&](auto i) ALWAYS_INLINED { here[i] = In::at(z + n + i * period); });
        unrolled<lags + pixels() - 1>([&](auto j) ALWAYS_INLINED {
          const typename In::Register value = In::at(there);
          there += channels;
          unrolled<pixels()>([&](auto i) ALWAYS_INLINED {
            if constexpr (i() <= j() && j() - i() < lags) partial[j - i] += here[i] * value;
          });
        });
      }
    };
    if (period == channels) some(std::integral_constant<int64_t, bytes == 64 ? 4 : 2>());
    some(std::integral_constant<int64_t, 1>());
    for (int64_t l = 0; l < lags; ++l)
      for (int64_t v = 0; v < In::kLanes; ++v) sums[l * period + v] += partial[l][v];
  }
};

// gradient[n] = sum over lags of weights[lag] (z[n + offset] + z[n - offset]); weights (lags, period)
struct Spread {
  template <int64_t bytes, typename T>
  ALWAYS_INLINE static void run(const T* z, const Lined<Run>& runs, const T* weights, const Shape& shape,
                                const Layout& layout, T* gradient) {
    const int64_t channels = shape.channels, period = layout.period, length = shape.width * channels;
    constexpr int64_t lanes = Registers<T, bytes>::kLanes;
    for (int64_t y = 0; y < shape.height; ++y)
      for (int64_t lane = 0; lane < std::min(period, length); lane += lanes) {
        int64_t n = lane;
        auto some = [&](auto pixels) ALWAYS_INLINED {
          for (; n + (pixels() - 1) * period < length; n += pixels() * period) {
            typename Registers<T, bytes>::Register sums[pixels()] = {};
            for (const Run& run : runs)
              in_parts(run, [&](auto count, int64_t l) ALWAYS_INLINED {
                add<count(), pixels(), bytes>(z + y * layout.row + n, run.offset + l * channels, channels,
                                              weights + (run.first + l) * period + lane, period, sums);
              });
            for (int64_t i = 0; i < pixels(); ++i) {
              const int64_t at = n + i * period;
              std::memcpy(gradient + y * length + at, &sums[i], std::min(lanes, length - at) * sizeof(T));
            }
          }
        };
        if (period == channels) some(std::integral_constant<int64_t, 8>());
        some(std::integral_constant<int64_t, 1>());
      }
  }

 private:
  // Separate products: the sum of both neighbours may leave the range of T where the weight is 0.
  template <int64_t lags, int64_t pixels, int64_t bytes, typename T>
  ALWAYS_INLINE static void add(const T* z, int64_t offset, int64_t channels, const T* weights, int64_t period,
                                typename Registers<T, bytes>::Register* sums) {
    using In = Registers<T, bytes>;
    const T *right = z + offset, *left = z - offset - (lags - 1) * channels;
    typename In::Register weight[lags];
    unrolled<lags>([&](auto l) ALWAYS_INLINED { weight[l] = In::at(weights + l * period); });
    unrolled<lags + pixels - 1>([&](auto j) ALWAYS_INLINED {
      const typename In::Register after = In::at(right), before = In::at(left);
      right += channels, left += channels;
      unrolled<pixels>([&](auto i) ALWAYS_INLINED {
        if constexpr (i() <= j() && j() - i() < lags) {
          sums[i] += weight[j - i] * after;
          sums[i] += weight[lags - 1 - j + i] * before;
        }
      });
    });
  }
};

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

// Memory with which one thread computes the products of maps, one after the other: that of a whole map, which a gradient
// needs, or, to stay in the cache, of as many rows of a part as `bytes` hold.
template <typename T>
class Products {
 public:
  static constexpr int64_t kInCache = 1 << 18, kWhole = std::numeric_limits<int64_t>::max();

  Products(const Shape& shape, ffi::Span<const int64_t> lags, const T* taper_y, const T* taper_x, int64_t bytes)
      : shape_(shape),
        layout_(shape, lags),
        parts_(shape.height),
        whole_(bytes == kWhole),
        at_once_(std::max(2 * layout_.down + 1, whole_ ? shape.height : std::min(rows_of(bytes), parts_.rows))),
        count_(lags.size() / 2),
        taper_y_(taper_y),
        taper_row_(shape.width * shape.channels),
        row_(shape.width * shape.channels),
        memory_(2 * layout_.front + at_once_ * layout_.row + layout_.period),
        weights_(count_ * layout_.period),
        period_sums_(std::max<int64_t>(1, count_) * layout_.period),
        totals_(shape),
        of_parts_(parts_.count * std::max<int64_t>(1, count_) * shape.channels) {
    for (int64_t l = 0; l < count_; ++l) {
      const int64_t *lag = lags.begin() + 2 * l, *before = lag - 2;
      if (l > 0 && lag[0] == before[0] && lag[1] == before[1] + 1) {
        ++runs_.back().count;
      } else {
        runs_.push_back({l, 1, lag[0] * layout_.row + lag[1] * shape.channels});
      }
    }
    for (int64_t x = 0; x < shape.width; ++x)
      std::fill_n(taper_row_.begin() + x * shape.channels, shape.channels, taper_x[x]);
    clear_gaps();
  }

  // Writes the means (channels) of a map, and the sums (lags, channels) of its products unless their pointer is null. A
  // whole map stays loaded.
  void take(const T* x, double* mean, double* sums) {
    take_means(x, mean);
    centre(mean);
    if (whole_) load(x, -layout_.down, shape_.height, -layout_.down, shape_.height + 2 * layout_.down);
    if (!sums) return;
    for (int64_t part = 0; part < parts_.count; ++part) {
      double* const of_part = of_parts_.data() + part * size_of_sums();
      if (whole_) {
        std::fill(period_sums_.begin(), period_sums_.end(), 0.0);
        add_products(parts_.begin(part), parts_.end(part) - parts_.begin(part));
        fold(of_part);
      } else {
        sum_part(x, part, of_part);
      }
    }
    add_in_order(of_parts_.data(), parts_.count, size_of_sums(), sums);
  }

  // Takes the means (channels) that are subtracted from maps.
  void centre(const double* mean) { repeat(mean, row_.size(), row_.data()); }

  // Writes the sums (lags, channels) of the products of the pixels in a part with all others.
  void sum_part(const T* x, int64_t part, double* sums) {
    std::fill(period_sums_.begin(), period_sums_.end(), 0.0);
    const int64_t down = layout_.down, end = parts_.end(part);
    int64_t first = parts_.begin(part);
    load(x, first - layout_.up, end + down, -layout_.up, layout_.up + at_once_ + down);
    for (;; first += at_once_) {
      add_products(0, std::min(at_once_, end - first));
      if (first + at_once_ >= end) break;
      T* const kept = z() + (at_once_ - down) * layout_.row;
      std::copy_n(kept, 2 * down * layout_.row, z() - down * layout_.row);
      load(x, first + at_once_ + down, end + down, down, at_once_);
    }
    fold(sums);
  }

  // Adds to `total` (height, width, channels) the gradient with respect to the loaded map, from the cotangents of
  // its means (channels) and sums (lags, channels).
  void add_gradient(const double* mean_cotangents, const double* sum_cotangents, T* total) {
    gradient_.resize(shape_.height * shape_.width * shape_.channels);
    T* gradient = gradient_.data();
    const int64_t channels = shape_.channels;
    for (int64_t l = 0; l < count_; ++l)
      repeat(sum_cotangents + l * channels, layout_.period, weights_.data() + l * layout_.period);
    kernels::run<Spread>(z(), runs_, weights_.data(), shape_, layout_, gradient);
    taper(gradient, taper_y_, taper_row_.data(), shape_);
    // centring subtracts the mean of the gradient; the gradient of the means is added
    const int64_t pixels = shape_.height * shape_.width;
    Lined<double> shift(channels);
    totals_.take(gradient, pixels, shift.data());
    for (int64_t c = 0; c < channels; ++c) shift[c] = (mean_cotangents[c] - shift[c]) / pixels;
    repeat(shift.data(), row_.size(), row_.data());
    add_shifted(gradient, row_.data(), shape_, total);
  }

 private:
  T* z() { return memory_.data() + layout_.front; }

  // Writes the zeros around and between the rows that are loaded.
  void clear_gaps() {
    std::fill(memory_.data(), z(), T(0));
    for (int64_t y = 1; y <= at_once_; ++y)
      std::fill(z() + (y - 1) * layout_.row + row_.size(), z() + y * layout_.row, T(0));
    std::fill(z() + at_once_ * layout_.row, memory_.data() + memory_.size(), T(0));
  }

  int64_t rows_of(int64_t bytes) const { return bytes / static_cast<int64_t>(layout_.row * sizeof(T)); }
  int64_t size_of_sums() const { return count_ * shape_.channels; }

  // Loads `count` rows of the map from `first` on to row `to` of the buffer; zeros from `last` on, and where the map has
  // no rows.
  void load(const T* x, int64_t first, int64_t last, int64_t to, int64_t count) {
    const int64_t length = shape_.width * shape_.channels;
    const int64_t above = std::clamp<int64_t>(-first, 0, count);
    const int64_t there = std::clamp<int64_t>(std::min(last, shape_.height) - first - above, 0, count - above);
    T* const rows = z() + to * layout_.row;
    T* const inside = rows + above * layout_.row;
    std::fill(rows, inside, T(0));
    if (there > 0)
      lay_out(x + (first + above) * length, row_.data(), taper_y_ + first + above, taper_row_.data(), there, length,
              layout_.row, inside);
    std::fill(inside + there * layout_.row, rows + count * layout_.row, T(0));
  }

  void add_products(int64_t first, int64_t count) {
    kernels::run<LaggedSums>(z() + first * layout_.row, count * layout_.row, runs_, layout_, shape_.channels,
                             period_sums_.data());
  }

  void take_means(const T* x, double* mean) {
    const int64_t length = shape_.width * shape_.channels;
    for (int64_t part = 0; part < parts_.count; ++part) {
      const int64_t begin = parts_.begin(part);
      totals_.take(x + begin * length, (parts_.end(part) - begin) * shape_.width,
                   of_parts_.data() + part * shape_.channels);
    }
    add_in_order(of_parts_.data(), parts_.count, shape_.channels, mean);
    for (int64_t c = 0; c < shape_.channels; ++c) mean[c] /= shape_.height * shape_.width;
  }

  // Sums of each channel from those of each place in the period.
  void fold(double* sums) const {
    std::fill(sums, sums + size_of_sums(), 0.0);
    for (int64_t i = 0; i < count_ * layout_.period; i += shape_.channels)
      for (int64_t c = 0; c < shape_.channels; ++c)
        sums[i / layout_.period * shape_.channels + c] += period_sums_[i + c];
  }

  void repeat(const double* of_channels, int64_t size, T* to) const {
    for (int64_t k = 0; k < size; k += shape_.channels) std::copy_n(of_channels, shape_.channels, to + k);
  }

  Shape shape_;
  Layout layout_;
  Parts parts_;
  bool whole_;
  int64_t at_once_, count_;
  Lined<Run> runs_;
  const T* taper_y_;
  Scratch<T> taper_row_, row_;
  Scratch<T> memory_;
  Lined<T> weights_, gradient_;
  Lined<double> period_sums_;
  Totals<T> totals_;
  Lined<double> of_parts_;
};

}  // namespace lagged
