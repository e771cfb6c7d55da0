// The pixelwise feed-forward part of a network, x + reduce(GELU(expand(x))).
//
// Some pixels at a time go through all of it, so that the hidden values, twice the channels, stay in the cache.

#pragma once

#include <cmath>

#include "row_products.h"

namespace pixelwise {

using kernels::Lined;
using rows::Kernel;
using rows::Registers;
using rows::Row;

constexpr int64_t kPixels = 96;  // pixels that go through together

// Replaces x by 2^x, for -120 <= x <= 120, in as many lanes as a register has.
template <typename T, int64_t bytes>
ALWAYS_INLINE void exponentiate(typename Registers<T, bytes>::Register& x) {
  using Values = typename Registers<T, bytes>::Register;
  if constexpr (sizeof(T) == sizeof(float)) {
    // 2^n 2^r with integer n and |r| <= 1 / 2; the polynomial is within 2e-9 of 2^r.
    using Bits = typename Registers<int32_t, bytes>::Register;
    constexpr float rounding = 1.5f * (1 << 23);  // added, it leaves no fraction: the integer is in the last bits
    const Values shifted = x + rounding, r = x - (shifted - rounding);
    Values power = r * 1.534580255e-4f + 1.339993161e-3f;
#pragma GCC unroll 8
    for (float factor : {9.618488996e-3f, 5.550328776e-2f, 0.2402264689f, 0.6931472057f, 1.0f})
      power = power * r + factor;
    x = (Values)((Bits)power + ((Bits)shifted << 23));
  } else {
    for (int64_t lane = 0; lane < Registers<T, bytes>::kLanes; ++lane) x[lane] = std::exp2(x[lane]);
  }
}

// 1 / x, for 1 <= x <= 2^121.
template <typename T, int64_t bytes>
ALWAYS_INLINE typename Registers<T, bytes>::Register reciprocal(const typename Registers<T, bytes>::Register& x) {
#ifdef HAS_VERSIONS
  if constexpr (sizeof(T) == sizeof(float) && bytes == 64) {  // a division takes as long as ten products
    typename Registers<T, bytes>::Register estimate;
    asm("vrcp14ps %1, %0" : "=v"(estimate) : "v"(x));
    return estimate + estimate * (1.0f - x * estimate);  // Newton's step doubles the 14 bits
  }
#endif
  return T(1) / x;
}

// GELU in its form with the hyperbolic tangent: x / (1 + e^(-2 u)), u = sqrt(2 / pi) (x + 0.044715 x^3); and its
// derivative, if asked for.
struct Gelu {
  template <int64_t bytes, typename T>
  ALWAYS_INLINE static void run(int64_t count, T* values, T* derivatives) {
    using In = Registers<T, bytes>;
    using Values = typename In::Register;
    constexpr T scale = 2 * 0.7978845608028654, cubic = 0.044715, log2_e = 1.4426950408889634;
    const Values largest = Values{} + T(120);
    for (int64_t i = 0; i < count; i += In::kLanes) {
      const Values x = In::at(values + i), square = x * x;
      const Values exponent = x * (-scale * log2_e - scale * log2_e * cubic * square);
      Values power = exponent > largest ? largest : exponent;
      power = power < -largest ? -largest : power;
      const auto bounded = power == exponent;  // beyond, GELU is linear
      exponentiate<T, bytes>(power);
      const Values share = reciprocal<T, bytes>(T(1) + power);
      In::at(values + i) = x * share;
      if (derivatives) {
        const Values bend = x * share * (power * share) * (scale + 3 * scale * cubic * square);
        In::at(derivatives + i) = share + (bounded ? bend : Values{});
      }
    }
  }
};

// Applies GELU to some pixels of `values`, and writes its derivatives unless their pointer is null.
template <typename T>
void gelu(int64_t pixels, Row<T>& values, Row<T>* derivatives) {
  for (int64_t b = 0; b < rows::blocks_of(values.channels); ++b)
    kernels::run<Gelu>(pixels * kernels::kVector, values.block(b), derivatives ? derivatives->block(b) : nullptr);
}

// Calls each(value of `from`, value of `to`) for some pixels of two rows of the same layout.
template <typename T, typename Each>
ALWAYS_INLINE void for_each_value(int64_t pixels, const Row<T>& from, Row<T>& to, const Each& each) {
  for (int64_t b = 0; b < rows::blocks_of(from.channels); ++b)
    for (int64_t i = 0; i < pixels * kernels::kVector; ++i) each(from.block(b)[i], to.block(b)[i]);
}

template <typename T>
FOR_EACH_PROCESSOR void add(int64_t pixels, const Row<T>& values, Row<T>& to) {
  for_each_value(pixels, values, to, [](T value, T& sum) __attribute__((always_inline)) { sum += value; });
}

template <typename T>
void product(const Row<T>& x, const Kernel<T>& kernel, int64_t count, Row<T>& to) {
  const Row<T>* seen[] = {&x};
  kernels::run<rows::Products>(seen, kernel, count, to);
}

template <typename T>
Row<T> pixels_of(int64_t channels) {
  return Row<T>(channels, rows::columns_for(kPixels), kPixels);
}

// What a thread needs to compute pixels: some of their hidden values.
template <typename T>
struct Pixels {
  Row<T> hidden;

  explicit Pixels(int64_t hidden_channels) : hidden(pixels_of<T>(hidden_channels)) {}

  // Replaces the first `columns` pixels of a row. `kPixels` is a multiple of the pixels of a group, so that none reaches
  // into pixels that are still to come.
  void replace(Row<T>& row, int64_t columns, const Kernel<T>& expand, const Kernel<T>& reduce) {
    for (int64_t first = 0; first < columns; first += kPixels) {
      const int64_t count = std::min(kPixels, columns - first);
      kernels::run<rows::PixelProducts<false>>(row, first, expand, count, hidden, 0);
      gelu<T>(count, hidden, nullptr);
      kernels::run<rows::PixelProducts<true>>(hidden, 0, reduce, count, row, first);
    }
  }
};

// A feed-forward part as its derivative uses it.
template <typename T>
struct Backwards {
  Kernel<T> expand, to_hidden, to_x;

  Backwards(const rows::Size& expanding, const T* expand, const T* expand_bias, const T* reduce)
      : expand(expanding, expand, expand_bias),
        to_hidden(Kernel<T>::turned(expanding.exchanged(), reduce)),
        to_x(Kernel<T>::turned(expanding, expand)) {}
};

// Feed-forward parts with kernels (*kernels, 1, 1, inputs, outputs) and biases (*kernels, outputs).
template <typename T>
Lined<Backwards<T>> backwards(const rows::Size& expanding, int64_t count, const T* expand, const T* expand_bias,
                              const T* reduce) {
  Lined<Backwards<T>> result;
  result.reserve(count);
  for (int64_t k = 0; k < count; ++k)
    result.emplace_back(expanding, expand + k * expanding.values(), expand_bias + k * expanding.outputs,
                        reduce + k * expanding.values());
  return result;
}

template <typename T>
FOR_EACH_PROCESSOR void multiply(int64_t pixels, const Row<T>& values, Row<T>& to) {
  for_each_value(pixels, values, to, [](T value, T& product) __attribute__((always_inline)) { product *= value; });
}

template <typename T>
void add_kernel_cotangents(const Row<T>& x, const Row<T>& cotangents, int64_t count, Kernel<T>& kernel) {
  const Row<T>* seen[] = {&x};
  kernels::run<rows::AddKernelGradient>(seen, cotangents, count, kernel);
}

// What a thread needs to carry the cotangents of some pixels back. The hidden values are computed again, which costs
// less than keeping them in memory.
template <typename T>
struct PixelGradients {
  Row<T> from, cotangent, to;

  PixelGradients(int64_t channels, int64_t hidden_channels)
      : from(pixels_of<T>(channels)),
        cotangent(pixels_of<T>(channels)),
        to(pixels_of<T>(channels)),
        hidden_(pixels_of<T>(hidden_channels)),
        derivatives_(pixels_of<T>(hidden_channels)),
        hidden_cotangent_(pixels_of<T>(hidden_channels)) {}

  // Computes the first `count` pixels of `to` from those of `from` and `cotangent`, and adds the gradients with respect
  // to the kernels unless their pointers are null.
  void compute(int64_t count, const Backwards<T>& part, Kernel<T>* of_expand, Kernel<T>* of_reduce) {
    product(from, part.expand, count, hidden_);
    gelu(count, hidden_, &derivatives_);
    if (of_reduce) add_kernel_cotangents(hidden_, cotangent, count, *of_reduce);
    product(cotangent, part.to_hidden, count, hidden_cotangent_);
    multiply(count, derivatives_, hidden_cotangent_);
    if (of_expand) add_kernel_cotangents(from, hidden_cotangent_, count, *of_expand);
    product(hidden_cotangent_, part.to_x, count, to);
    add(count, cotangent, to);
  }

 private:
  Row<T> hidden_, derivatives_, hidden_cotangent_;
};

}  // namespace pixelwise
