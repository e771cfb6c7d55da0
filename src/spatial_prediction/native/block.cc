// XLA custom call: a block of a network, the convolution of maps in a frame followed by the feed-forward part, row by row:
// what lies between them does not travel to memory. Without a derivative, which needs it.

#include "convolution.h"
#include "feed_forward.h"

namespace {

using namespace framed;

// As for `convolution`, and kernels expand (*some of maps, 1, 1, outputs, hidden) and reduce (*some of maps, 1, 1,
// hidden, outputs) with their biases -> y (*maps, height, width, outputs)
template <ffi::DataType D>
ffi::Error block(ffi::ThreadPool pool, Dimensions widths, ffi::Buffer<D> x, ffi::Buffer<D> top, ffi::Buffer<D> bottom,
                 ffi::Buffer<D> left, ffi::Buffer<D> right, ffi::Buffer<D> kernel, ffi::Buffer<D> bias,
                 ffi::Buffer<D> expand, ffi::Buffer<D> expand_bias, ffi::Buffer<D> reduce, ffi::Buffer<D> reduce_bias,
                 ffi::ResultBuffer<D> y) {
  using T = ffi::NativeType<D>;
  checks::Call call("block");
  const Given given(call, widths, x.dimensions(),
                    {top.dimensions(), bottom.dimensions(), left.dimensions(), right.dimensions()},
                    kernel.dimensions());
  const int64_t outputs = given.kernel.outputs, hidden = call.last<1>("expand", expand.dimensions())[0];
  call.shared("bias", bias.dimensions(), {outputs});
  call.shared("expand", expand.dimensions(), {1, 1, outputs, hidden});
  call.shared("expand_bias", expand_bias.dimensions(), {hidden});
  call.shared("reduce", reduce.dimensions(), {1, 1, hidden, outputs});
  call.shared("reduce_bias", reduce_bias.dimensions(), {outputs});
  given.check_result(call, "y", y->dimensions());
  if (call.failed()) return call.error();
  const auto from = in_frame<const T>(x.dimensions(), widths, x.typed_data(), or_null(top), or_null(bottom),
                                      or_null(left), or_null(right));
  const auto to = FramedMaps<T>{kernels::shape_of(y->dimensions()), {}, y->typed_data(), {}};
  const rows::Kernels of(kernel.dimensions(), to.shape.maps);
  const auto begin = [&] {
    auto expansions = rows::laid_out({1, 1, outputs, hidden}, of.count, expand.typed_data(), expand_bias.typed_data());
    auto reductions = rows::laid_out({1, 1, hidden, outputs}, of.count, reduce.typed_data(), reduce_bias.typed_data());
    return [&, expansions = std::move(expansions), reductions = std::move(reductions),
            some = pixelwise::Pixels<T>(hidden)](int64_t map, Row<T>& results) mutable {
      const int64_t which = map / of.maps_each;
      some.replace(results, to.columns(), expansions[which], reductions[which]);
    };
  };
  convolve(pool, from, rows::laid_out(given.kernel, of.count, kernel.typed_data(), bias.typed_data()), to, begin);
  return ffi::Error::Success();
}

}  // namespace

DEFINE_KERNEL(block, block, 11, 1, .Attr<ffi::Span<const int64_t>>("widths"));
