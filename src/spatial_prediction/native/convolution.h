// The convolution of maps in a frame.
//
// The frame is four strips of predicted pixels, or zeros. Rows of the framed map are assembled as they are
// needed, as many at a time as the kernel has rows: no padded map is made.

#pragma once

#include "framed_maps.h"

namespace framed {

using rows::Kernel;
using rows::Size;

// Convolves framed maps. `begin` makes the `finish(map, row of results)` of a thread, which may change them.
template <typename T, typename Begin>
void convolve(ffi::ThreadPool& pool, const FramedMaps<const T>& from, const Lined<Kernel<T>>& kernels,
              const FramedMaps<T>& to, const Begin& begin) {
  if (kernels.empty()) return;
  const int64_t maps_each = to.shape.maps / kernels.size();
  const Size& size = kernels[0].size;
  const bool in_bands = winograd::suits<T>(size, to.rows(), to.columns());
  const int64_t together = in_bands ? winograd::kTile : 1;
  rows::for_each_part(pool, to.shape.maps, to.rows(), kRows, [&] {
    Lined<winograd::Kernel> transformed;  // by each thread, for which to read another's would take longer
    if constexpr (std::is_same_v<T, float>)
      if (in_bands) transformed = Lined<winograd::Kernel>(kernels.begin(), kernels.end());
    return [&, transformed = std::move(transformed), window = Window<T>(from, size.rows + together - 1, size.columns),
            results = rows::equal_rows<T>(together, size.outputs, columns_for(to.columns()), to.columns()),
            bands = winograd::Bands(size),
            finish = begin()](int64_t, int64_t map, int64_t first, int64_t last) mutable {
      for (int64_t row = first; row < last; row += together) {
        const auto seen = window.at(map, row);
        const int64_t which = map / maps_each, count = std::min(together, last - row);
        bool done = false;
        if constexpr (std::is_same_v<T, float>)
          if ((done = in_bands && window.ordinary()))
            bands.convolve(seen, transformed[which], to.columns(), results.data());
        for (int64_t r = 0; r < count; ++r) {
          if (!done) kernels::run<rows::Products>(seen + r, kernels[which], to.columns(), results[r]);
          finish(map, results[r]);
          to.for_each_stretch(map, row + r, [&](T* pixels, int64_t column, int64_t columns) {
            if (pixels) results[r].write(pixels, column, columns);
          });
        }
      }
    };
  });
}

template <typename T>
void convolve(ffi::ThreadPool& pool, const FramedMaps<const T>& from, const Lined<Kernel<T>>& kernels,
              const FramedMaps<T>& to) {
  convolve(pool, from, kernels, to, [] { return [](int64_t, Row<T>&) {}; });
}

// Operands of all kernels that convolve: maps x (*maps, height, width, inputs), strips of their frame or empty ones, and a
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

}  // namespace framed
