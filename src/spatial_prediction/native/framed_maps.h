// Maps in a frame of strips, and the rows of framed maps that are used together.

#pragma once

#include "checks.h"
#include "row_products.h"
#include "winograd.h"

namespace framed {

using checks::Dimensions;
using kernels::Lined;
using kernels::Shape;
using rows::columns_for;
using rows::Row;

constexpr int64_t kRows = 12;        // rows of results that one thread computes at a time
constexpr int64_t kSummedRows = 24;  // and sums the gradients of

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
        held_(rows::equal_rows<T>(rows, from.shape.channels, columns_for(from.columns()) + kernel_columns,
                                  from.columns())),
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
      ordinary_[r % count] = kUnknown;
    }
    for (int64_t a = 0; a < count; ++a) seen_[a] = &held_[(row + a) % count];
    map_ = map;
    row_ = row;
    return seen_.data();
  }

  // Whether minimal filtering may compute with all of them.
  bool ordinary() {
    for (size_t r = 0; r < held_.size(); ++r) {
      if (ordinary_[r] == kUnknown) ordinary_[r] = winograd::ordinary(held_[r]);
      if (!ordinary_[r]) return false;
    }
    return true;
  }

 private:
  const FramedMaps<const T>& from_;
  Lined<Row<T>> held_;
  static constexpr char kUnknown = 2;
  Lined<char> ordinary_;
  Lined<const Row<T>*> seen_;
  int64_t map_ = -1, row_ = -1;
};

template <typename T, typename... Strips>
FramedMaps<T> in_frame(Dimensions shape, Dimensions widths, T* maps, Strips*... strips) {
  return {kernels::shape_of(shape), {widths[0], widths[1], widths[2], widths[3]}, maps, {strips...}};
}

// The strips of zeros have no elements.
template <typename Buffer>
auto or_null(Buffer& strip) {
  return strip.element_count() ? strip.typed_data() : nullptr;
}

}  // namespace framed
