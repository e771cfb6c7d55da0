// XLA custom calls: the convolution of maps in a frame, and its derivatives.
//
// The frame is four strips of predicted pixels, or zeros. Rows of the framed map are assembled as they are
// needed, as many at a time as the kernel has rows: no padded map is made.

#include "checks.h"
#include "row_products.h"
#include "winograd.h"

namespace {

using kernels::Shape;
using rows::columns_for;
using rows::Kernel;
using rows::Row;
using rows::Size;
using checks::Dimensions;

constexpr int64_t kRows = 24;  // rows of results that one thread computes at a time, and sums the gradients of
enum Side { kTop, kBottom, kLeft, kRight };
constexpr int kSides = 4;

// Maps and the strips around each, top and bottom with corners. Null strips are zeros when read, and are not written.
template <typename T>
struct FramedMaps {
  Shape shape;
  int64_t widths[kSides];
  T* maps;
  T* strips[kSides];

  int64_t rows() const { return widths[kTop] + shape.height + widths[kBottom]; }
  int64_t columns() const { return widths[kLeft] + shape.width + widths[kRight]; }

  // Calls visit(pixels or null, first column, count) for each stretch of a row of a framed map.
  template <typename Visit>
  void for_each_stretch(int64_t map, int64_t row, const Visit& visit) const {
    const int64_t inner = row - widths[kTop], left = widths[kLeft], right = widths[kRight];
    if (inner < 0) return visit(at(strips[kTop], map * widths[kTop] + row, columns()), 0, columns());
    if (inner >= shape.height)
      return visit(at(strips[kBottom], map * widths[kBottom] + inner - shape.height, columns()), 0, columns());
    const int64_t here = map * shape.height + inner;
    if (left) visit(at(strips[kLeft], here, left), 0, left);
    visit(at(maps, here, shape.width), left, shape.width);
    if (right) visit(at(strips[kRight], here, right), left + shape.width, right);
  }

 private:
  T* at(T* pixels, int64_t row, int64_t columns) const {
    return pixels ? pixels + row * columns * shape.channels : nullptr;
  }
};

// Rows of framed maps that are used together, moving down.
template <typename T>
class Window {
 public:
  Window(const FramedMaps<const T>& from, int64_t rows, int64_t kernel_columns)
      : from_(from),
        held_(rows, Row<T>(from.shape.channels, columns_for(from.columns()) + kernel_columns)),
        ordinary_(rows),
        seen_(rows) {}

  // Rows from `row` of the map on, zeros below its last; cheap if the previous call was for rows shortly above.
  const Row<T>* const* at(int64_t map, int64_t row) {
    const int64_t count = held_.size();
    const bool goes_on = map == map_ && row > row_ && row < row_ + count;
    for (int64_t r = goes_on ? row_ + count : row; r < row + count; ++r) {
      Row<T>& held = held_[r % count];
      if (r < from_.rows()) {
        from_.for_each_stretch(map, r, [&](const T* pixels, int64_t first, int64_t columns) {
          held.read(pixels, first, columns);
        });
      } else {
        held.read(nullptr, 0, from_.columns());
      }
      if constexpr (std::is_same_v<T, float>) ordinary_[r % count] = winograd::ordinary(held);
    }
    for (int64_t a = 0; a < count; ++a) seen_[a] = &held_[(row + a) % count];
    map_ = map;
    row_ = row;
    return seen_.data();
  }

  // Whether minimal filtering may compute with all of them.
  bool ordinary() const { return std::all_of(ordinary_.begin(), ordinary_.end(), [](char each) { return each; }); }

 private:
  const FramedMaps<const T>& from_;
  std::vector<Row<T>> held_;
  std::vector<char> ordinary_;
  std::vector<const Row<T>*> seen_;
  int64_t map_ = -1, row_ = -1;
};

template <typename T>
void convolve(ffi::ThreadPool& pool, const FramedMaps<const T>& from, const std::vector<Kernel<T>>& kernels,
              const FramedMaps<T>& to) {
  if (kernels.empty()) return;
  const int64_t maps_each = to.shape.maps / kernels.size();
  const Size& size = kernels[0].size;
  const bool in_bands = winograd::suits<T>(size, to.rows(), to.columns());
  const int64_t together = in_bands ? winograd::kTile : 1;
  std::vector<winograd::Kernel> transformed;
  if constexpr (std::is_same_v<T, float>)
    if (in_bands) transformed = std::vector<winograd::Kernel>(kernels.begin(), kernels.end());
  rows::for_each_part(pool, to.shape.maps, to.rows(), kRows, [&] {
    return [&, window = Window<T>(from, size.rows + together - 1, size.columns),
            results = std::vector<Row<T>>(together, Row<T>(size.outputs, columns_for(to.columns()))),
            bands = winograd::Bands(size)](int64_t, int64_t map, int64_t first, int64_t last) mutable {
      for (int64_t row = first; row < last; row += together) {
        const auto seen = window.at(map, row);
        const int64_t which = map / maps_each, count = std::min(together, last - row);
        bool done = false;
        if constexpr (std::is_same_v<T, float>)
          if ((done = in_bands && window.ordinary()))
            bands.convolve(seen, transformed[which], to.columns(), results.data());
        for (int64_t r = 0; r < count; ++r) {
          if (!done) kernels::run<rows::Products>(seen + r, kernels[which], to.columns(), results[r]);
          to.for_each_stretch(map, row + r, [&](T* pixels, int64_t column, int64_t columns) {
            if (pixels) results[r].write(pixels, column, columns);
          });
        }
      }
    };
  });
}

template <typename T, typename... Strips>
FramedMaps<T> in_frame(Dimensions shape, Dimensions widths, T* maps, Strips*... strips) {
  return {kernels::shape_of(shape), {widths[0], widths[1], widths[2], widths[3]}, maps, {strips...}};
}

// The strips of zeros have no elements.
template <typename Buffer>
auto or_null(Buffer& strip) {
  return strip.element_count() ? strip.typed_data() : nullptr;
}

// Operands of all three kernels: maps x (*maps, height, width, inputs), strips of their frame or empty ones, and a
// kernel (*some of maps, rows, columns, inputs, outputs).
struct Given {
  Size kernel;
  int64_t rows, columns;  // of the framed map

  Given(checks::Call& call, Dimensions widths, Dimensions x, const Dimensions (&strips)[kSides], Dimensions weights) {
    const char* const names[] = {"top", "bottom", "left", "right"};
    const Shape shape = call.maps("x", x);
    const auto sizes = call.last<4>("kernel", weights);
    kernel = {sizes[0], sizes[1], sizes[2], sizes[3]};
    call.shared("kernel", weights, {kernel.rows, kernel.columns, shape.channels, kernel.outputs});
    call.integers("widths", widths, kSides, 0, checks::kFarthest);
    if (call.failed()) return;
    rows = widths[kTop] + shape.height + widths[kBottom];
    columns = widths[kLeft] + shape.width + widths[kRight];
    for (int s = 0; s < kSides; ++s) {
      const bool across = s == kLeft || s == kRight;
      if (!std::count(strips[s].begin(), strips[s].end(), 0))
        call.of_maps(names[s], strips[s],
                     {across ? shape.height : widths[s], across ? widths[s] : columns, shape.channels});
    }
  }

  // Checks y (*maps, out_height, out_width, outputs), or its cotangents.
  void check_result(checks::Call& call, const char* operand, Dimensions y) const {
    call.of_maps(operand, y, {rows - kernel.rows + 1, columns - kernel.columns + 1, kernel.outputs});
  }
};

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
  std::vector<Kernel<T>> partial(of.shape.maps * rows::parts_of(of.rows(), kRows), Kernel<T>(size));
  rows::for_each_part(pool, of.shape.maps, of.rows(), kRows, [&] {
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
