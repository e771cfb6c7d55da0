// The rows of a map in parts, and the sums of their channels.

#pragma once

#include <numeric>

#include "kernels.h"

namespace lagged {

using kernels::kVector;
using kernels::Lined;
using kernels::Registers;
using kernels::Shape;

constexpr int64_t kBlock = 64;  // terms added before a sum is carried to double precision

// The rows of a map are summed in parts, each by one thread. What a part is depends on the map alone, and so do the sums.
struct Parts {
  static constexpr int64_t kLeastRows = 12, kMost = 64;
  int64_t rows, count, height;

  explicit Parts(int64_t height)
      : rows(std::max(kLeastRows, (height + kMost - 1) / kMost)), count((height + rows - 1) / rows), height(height) {}

  int64_t begin(int64_t part) const { return part * rows; }
  int64_t end(int64_t part) const { return std::min(height, (part + 1) * rows); }
};

// Adds the elements at the same place of all whole periods of a map, taken as one row of pixels.
struct PeriodSums {
  template <int64_t bytes, typename T>
  ALWAYS_INLINE static void run(const T* x, int64_t size, int64_t period, double* sums) {
    using In = Registers<T, bytes>;
    constexpr int64_t together = 4;  // independent sums
    for (int64_t begin = 0; begin + period <= size; begin += kBlock * period) {
      const int64_t end = std::min(begin + kBlock * period, size / period * period);
      for (int64_t lane = 0; lane < period; lane += In::kLanes) {
        typename In::Register partial[together] = {};
        int64_t n = begin + lane;
        for (; n + (together - 1) * period < end; n += together * period)
#pragma GCC unroll 4
          for (int64_t i = 0; i < together; ++i) partial[i] += In::at(x + n + i * period);
        for (; n < end; n += period) partial[0] += In::at(x + n);
        partial[0] = (partial[0] + partial[1]) + (partial[2] + partial[3]);
        for (int64_t v = 0; v < In::kLanes; ++v) sums[lane + v] += partial[0][v];
      }
    }
  }
};

// Adds up the channels of pixels.
template <typename T>
class Totals {
 public:
  explicit Totals(const Shape& shape)
      : channels_(shape.channels), period_(std::lcm(shape.channels, kVector)), period_sums_(period_) {}

  // Writes the sums (channels) of all `pixels`.
  void take(const T* x, int64_t pixels, double* sums) {
    const int64_t size = pixels * channels_, left = size % period_;
    std::fill(period_sums_.begin(), period_sums_.end(), 0.0);
    kernels::run<PeriodSums>(x, size, period_, period_sums_.data());
    std::fill_n(sums, channels_, 0.0);
    for (int64_t n = 0; n < period_; ++n) sums[n % channels_] += period_sums_[n];
    for (int64_t n = 0; n < left; ++n) sums[n % channels_] += x[size - left + n];
  }

 private:
  int64_t channels_, period_;
  Lined<double> period_sums_;
};

// Sums of (parts, count), added in their order.
inline void add_in_order(const double* of_parts, int64_t parts, int64_t count, double* sums) {
  std::fill_n(sums, count, 0.0);
  for (int64_t part = 0; part < parts; ++part, of_parts += count)
    for (int64_t i = 0; i < count; ++i) sums[i] += of_parts[i];
}

}  // namespace lagged
