// XLA custom calls: the pixelwise feed-forward part of a network, x + reduce(GELU(expand(x))), and its derivative.
//
// Some pixels at a time go through all of it. The hidden values, twice the channels, stay in the cache, and are
// computed again for the derivative, which costs less than keeping them in memory.

#include <cmath>

#include "checks.h"
#include "row_products.h"

namespace {

using checks::Dimensions;
using kernels::Shape;
using rows::Kernel;
using rows::Registers;
using rows::Row;
using rows::Size;

constexpr int64_t kPixels = 96;      // pixels that go through together
constexpr int64_t kTogether = 1152;  // pixels that one thread computes at a time, and sums the gradients of

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
FOR_EACH_PROCESSOR void multiply(int64_t pixels, const Row<T>& values, Row<T>& to) {
  for_each_value(pixels, values, to, [](T value, T& product) __attribute__((always_inline)) { product *= value; });
}

template <typename T>
void product(const Row<T>& x, const Kernel<T>& kernel, int64_t count, Row<T>& to) {
  const Row<T>* seen[] = {&x};
  kernels::run<rows::Products>(seen, kernel, count, to);
}

template <typename T>
void add_kernel_cotangents(const Row<T>& x, const Row<T>& cotangents, int64_t count, Kernel<T>& kernel) {
  const Row<T>* seen[] = {&x};
  kernels::run<rows::AddKernelGradient>(seen, cotangents, count, kernel);
}

template <typename T>
Row<T> pixels_of(int64_t channels) {
  return Row<T>(channels, rows::columns_for(kPixels));
}

// Checks the maps x, the kernels that expand (*some of maps, 1, 1, channels, hidden) and reduce (*some of maps, 1, 1,
// hidden, channels), and returns the size of the former.
Size checked(checks::Call& call, Dimensions x, Dimensions expand, Dimensions expand_bias, Dimensions reduce) {
  const Shape shape = call.maps("x", x);
  const int64_t hidden = call.last<1>("expand", expand)[0];
  call.shared("expand", expand, {1, 1, shape.channels, hidden});
  call.shared("expand_bias", expand_bias, {hidden});
  call.shared("reduce", reduce, {1, 1, hidden, shape.channels});
  return {1, 1, shape.channels, hidden};
}

// x (*maps, height, width, channels), kernels (*some of maps, 1, 1, inputs, outputs), biases (*some of maps, outputs)
template <ffi::DataType D>
ffi::Error feed_forward(ffi::ThreadPool pool, ffi::Buffer<D> x, ffi::Buffer<D> expand, ffi::Buffer<D> expand_bias,
                        ffi::Buffer<D> reduce, ffi::Buffer<D> reduce_bias, ffi::ResultBuffer<D> y) {
  using T = ffi::NativeType<D>;
  checks::Call call("feed_forward");
  const Size expanding = checked(call, x.dimensions(), expand.dimensions(), expand_bias.dimensions(),
                                 reduce.dimensions());
  const Size reducing = expanding.exchanged();
  call.shared("reduce_bias", reduce_bias.dimensions(), {reducing.outputs});
  call.same("y", y->dimensions(), x.dimensions());
  if (call.failed()) return call.error();
  const Shape shape = kernels::shape_of(x.dimensions());
  const rows::Kernels of(expand.dimensions(), shape.maps);
  const auto expansions = rows::laid_out(expanding, of.count, expand.typed_data(), expand_bias.typed_data());
  const auto reductions = rows::laid_out(reducing, of.count, reduce.typed_data(), reduce_bias.typed_data());
  const int64_t pixels = shape.height * shape.width;
  rows::for_each_part(pool, shape.maps, pixels, kTogether, [&] {
    return [&, from = pixels_of<T>(shape.channels), hidden = pixels_of<T>(expanding.outputs),
            to = pixels_of<T>(shape.channels)](
               int64_t, int64_t map, int64_t begin, int64_t end) mutable {
      const int64_t which = map / of.maps_each;
      for (int64_t first = begin; first < end; first += kPixels) {
        const int64_t count = std::min(kPixels, end - first), offset = (map * pixels + first) * shape.channels;
        from.read(x.typed_data() + offset, 0, count);
        product(from, expansions[which], count, hidden);
        gelu<T>(count, hidden, nullptr);
        product(hidden, reductions[which], count, to);
        add(count, from, to);
        to.write(y->typed_data() + offset, 0, count);
      }
    };
  });
  return ffi::Error::Success();
}

// The gradients of `feed_forward`, given the cotangents of y.
template <ffi::DataType D>
ffi::Error feed_forward_gradient(ffi::ThreadPool pool, ffi::Buffer<D> cotangents, ffi::Buffer<D> x,
                                 ffi::Buffer<D> expand,
                                 ffi::Buffer<D> expand_bias, ffi::Buffer<D> reduce, ffi::ResultBuffer<D> of_x,
                                 ffi::ResultBuffer<D> of_expand, ffi::ResultBuffer<D> of_expand_bias,
                                 ffi::ResultBuffer<D> of_reduce, ffi::ResultBuffer<D> of_reduce_bias) {
  using T = ffi::NativeType<D>;
  checks::Call call("feed_forward_gradient");
  const Size expanding = checked(call, x.dimensions(), expand.dimensions(), expand_bias.dimensions(),
                                 reduce.dimensions());
  const Size reducing = expanding.exchanged();
  call.same("cotangents", cotangents.dimensions(), x.dimensions());
  call.same("of_x", of_x->dimensions(), x.dimensions());
  call.same("of_expand", of_expand->dimensions(), expand.dimensions());
  call.same("of_expand_bias", of_expand_bias->dimensions(), expand_bias.dimensions());
  call.same("of_reduce", of_reduce->dimensions(), reduce.dimensions());
  call.shared("of_reduce_bias", of_reduce_bias->dimensions(), {reducing.outputs});
  if (call.failed()) return call.error();
  const Shape shape = kernels::shape_of(x.dimensions());
  const rows::Kernels of(expand.dimensions(), shape.maps);
  const auto expansions = rows::laid_out(expanding, of.count, expand.typed_data(), expand_bias.typed_data());
  const auto back_to_hidden = rows::turned(reducing, of.count, reduce.typed_data());
  const auto back_to_x = rows::turned(expanding, of.count, expand.typed_data());
  const int64_t pixels = shape.height * shape.width, parts = shape.maps * rows::parts_of(pixels, kTogether);
  std::vector<Kernel<T>> expand_cotangents(parts, Kernel<T>(expanding)), reduce_cotangents(parts, Kernel<T>(reducing));
  rows::for_each_part(pool, shape.maps, pixels, kTogether, [&] {
    return [&, from = pixels_of<T>(shape.channels), hidden = pixels_of<T>(expanding.outputs),
            derivatives = pixels_of<T>(expanding.outputs), cotangent = pixels_of<T>(shape.channels),
            hidden_cotangent = pixels_of<T>(expanding.outputs), to = pixels_of<T>(shape.channels)](
               int64_t part, int64_t map, int64_t begin, int64_t end) mutable {
      const int64_t which = map / of.maps_each;
      for (int64_t first = begin; first < end; first += kPixels) {
        const int64_t count = std::min(kPixels, end - first), offset = (map * pixels + first) * shape.channels;
        from.read(x.typed_data() + offset, 0, count);
        cotangent.read(cotangents.typed_data() + offset, 0, count);
        product(from, expansions[which], count, hidden);
        gelu(count, hidden, &derivatives);
        add_kernel_cotangents(hidden, cotangent, count, reduce_cotangents[part]);
        product(cotangent, back_to_hidden[which], count, hidden_cotangent);
        multiply(count, derivatives, hidden_cotangent);
        add_kernel_cotangents(from, hidden_cotangent, count, expand_cotangents[part]);
        product(hidden_cotangent, back_to_x[which], count, to);
        add(count, cotangent, to);
        to.write(of_x->typed_data() + offset, 0, count);
      }
    };
  });
  rows::write_sums(expanding, expand_cotangents, of.count, of_expand->typed_data(), of_expand_bias->typed_data());
  rows::write_sums(reducing, reduce_cotangents, of.count, of_reduce->typed_data(), of_reduce_bias->typed_data());
  return ffi::Error::Success();
}

}  // namespace

DEFINE_KERNEL(feed_forward, feed_forward, 5, 1);
DEFINE_KERNEL(feed_forward_gradient, feed_forward_gradient, 5, 5);
