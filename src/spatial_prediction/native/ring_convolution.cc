// XLA custom calls: what the frame of a padded map adds to its convolution, and its derivative.
//
// A result at pixel (i, j) sees the padded map at (i + a, j + b) for every tap (a, b) of the kernel. Where
// that lies in one of the four strips of the frame, frame times tap is added to the result. Results that see
// the same taps of a strip form runs along it, several of which are computed side by side.

#include "kernels.h"

namespace {

using kernels::kVector;
using kernels::Lined;
using kernels::Vector;
using kernels::vector_at;

constexpr int64_t kPixels = 6;        // results side by side: their sums fill the registers
constexpr int64_t kInputs = 6;        // rows of a tap's gradient side by side
constexpr int64_t kMapsTogether = 4;  // whose gradients of the kernel are added up on the way
constexpr int kStrips = 4;            // top, bottom, left, right

// A tap of the kernel and the pixel of a strip that the first result of a run sees through it.
struct Term {
  int64_t tap, pixel;
};

struct Run {
  int strip;
  int64_t result, result_step, strip_step, count;  // in pixels
  std::vector<Term> terms;
};

struct Geometry {
  int64_t rows, columns, inputs, outputs;  // of the kernel
  int64_t height, width;                   // of the result
  int64_t strip_pixels[kStrips];
  std::vector<Run> runs;

  Geometry(ffi::Span<const int64_t> y, ffi::Span<const int64_t> kernel,
           const ffi::Span<const int64_t> (&strips)[kStrips]) {
    const size_t rank = y.size(), kernel_rank = kernel.size();
    height = y[rank - 3];
    width = y[rank - 2];
    rows = kernel[kernel_rank - 4];
    columns = kernel[kernel_rank - 3];
    inputs = kernel[kernel_rank - 2];
    outputs = kernel[kernel_rank - 1];
    auto size = [&](int strip, size_t axis) { return strips[strip][rank - 3 + axis]; };
    for (int s = 0; s < kStrips; ++s) strip_pixels[s] = size(s, 0) * size(s, 1);
    const int64_t top = size(0, 0), inner = size(2, 0), padded = size(0, 1);
    add_rows(0, 0, size(0, 0), padded);
    add_rows(1, top + inner, size(1, 0), padded);
    add_columns(2, top, inner, 0, size(2, 1));
    add_columns(3, top, inner, padded - size(3, 1), size(3, 1));
  }

 private:
  // Runs along the rows of a strip that begins at row `first` and is as wide as the padded map.
  void add_rows(int strip, int64_t first, int64_t depth, int64_t padded) {
    for (int64_t i = 0; i < height; ++i) {
      Run run{strip, i * width, 1, 1, width, {}};
      for (int64_t a = std::max<int64_t>(0, first - i); a < std::min(rows, first + depth - i); ++a)
        for (int64_t b = 0; b < columns; ++b) run.terms.push_back({a * columns + b, (i + a - first) * padded + b});
      if (!run.terms.empty()) runs.push_back(run);
    }
  }

  // Runs along the columns of a strip that begins at row `top` and column `first`.
  void add_columns(int strip, int64_t top, int64_t inner, int64_t first, int64_t depth) {
    for (int64_t j = 0; j < width; ++j) {
      const int64_t begin = std::max<int64_t>(0, first - j), end = std::min(columns, first + depth - j);
      if (begin >= end) continue;
      for (int64_t i = 0; i < height;) {
        auto taps = [&](int64_t row) {
          return std::make_pair(std::max<int64_t>(0, top - row), std::min(rows, top + inner - row));
        };
        const auto seen = taps(i);
        Run run{strip, i * width + j, width, depth, 0, {}};
        for (int64_t a = seen.first; a < seen.second; ++a)
          for (int64_t b = begin; b < end; ++b)
            run.terms.push_back({a * columns + b, (i + a - top) * depth + j + b - first});
        for (; i < height && taps(i) == seen; ++i) ++run.count;
        if (!run.terms.empty()) runs.push_back(run);
      }
    }
  }
};

inline int64_t whole_vectors(int64_t size) { return (size + kVector - 1) / kVector * kVector; }

template <typename T>
__attribute__((always_inline)) inline void load(const T* from, int64_t lanes, typename Vector<T>::type& value) {
  if (lanes == kVector) {
    value = vector_at(from);
  } else {
    value = typename Vector<T>::type{};
    for (int64_t v = 0; v < lanes; ++v) value[v] = from[v];
  }
}

template <typename T>
__attribute__((always_inline)) inline void store(const typename Vector<T>::type& value, T* to, int64_t lanes) {
  if (lanes == kVector) {
    std::memcpy(to, &value, sizeof(value));
  } else {
    for (int64_t v = 0; v < lanes; ++v) to[v] = value[v];
  }
}

// The kernel with its last axis filled up to whole vectors, as it is or with inputs and outputs exchanged.
template <typename T>
Lined<T> laid_out(const T* kernel, int64_t taps, int64_t inputs, int64_t outputs, bool exchanged) {
  const int64_t from = exchanged ? outputs : inputs, to = exchanged ? inputs : outputs;
  const int64_t stride = whole_vectors(to);
  Lined<T> result(taps * from * stride, T(0));
  for (int64_t tap = 0; tap < taps; ++tap)
    for (int64_t i = 0; i < inputs; ++i)
      for (int64_t o = 0; o < outputs; ++o)
        result[(tap * from + (exchanged ? o : i)) * stride + (exchanged ? i : o)] =
            kernel[(tap * inputs + i) * outputs + o];
  return result;
}

// to[p] += sum over terms and channels of from[term, p, channel] tap[channel], for some pixels p.
template <int64_t pixels, typename T>
__attribute__((always_inline)) inline void add_products(T* to, int64_t to_step, int64_t to_channels, const T* from,
                                                        int64_t from_step, int64_t from_channels,
                                                        const Term* terms, int64_t count, const T* kernel) {
  const int64_t stride = whole_vectors(to_channels);
  for (int64_t first = 0; first < to_channels; first += kVector) {
    const int64_t lanes = std::min(kVector, to_channels - first);
    typename Vector<T>::type sums[pixels];
    for (int64_t p = 0; p < pixels; ++p) load(to + p * to_step * to_channels + first, lanes, sums[p]);
    for (int64_t t = 0; t < count; ++t) {
      const T* values = from + terms[t].pixel * from_channels;
      const T* tap = kernel + terms[t].tap * from_channels * stride + first;
      for (int64_t c = 0; c < from_channels; ++c) {
        const typename Vector<T>::type weights = vector_at(tap + c * stride);
        for (int64_t p = 0; p < pixels; ++p) sums[p] += values[p * from_step * from_channels + c] * weights;
      }
    }
    for (int64_t p = 0; p < pixels; ++p) store(sums[p], to + p * to_step * to_channels + first, lanes);
  }
}

template <typename T>
__attribute__((always_inline)) inline void add_products(T* to, int64_t to_step, int64_t to_channels, const T* from,
                                                        int64_t from_step, int64_t from_channels, int64_t pixels,
                                                        const Term* terms, int64_t count, const T* kernel) {
  int64_t p = 0;
  for (; p + kPixels <= pixels; p += kPixels)
    add_products<kPixels>(to + p * to_step * to_channels, to_step, to_channels,
                          from + p * from_step * from_channels, from_step, from_channels, terms, count, kernel);
  for (; p < pixels; ++p)
    add_products<1>(to + p * to_step * to_channels, to_step, to_channels, from + p * from_step * from_channels,
                    from_step, from_channels, terms, count, kernel);
}

// tap[i] += sum over pixels p of frame[p, i] slope[p], for some inputs i.
template <int64_t inputs, typename T>
__attribute__((always_inline)) inline void add_outer_products(T* tap, int64_t stride, const T* frame,
                                                              int64_t frame_step, const T* slope,
                                                              int64_t slope_step, int64_t pixels, int64_t lanes) {
  typename Vector<T>::type sums[inputs];
  for (int64_t i = 0; i < inputs; ++i) sums[i] = vector_at(tap + i * stride);
  for (int64_t p = 0; p < pixels; ++p) {
    typename Vector<T>::type slopes;
    load(slope + p * slope_step, lanes, slopes);
    for (int64_t i = 0; i < inputs; ++i) sums[i] += frame[p * frame_step + i] * slopes;
  }
  for (int64_t i = 0; i < inputs; ++i) store(sums[i], tap + i * stride, kVector);
}

template <typename T>
FOR_EACH_PROCESSOR void add_ring(const Geometry& of, const T* const* strips, const T* kernel, T* y) {
  for (const Run& run : of.runs)
    add_products(y + run.result * of.outputs, run.result_step, of.outputs, strips[run.strip], run.strip_step,
                 of.inputs, run.count, run.terms.data(), run.terms.size(), kernel);
}

template <typename T>
FOR_EACH_PROCESSOR void add_strip_slopes(const Geometry& of, const T* slopes, const T* exchanged_kernel,
                                         T* const* strips) {
  for (const Run& run : of.runs)
    for (const Term& term : run.terms) {
      const Term back{term.tap, 0};
      add_products(strips[run.strip] + term.pixel * of.inputs, run.strip_step, of.inputs,
                   slopes + run.result * of.outputs, run.result_step, of.outputs, run.count, &back, 1,
                   exchanged_kernel);
    }
}

// kernel (taps, inputs, outputs filled up to whole vectors)
template <typename T>
FOR_EACH_PROCESSOR void add_kernel_slopes(const Geometry& of, const T* const* strips, const T* slopes, T* kernel) {
  const int64_t stride = whole_vectors(of.outputs);
  for (const Run& run : of.runs)
    for (const Term& term : run.terms)
      for (int64_t first = 0; first < of.outputs; first += kVector) {
        const int64_t lanes = std::min(kVector, of.outputs - first);
        const T* frame = strips[run.strip] + term.pixel * of.inputs;
        const T* slope = slopes + run.result * of.outputs + first;
        T* tap = kernel + term.tap * of.inputs * stride + first;
        const int64_t frame_step = run.strip_step * of.inputs, slope_step = run.result_step * of.outputs;
        int64_t i = 0;
        for (; i + kInputs <= of.inputs; i += kInputs)
          add_outer_products<kInputs>(tap + i * stride, stride, frame + i, frame_step, slope, slope_step, run.count,
                                      lanes);
        for (; i < of.inputs; ++i)
          add_outer_products<1>(tap + i * stride, stride, frame + i, frame_step, slope, slope_step, run.count, lanes);
      }
}

// The first axes of `y` are those of the kernel: each kernel has as many maps as the axes between hold.
struct Maps {
  int64_t count, kernels, per_kernel;

  Maps(ffi::Span<const int64_t> y, ffi::Span<const int64_t> kernel) : count(1), kernels(1) {
    for (size_t i = 0; i + 3 < y.size(); ++i) count *= y[i];
    for (size_t i = 0; i + 4 < kernel.size(); ++i) kernels *= kernel[i];
    per_kernel = kernels ? count / kernels : 0;
  }
};

// y (*maps, height, width, outputs), strips (*maps, rows, columns, inputs), kernel (*some of maps, rows,
// columns, inputs, outputs) -> y with the ring added, in its place
template <ffi::DataType D>
ffi::Error ring_convolution(ffi::ThreadPool pool, ffi::Buffer<D> y, ffi::Buffer<D> top, ffi::Buffer<D> bottom,
                            ffi::Buffer<D> left, ffi::Buffer<D> right, ffi::Buffer<D> kernel,
                            ffi::ResultBuffer<D> result) {
  using T = ffi::NativeType<D>;
  const Geometry of(y.dimensions(), kernel.dimensions(),
                    {top.dimensions(), bottom.dimensions(), left.dimensions(), right.dimensions()});
  const Maps maps(y.dimensions(), kernel.dimensions());
  kernels::take_over(y, result);
  const T* strips[] = {top.typed_data(), bottom.typed_data(), left.typed_data(), right.typed_data()};
  const Lined<T> weights =
      laid_out(kernel.typed_data(), maps.kernels * of.rows * of.columns, of.inputs, of.outputs, false);
  kernels::for_each_map(pool, maps.count, [&] {
    return [&](int64_t map) {
      const T* of_map[kStrips];
      for (int s = 0; s < kStrips; ++s) of_map[s] = strips[s] + map * of.strip_pixels[s] * of.inputs;
      add_ring(of, of_map, weights.data() + map / maps.per_kernel * (weights.size() / maps.kernels),
               result->typed_data() + map * of.height * of.width * of.outputs);
    };
  });
  return ffi::Error::Success();
}

// The gradients of `ring_convolution` with respect to strips and kernel, given the slopes of its result.
template <ffi::DataType D>
ffi::Error ring_convolution_gradient(ffi::ThreadPool pool, ffi::Buffer<D> slopes, ffi::Buffer<D> top,
                                     ffi::Buffer<D> bottom, ffi::Buffer<D> left, ffi::Buffer<D> right,
                                     ffi::Buffer<D> kernel, ffi::ResultBuffer<D> of_top,
                                     ffi::ResultBuffer<D> of_bottom, ffi::ResultBuffer<D> of_left,
                                     ffi::ResultBuffer<D> of_right, ffi::ResultBuffer<D> of_kernel) {
  using T = ffi::NativeType<D>;
  const Geometry of(slopes.dimensions(), kernel.dimensions(),
                    {top.dimensions(), bottom.dimensions(), left.dimensions(), right.dimensions()});
  const Maps maps(slopes.dimensions(), kernel.dimensions());
  const T* strips[] = {top.typed_data(), bottom.typed_data(), left.typed_data(), right.typed_data()};
  T* strip_slopes[] = {of_top->typed_data(), of_bottom->typed_data(), of_left->typed_data(),
                       of_right->typed_data()};
  const int64_t taps = of.rows * of.columns;
  const Lined<T> weights =
      laid_out(kernel.typed_data(), maps.kernels * taps, of.inputs, of.outputs, true);
  // Sums over fixed groups of maps, added up in their order: the same for any number of threads.
  const int64_t stride = whole_vectors(of.outputs), size = taps * of.inputs * stride;
  const int64_t groups = (maps.per_kernel + kMapsTogether - 1) / kMapsTogether;
  Lined<T> partial(maps.kernels * groups * size, T(0));
  kernels::for_each_map(pool, maps.kernels * groups, [&] {
    return [&](int64_t group) {
      const int64_t which = group / groups, first = group % groups * kMapsTogether;
      for (int64_t i = first; i < std::min(first + kMapsTogether, maps.per_kernel); ++i) {
        const int64_t map = which * maps.per_kernel + i;
        const T* of_map[kStrips];
        T* slopes_of_map[kStrips];
        for (int s = 0; s < kStrips; ++s) {
          const int64_t length = of.strip_pixels[s] * of.inputs;
          of_map[s] = strips[s] + map * length;
          slopes_of_map[s] = strip_slopes[s] + map * length;
          std::fill(slopes_of_map[s], slopes_of_map[s] + length, T(0));
        }
        const T* slope = slopes.typed_data() + map * of.height * of.width * of.outputs;
        add_strip_slopes(of, slope, weights.data() + which * (weights.size() / maps.kernels), slopes_of_map);
        add_kernel_slopes(of, of_map, slope, partial.data() + group * size);
      }
    };
  });
  for (int64_t which = 0; which < maps.kernels; ++which)
    for (int64_t row = 0; row < taps * of.inputs; ++row) {
      T* to = of_kernel->typed_data() + (which * taps * of.inputs + row) * of.outputs;
      std::fill(to, to + of.outputs, T(0));
      for (int64_t group = 0; group < groups; ++group)
        for (int64_t o = 0; o < of.outputs; ++o)
          to[o] += partial[(which * groups + group) * size + row * stride + o];
    }
  return ffi::Error::Success();
}

}  // namespace

DEFINE_KERNEL(ring_convolution, ring_convolution, 6, 1);
DEFINE_KERNEL(ring_convolution_gradient, ring_convolution_gradient, 6, 5);
