// XLA custom calls: the convolution of maps in a frame, and its derivatives.

#include "convolution.h"

namespace {

using namespace framed;
// x (*maps, height, width, inputs), strips of its frame or empty ones for zeros, kernel (*some of maps, rows,
// columns, inputs, outputs), bias (*some of maps, outputs) -> y (*maps, height, width, outputs)
template <ffi::DataType D>
ffi::Error convolution(ffi::ThreadPool pool, Dimensions widths, ffi::Buffer<D> x, ffi::Buffer<D> top,
                       ffi::Buffer<D> bottom, ffi::Buffer<D> left, ffi::Buffer<D> right, ffi::Buffer<D> kernel,
                       ffi::Buffer<D> bias, ffi::ResultBuffer<D> y) {
  using T = ffi::NativeType<D>;
  checks::Call call("convolution");
  const Given given(call, widths, x.dimensions(),
                    {top.dimensions(), bottom.dimensions(), left.dimensions(), right.dimensions()},
                    kernel.dimensions());
  call.shared("bias", bias.dimensions(), {given.kernel.outputs});
  given.check_result(call, "y", y->dimensions());
  if (call.failed()) return call.error();
  const auto from = in_frame<const T>(x.dimensions(), widths, x.typed_data(), or_null(top), or_null(bottom),
                                      or_null(left), or_null(right));
  const auto to = FramedMaps<T>{kernels::shape_of(y->dimensions()), {}, y->typed_data(), {}};
  const rows::Kernels kernels(kernel.dimensions(), to.shape.maps);
  convolve(pool, from, rows::laid_out(given.kernel, kernels.count, kernel.typed_data(), bias.typed_data()), to);
  return ffi::Error::Success();
}

// The gradient with respect to x and the strips, given the cotangents of y: a convolution of the cotangents with zeros
// around them. `margins` are the widths of these zeros; without a frame, only those that the gradient of x needs.
template <ffi::DataType D>
ffi::Error convolution_map_gradient(ffi::ThreadPool pool, Dimensions widths, Dimensions margins,
                                    ffi::Buffer<D> cotangents, ffi::Buffer<D> kernel, ffi::ResultBuffer<D> x,
                                    ffi::ResultBuffer<D> top, ffi::ResultBuffer<D> bottom, ffi::ResultBuffer<D> left,
                                    ffi::ResultBuffer<D> right) {
  using T = ffi::NativeType<D>;
  checks::Call call("convolution_map_gradient");
  const Given given(call, widths, x->dimensions(),
                    {top->dimensions(), bottom->dimensions(), left->dimensions(), right->dimensions()},
                    kernel.dimensions());
  call.integers("margins", margins, kSides, 0, checks::kFarthest);
  if (call.failed()) return call.error();
  call.of_maps("cotangents", cotangents.dimensions(),
               {given.rows + given.kernel.rows - 1 - margins[kTop] - margins[kBottom],
                given.columns + given.kernel.columns - 1 - margins[kLeft] - margins[kRight], given.kernel.outputs});
  if (call.failed()) return call.error();
  const auto from = in_frame<const T>(cotangents.dimensions(), margins, cotangents.typed_data());
  const auto to = in_frame<T>(x->dimensions(), widths, x->typed_data(), or_null(*top), or_null(*bottom),
                              or_null(*left), or_null(*right));
  const rows::Kernels kernels(kernel.dimensions(), to.shape.maps);
  convolve(pool, from, rows::turned(given.kernel, kernels.count, kernel.typed_data()), to);
  return ffi::Error::Success();
}

// The gradient with respect to kernel and bias, given the cotangents of y.
template <ffi::DataType D>
ffi::Error convolution_kernel_gradient(ffi::ThreadPool pool, Dimensions widths, ffi::Buffer<D> cotangents,
                                       ffi::Buffer<D> x, ffi::Buffer<D> top, ffi::Buffer<D> bottom,
                                       ffi::Buffer<D> left, ffi::Buffer<D> right, ffi::ResultBuffer<D> kernel,
                                       ffi::ResultBuffer<D> bias) {
  using T = ffi::NativeType<D>;
  checks::Call call("convolution_kernel_gradient");
  const Given given(call, widths, x.dimensions(),
                    {top.dimensions(), bottom.dimensions(), left.dimensions(), right.dimensions()},
                    kernel->dimensions());
  call.shared("bias", bias->dimensions(), {given.kernel.outputs});
  given.check_result(call, "cotangents", cotangents.dimensions());
  if (call.failed()) return call.error();
  const auto from = in_frame<const T>(x.dimensions(), widths, x.typed_data(), or_null(top), or_null(bottom),
                                      or_null(left), or_null(right));
  const auto of = FramedMaps<const T>{kernels::shape_of(cotangents.dimensions()), {}, cotangents.typed_data(), {}};
  const rows::Kernels kernels(kernel->dimensions(), of.shape.maps);
  const Size& size = given.kernel;
  const bool in_bands = winograd::suits<T>(size, of.rows(), of.columns());
  const int64_t together = in_bands ? winograd::kTile : 1;
  Lined<Kernel<T>> partial(of.shape.maps * rows::parts_of(of.rows(), kSummedRows), Kernel<T>(size));
  rows::for_each_part(pool, of.shape.maps, of.rows(), kSummedRows, [&] {
    return [&, window = Window<T>(from, size.rows + together - 1, size.columns),
            cotangents = Window<T>(of, together, 0), bands = winograd::Bands(size),
            transformed = winograd::Kernel(size)](int64_t part, int64_t map, int64_t first, int64_t last) mutable {
      transformed.clear();
      for (int64_t row = first; row < last; row += together) {
        const auto seen = window.at(map, row), given = cotangents.at(map, row);
        bool done = false;
        if constexpr (std::is_same_v<T, float>)
          if ((done = in_bands && window.ordinary() && cotangents.ordinary()))
            bands.add_gradient(seen, given, of.columns(), transformed);
        const int64_t left = done ? 0 : std::min(together, last - row);
        for (int64_t r = 0; r < left; ++r)
          kernels::run<rows::AddKernelGradient>(seen + r, *given[r], of.columns(), partial[part]);
      }
      if constexpr (std::is_same_v<T, float>)
        if (in_bands) transformed.add_to(partial[part]);
    };
  });
  rows::write_sums(size, partial, kernels.count, kernel->typed_data(), bias->typed_data());
  return ffi::Error::Success();
}

}  // namespace

#define WIDTHS .Attr<ffi::Span<const int64_t>>("widths")

DEFINE_KERNEL(convolution, convolution, 7, 1, WIDTHS);
DEFINE_KERNEL(convolution_map_gradient, convolution_map_gradient, 2, 5,
              WIDTHS.Attr<ffi::Span<const int64_t>>("margins"));
DEFINE_KERNEL(convolution_kernel_gradient, convolution_kernel_gradient, 6, 2, WIDTHS);
