// XLA custom calls: the end of a network that upscales, convolve(x, kernel) + convolve(features, pointwise, bias), where
// the first is an interpolation. Both are summed before anything is written, because the result is the largest map of
// all; it is written as phases, the new pixels of each old one as channels (colour, row, column), as pixels, or as
// samples of a file.

#include <limits>

#include "framed_maps.h"

namespace {

using namespace framed;
using kernels::kVector;
using rows::Kernel;
using rows::Registers;
using rows::Size;

// Windows of x and pixels of features, with the kernels of both.
struct Both {
  template <int64_t bytes, typename T>
  ALWAYS_INLINE static void run(const Row<T>* const* x, const Kernel<T>& kernel, const Row<T>* const* features,
                                const Kernel<T>& pointwise, int64_t count, Row<T>& to) {
    constexpr int64_t most = Registers<T, bytes>::kSums;
    for (int64_t block = 0; block < rows::blocks_of(kernel.size.outputs); ++block)
      for (int64_t first = 0; first < count; first += most) {
        rows::Sums<most, bytes, T> sums;
        sums.load(pointwise.bias.data() + block * kVector, 0);
        rows::add_window<bytes>(x, kernel, block, first, sums);
        rows::add_window<bytes>(features, pointwise, block, first, sums);
        sums.store(to.block(block) + first * kVector);
      }
  }
};

// x (*maps, height + rows - 1, width + columns - 1, inputs), kernel (*some of maps, rows, columns, inputs, outputs),
// features (*maps, height, width, channels), pointwise (*some of maps, 1, 1, channels, outputs), bias (*some of maps,
// outputs)
template <ffi::DataType D>
struct Operands {
  using T = ffi::NativeType<D>;
  ffi::Buffer<D> x, kernel, features, pointwise, bias;
  Shape of_x, of_features;
  Size size;

  Operands(checks::Call& call, ffi::Buffer<D> x, ffi::Buffer<D> kernel, ffi::Buffer<D> features,
           ffi::Buffer<D> pointwise, ffi::Buffer<D> bias)
      : x(x), kernel(kernel), features(features), pointwise(pointwise), bias(bias) {
    of_x = call.maps("x", x.dimensions());
    const auto sizes = call.last<4>("kernel", kernel.dimensions());
    size = {sizes[0], sizes[1], sizes[2], sizes[3]};
    of_features = {of_x.maps, of_x.height - size.rows + 1, of_x.width - size.columns + 1,
                   call.last<1>("features", features.dimensions())[0]};
    call.shared("kernel", kernel.dimensions(), {size.rows, size.columns, of_x.channels, size.outputs});
    call.require(of_features.height > 0 && of_features.width > 0, "x is smaller than the kernel");
    call.of_maps("features", features.dimensions(), {of_features.height, of_features.width, of_features.channels});
    call.shared("pointwise", pointwise.dimensions(), {1, 1, of_features.channels, size.outputs});
    call.shared("bias", bias.dimensions(), {size.outputs});
  }

  // Calls write(map, row, phases of the row) for all rows; `begin` makes the `write` of a thread.
  template <typename Begin>
  void for_each_row(ffi::ThreadPool& pool, const Begin& begin) const {
    const rows::Kernels kernels(kernel.dimensions(), of_x.maps);
    const Lined<T> no_bias(kernels.count * size.outputs, T(0));
    const auto of_windows = rows::laid_out(size, kernels.count, kernel.typed_data(), no_bias.data());
    const auto of_pixels = rows::laid_out({1, 1, of_features.channels, size.outputs}, kernels.count,
                                          pointwise.typed_data(), bias.typed_data());
    const FramedMaps<const T> windows_of{of_x, {}, x.typed_data(), {}};
    const FramedMaps<const T> pixels_of{of_features, {}, features.typed_data(), {}};
    rows::for_each_part(pool, of_x.maps, of_features.height, kRows, [&] {
      return [&, windows = Window<T>(windows_of, size.rows, size.columns), pixels = Window<T>(pixels_of, 1, 0),
              result = Row<T>(size.outputs, columns_for(of_features.width), of_features.width),
              write = begin()](int64_t, int64_t map, int64_t first, int64_t last) mutable {
        const int64_t which = map / kernels.maps_each;
        for (int64_t row = first; row < last; ++row) {
          kernels::run<Both>(windows.at(map, row), of_windows[which], pixels.at(map, row), of_pixels[which],
                             of_features.width, result);
          write(map, row, result);
        }
      };
    });
  }
};

// -> y (*maps, height, width, outputs)
template <ffi::DataType D>
ffi::Error upscaled_phases(ffi::ThreadPool pool, ffi::Buffer<D> x, ffi::Buffer<D> kernel, ffi::Buffer<D> features,
                           ffi::Buffer<D> pointwise, ffi::Buffer<D> bias, ffi::ResultBuffer<D> y) {
  checks::Call call("upscaled_phases");
  const Operands<D> given(call, x, kernel, features, pointwise, bias);
  const int64_t height = given.of_features.height, width = given.of_features.width;
  call.of_maps("y", y->dimensions(), {height, width, given.size.outputs});
  if (call.failed()) return call.error();
  given.for_each_row(pool, [&] {
    return [&](int64_t map, int64_t row, auto& phases) {
      phases.write(y->typed_data() + (map * height + row) * width * given.size.outputs, 0, width);
    };
  });
  return ffi::Error::Success();
}

// Writes the phases of a row of pixels as `factor` rows of new pixels. Sizes that are known when this is compiled save
// most of the time.
template <int64_t known_factor, int64_t known_colours, typename T>
void interleave(Row<T>& phases, int64_t width, int64_t factor, int64_t colours, T* to) {
  if (known_factor) factor = known_factor, colours = known_colours;
  for (int64_t w = 0; w < width; ++w)
    for (int64_t a = 0; a < factor; ++a)
      for (int64_t b = 0; b < factor; ++b)
        for (int64_t c = 0; c < colours; ++c) {
          const int64_t o = (c * factor + a) * factor + b;
          to[((a * width + w) * factor + b) * colours + c] = phases.block(o / kVector)[w * kVector + o % kVector];
        }
}

// -> y (*maps, factor * height, factor * width, colours)
template <ffi::DataType D>
ffi::Error upscaled_pixels(ffi::ThreadPool pool, Dimensions factors, ffi::Buffer<D> x, ffi::Buffer<D> kernel,
                           ffi::Buffer<D> features, ffi::Buffer<D> pointwise, ffi::Buffer<D> bias,
                           ffi::ResultBuffer<D> y) {
  using T = ffi::NativeType<D>;
  checks::Call call("upscaled_pixels");
  const Operands<D> given(call, x, kernel, features, pointwise, bias);
  const int64_t height = given.of_features.height, width = given.of_features.width;
  call.integers("factor", factors, 1, 1, checks::kFarthest);
  if (call.failed()) return call.error();
  const int64_t factor = factors[0], phases_each = factor * factor;
  const int64_t colours = call.template last<1>("y", y->dimensions())[0];
  call.require(colours * phases_each == given.size.outputs, "outputs are not factor x factor for each colour");
  call.of_maps("y", y->dimensions(), {factor * height, factor * width, colours});
  if (call.failed()) return call.error();
  given.for_each_row(pool, [&] {
    return [&](int64_t map, int64_t row, auto& phases) {
      T* const to = y->typed_data() + (map * height + row) * width * given.size.outputs;
      if (factor == 4 && colours == 3) {
        interleave<4, 3>(phases, width, factor, colours, to);
      } else {
        interleave<0, 0>(phases, width, factor, colours, to);
      }
    };
  });
  return ffi::Error::Success();
}

constexpr int64_t kFactor = 4;  // of samples: the phases of a colour fill a vector

// How samples of a file are made of a network's output, and what they can hold.
struct Limits {
  float scale, offset, lowest, highest;
};

// Rounds vectors of values and limits them to what samples can hold. What is not a number becomes the lowest sample.
template <int64_t bytes>
struct Rounding {
  using Value = typename Registers<float, bytes>::Register;
  using Whole = typename Registers<int32_t, bytes>::Register;

  explicit Rounding(const Limits& limits)
      : scale(limits.scale), offset(limits.offset), lowest(Value{} + limits.lowest), highest(Value{} + limits.highest) {}

  // Returns where the value was beyond the limits: not zero.
  ALWAYS_INLINE Whole round(Value& value) const {
    constexpr float no_fraction = 1.5f * (1 << 23);  // added, it leaves none
    const Value least = lowest - 1.0f, greatest = highest + 1.0f;
    Value rounded = (value + offset) * scale;
    rounded = rounded > least ? rounded : least;
    rounded = rounded < greatest ? rounded : greatest;
    rounded = (rounded + no_fraction) - no_fraction;
    value = rounded < lowest ? lowest : rounded;
    value = value > highest ? highest : value;
    return (Whole)(rounded - value);
  }

  float scale, offset;
  Value lowest, highest;
};

// Makes samples of the phases of a row, each colour a block of phases: to[colour][row of new pixels][column]. Where a
// pixel's mask is zero they are `nodata`. Sets `beyond` to whether any was beyond the limits.
struct Encode {
  template <int64_t bytes, typename S>
  ALWAYS_INLINE static void run(Row<float>& phases, int64_t width, const float* masks, const Limits& limits, S nodata,
                                S* to, int64_t colour_step, bool& beyond) {
    using In = Registers<float, bytes>;
    using Whole = typename Rounding<bytes>::Whole;
    typedef S Made __attribute__((vector_size(In::kLanes * sizeof(S)), aligned(sizeof(S)), may_alias));
    const Rounding<bytes> rounding(limits);
    Whole changed{};
    for (int64_t c = 0; c < rows::blocks_of(phases.channels); ++c) {
      const float* values = phases.block(c);
      for (int64_t w = 0; w < width; ++w, values += kVector) {
        S made[kVector];
        for (int64_t lane = 0; lane < kVector; lane += In::kLanes) {
          auto value = In::at(values + lane);
          changed |= rounding.round(value);
          // by way of 32 bits, for which processors have instructions
          const Whole whole = __builtin_convertvector(value, Whole);
          *reinterpret_cast<Made*>(made + lane) = __builtin_convertvector(whole, Made);
        }
        if (masks[2 * w] == 0) std::fill_n(made, kVector, nodata);
        for (int64_t a = 0; a < kFactor; ++a)
          std::memcpy(to + c * colour_step + (a * width + w) * kFactor, made + a * kFactor, kFactor * sizeof(S));
      }
    }
    beyond = false;
    for (int64_t i = 0; i < In::kLanes; ++i) beyond = beyond || changed[i];
  }
};

// Counts the new pixels of a row, where both masks are not zero, that have a sample beyond the limits.
struct CountLimited {
  template <int64_t bytes>
  ALWAYS_INLINE static void run(Row<float>& phases, int64_t width, const float* masks, const Limits& limits,
                                int32_t& count) {
    using In = Registers<float, bytes>;
    using Whole = typename Rounding<bytes>::Whole;
    const Rounding<bytes> rounding(limits);
    Whole counts{};
    for (int64_t w = 0; w < width; ++w) {
      if (masks[2 * w] == 0 || masks[2 * w + 1] == 0) continue;
      for (int64_t lane = 0; lane < kVector; lane += In::kLanes) {
        Whole changed{};
        for (int64_t c = 0; c < rows::blocks_of(phases.channels); ++c) {
          auto value = In::at(phases.block(c) + w * kVector + lane);
          changed |= rounding.round(value);
        }
        counts -= changed != 0;  // which is -1
      }
    }
    count = 0;
    for (int64_t i = 0; i < In::kLanes; ++i) count += counts[i];
  }
};

// masks (*maps, height, width, 2): whether a pixel is valid, and whether it is counted -> samples (*maps, colours,
// factor * height, factor * width) of (value + offset) * scale, and how many of the counted new pixels have a sample
// that was limited (*maps)
template <ffi::DataType S>
ffi::Error upscaled_samples(ffi::ThreadPool pool, Dimensions factors, double scale, double offset, double lowest,
                            double highest, double nodata, ffi::Buffer<ffi::F32> x, ffi::Buffer<ffi::F32> kernel,
                            ffi::Buffer<ffi::F32> features, ffi::Buffer<ffi::F32> pointwise,
                            ffi::Buffer<ffi::F32> bias, ffi::Buffer<ffi::F32> masks, ffi::ResultBuffer<S> samples,
                            ffi::ResultBuffer<ffi::S32> limited) {
  using Sample = ffi::NativeType<S>;
  checks::Call call("upscaled_samples");
  const Operands<ffi::F32> given(call, x, kernel, features, pointwise, bias);
  const int64_t maps = given.of_x.maps, height = given.of_features.height, width = given.of_features.width;
  call.of_maps("masks", masks.dimensions(), {height, width, 2});
  call.integers("factor", factors, 1, 1, kVector);
  for (double limit : {lowest, highest, nodata})
    call.require(std::numeric_limits<Sample>::min() <= limit && limit <= std::numeric_limits<Sample>::max(),
                 "attributes lowest, highest and nodata must be samples");
  if (call.failed()) return call.error();
  const int64_t colours = given.size.outputs / kVector;
  call.require(factors[0] == kFactor && colours * kVector == given.size.outputs,
               "outputs are not 4 x 4 for each colour, with factor 4");
  call.of_maps("samples", samples->dimensions(), {colours, kFactor * height, kFactor * width});
  call.of_maps("limited", limited->dimensions(), {});
  if (call.failed()) return call.error();
  std::vector<std::atomic<int32_t>> counts(maps);
  const Limits limits{float(scale), float(offset), float(lowest), float(highest)};
  given.for_each_row(pool, [&] {
    return [&](int64_t map, int64_t row, auto& phases) {
      const float* const mask = masks.typed_data() + (map * height + row) * width * 2;
      Sample* const to = samples->typed_data() + (map * colours * height + row) * width * kVector;
      bool beyond;
      kernels::run<Encode>(phases, width, mask, limits, static_cast<Sample>(nodata), to, height * width * kVector,
                           beyond);
      if (beyond) {
        int32_t count;
        kernels::run<CountLimited>(phases, width, mask, limits, count);
        counts[map] += count;
      }
    };
  });
  std::copy(counts.begin(), counts.end(), limited->typed_data());
  return ffi::Error::Success();
}

}  // namespace

#define FACTOR .Attr<ffi::Span<const int64_t>>("factor")

DEFINE_KERNEL(upscaled_phases, upscaled_phases, 5, 1);
DEFINE_KERNEL(upscaled_pixels, upscaled_pixels, 5, 1, FACTOR);

#define DEFINE_SAMPLES(name, S, dtype)                                                                         \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(name##_##dtype, name<S>,                                                       \
                                (kernels::with_buffers<ffi::F32, 6, 0>(ffi::Ffi::Bind()                        \
                                    .Ctx<ffi::ThreadPool>() FACTOR.Attr<double>("scale").Attr<double>("offset") \
                                    .Attr<double>("lowest").Attr<double>("highest").Attr<double>("nodata"))    \
                                     .Ret<ffi::Buffer<S>>().Ret<ffi::Buffer<ffi::S32>>()))

DEFINE_SAMPLES(upscaled_samples, ffi::U16, uint16);
DEFINE_SAMPLES(upscaled_samples, ffi::S16, int16);
