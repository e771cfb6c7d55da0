// XLA custom calls: the pixelwise feed-forward part of a network, x + reduce(GELU(expand(x))), and its derivative.

#include "feed_forward.h"

#include "checks.h"

namespace {

using namespace pixelwise;
using checks::Dimensions;
using kernels::Shape;
using rows::Size;

constexpr int64_t kTogether = 1152;  // pixels that one thread computes at a time, and sums the gradients of

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
    return [&, some = pixels_of<T>(shape.channels), part = Pixels<T>(expanding.outputs)](
               int64_t, int64_t map, int64_t begin, int64_t end) mutable {
      const int64_t which = map / of.maps_each;
      for (int64_t first = begin; first < end; first += kPixels) {
        const int64_t count = std::min(kPixels, end - first), offset = (map * pixels + first) * shape.channels;
        some.read(x.typed_data() + offset, 0, count);
        part.replace(some, count, expansions[which], reductions[which]);
        some.write(y->typed_data() + offset, 0, count);
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
  const auto given = backwards(expanding, of.count, expand.typed_data(), expand_bias.typed_data(), reduce.typed_data());
  const int64_t pixels = shape.height * shape.width, parts = shape.maps * rows::parts_of(pixels, kTogether);
  Lined<Kernel<T>> expand_cotangents(parts, Kernel<T>(expanding)), reduce_cotangents(parts, Kernel<T>(reducing));
  rows::for_each_part(pool, shape.maps, pixels, kTogether, [&] {
    return [&, some = PixelGradients<T>(shape.channels, expanding.outputs)](int64_t part, int64_t map, int64_t begin,
                                                                            int64_t end) mutable {
      for (int64_t first = begin; first < end; first += kPixels) {
        const int64_t count = std::min(kPixels, end - first), offset = (map * pixels + first) * shape.channels;
        some.from.read(x.typed_data() + offset, 0, count);
        some.cotangent.read(cotangents.typed_data() + offset, 0, count);
        some.compute(count, given[map / of.maps_each], &expand_cotangents[part], &reduce_cotangents[part]);
        some.to.write(of_x->typed_data() + offset, 0, count);
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
