// XLA custom calls: the frame that linear prediction puts around a map, and its derivative.
//
// Every side is continued "downwards": its pixels are counted by depth d towards the border and by place p
// along it, with the map rotated and transposed accordingly. Left and right come first; top and bottom continue the
// map that these have widened. Channels are side by side in vectors, a block of them at a time.

#include "checks.h"
#include "kernels.h"

namespace {

using kernels::kVector;
using kernels::Scratch;
using kernels::Shape;
using checks::Dimensions;

constexpr int kSides = 4;
enum Side { kTop, kBottom, kLeft, kRight };
constexpr Side kInOrder[] = {kLeft, kRight, kTop, kBottom};
constexpr int64_t kPixels = 4;  // pixels computed together

template <typename T>
using Lanes = typename kernels::Vector<T>::type;

// Sizes of the coefficients (positions = width, length, width), and of the pixels that they continue.
struct Continuation {
  int64_t length, width, steps, places;

  int64_t coefficients() const { return width * length * width; }
  int64_t pixels() const { return (length + steps) * places; }

  // Calls visit(position, place, count) for each stretch of predicted pixels that have the same position relative to
  // their rectangle of known pixels, which begins at column `place - position`.
  template <typename Visit>
  __attribute__((always_inline)) void for_each_stretch(const Visit& visit) const {
    const int64_t centre = width / 2;
    for (int64_t position = 0; position < centre; ++position) visit(position, position, int64_t{1});
    visit(centre, centre, places - width + 1);
    for (int64_t position = centre + 1; position < width; ++position)
      visit(position, places - width + position, int64_t{1});
  }
};

template <typename T>
FOR_EACH_PROCESSOR void predict(const Continuation& of, const Lanes<T>* coefficients, Lanes<T>* z) {
  for (int64_t step = 0; step < of.steps; ++step)
    of.for_each_stretch([&](int64_t position, int64_t place, int64_t count) __attribute__((always_inline)) {
      const Lanes<T>* weights = coefficients + position * of.length * of.width;
      const Lanes<T>* known = z + step * of.places + place - position;
      Lanes<T>* row = z + (step + of.length) * of.places + place;
      auto some = [&](int64_t p, auto pixels) __attribute__((always_inline)) {
        Lanes<T> sums[pixels.value] = {};
        for (int64_t l = 0; l < of.length; ++l)
          for (int64_t w = 0; w < of.width; ++w)
            for (int64_t i = 0; i < pixels.value; ++i)
              sums[i] += weights[l * of.width + w] * known[l * of.places + w + p + i];
        for (int64_t i = 0; i < pixels.value; ++i) row[p + i] = sums[i];
      };
      int64_t p = 0;
      for (; p + kPixels <= count; p += kPixels) some(p, std::integral_constant<int64_t, kPixels>());
      for (; p < count; ++p) some(p, std::integral_constant<int64_t, 1>());
    });
}

// Propagates the cotangents of predicted pixels to known pixels and coefficients, the last row first.
template <typename T>
FOR_EACH_PROCESSOR void spread(const Continuation& of, const Lanes<T>* coefficients, const Lanes<T>* z,
                               Lanes<T>* cotangents, Lanes<T>* of_coefficients) {
  for (int64_t step = of.steps - 1; step >= 0; --step)
    of.for_each_stretch([&](int64_t position, int64_t place, int64_t count) __attribute__((always_inline)) {
      const Lanes<T>* row = cotangents + (step + of.length) * of.places + place;
      for (int64_t l = 0; l < of.length; ++l)
        for (int64_t w = 0; w < of.width; ++w) {
          const int64_t index = (position * of.length + l) * of.width + w;
          const int64_t first = (step + l) * of.places + place - position + w;
          const Lanes<T> weight = coefficients[index];
          Lanes<T> sums[kPixels] = {};
          int64_t p = 0;
          for (; p + kPixels <= count; p += kPixels)
            for (int64_t i = 0; i < kPixels; ++i) {
              cotangents[first + p + i] += row[p + i] * weight;
              sums[i] += row[p + i] * z[first + p + i];
            }
          for (; p < count; ++p) {
            cotangents[first + p] += row[p] * weight;
            sums[0] += row[p] * z[first + p];
          }
          of_coefficients[index] += (sums[0] + sums[1]) + (sums[2] + sums[3]);
        }
    });
}

struct Geometry {
  Shape shape;
  Continuation sides[kSides];
  int64_t widened, strip_columns[kSides];

  Geometry(Dimensions x, const Dimensions (&coefficients)[kSides], const Dimensions (&strips)[kSides])
      : shape(kernels::shape_of(x)) {
    for (int s = 0; s < kSides; ++s) {
      const size_t rank = coefficients[s].size();
      const Shape strip = kernels::shape_of(strips[s]);
      const bool across = s == kLeft || s == kRight;
      sides[s] = {coefficients[s][rank - 3], coefficients[s][rank - 2], across ? strip.width : strip.height,
                  across ? strip.height : strip.width};
      strip_columns[s] = strip.width;
    }
    widened = sides[kTop].places;
  }

  struct Pixel {
    int64_t row, column;  // in the map; outside it for predicted pixels
  };

  Pixel pixel(int side, int64_t d, int64_t p) const {
    const int64_t length = sides[side].length, left = sides[kLeft].steps;
    switch (side) {
      case kTop: return {length - 1 - d, widened - 1 - p - left};
      case kBottom: return {shape.height - length + d, p - left};
      case kLeft: return {shape.height - 1 - p, length - 1 - d};
      default: return {p, shape.width - length + d};
    }
  }

  // Index of a predicted pixel in the strip of its side.
  int64_t in_strip(int side, const Pixel& at) const {
    const int64_t row = side == kTop ? at.row + sides[kTop].steps : side == kBottom ? at.row - shape.height : at.row;
    const int64_t column = side == kRight ? at.column - shape.width : at.column + sides[kLeft].steps;
    return row * strip_columns[side] + column;
  }

  // Index of a pixel left or right of the map among those of that side.
  int64_t in_side(const Pixel& at) const {
    if (at.column < 0)
      return (sides[kLeft].length - 1 - at.column) * shape.height + shape.height - 1 - at.row;
    return (sides[kRight].length + at.column - shape.width) * shape.height + at.row;
  }
};

// Memory of one thread: the pixels of each side, by depth and place, and their cotangents.
template <typename T>
class Frame {
 public:
  explicit Frame(const Geometry& of) : of_(of) {
    for (int s = 0; s < kSides; ++s) {
      for (auto* pixels : {&z_[s], &cotangents_[s]}) pixels->resize(of.sides[s].pixels() * kVector);
      for (auto* weights : {&coefficients_[s], &coefficient_cotangents_[s]})
        weights->resize(of.sides[s].coefficients() * kVector);
    }
  }

  // Predicts all sides of some channels of a map, from `first` on.
  FOR_EACH_PROCESSOR void predict_block(const T* x, const T* mean, const T* const* coefficients, int64_t first) {
    begin(first);
    const Lanes<T> centre = read(mean, 0);
    for (int s : kInOrder) {
      const Continuation& side = of_.sides[s];
      for (int64_t i = 0; i < side.coefficients(); ++i) lanes(coefficients_[s])[i] = read(coefficients[s], i);
      for_each_pixel(s, 0, side.length, [&](int64_t i, const Geometry::Pixel& at) {
        if (inside(at)) {
          lanes(z_[s])[i] = read(x, at.row * of_.shape.width + at.column) - centre;
        } else {
          lanes(z_[s])[i] = lanes(z_[at.column < 0 ? kLeft : kRight])[of_.in_side(at)];
        }
      });
      predict<T>(side, lanes(coefficients_[s]), lanes(z_[s]));
    }
  }

  FOR_EACH_PROCESSOR void write_strips(const T* mean, T* const* strips) {
    const Lanes<T> centre = read(mean, 0);
    for (int s = 0; s < kSides; ++s)
      for_each_predicted(s, [&](int64_t i, int64_t at) { write(lanes(z_[s])[i] + centre, strips[s], at); });
  }

  // Adds to the cotangents of x and writes those of means and coefficients, for channels that have been predicted.
  FOR_EACH_PROCESSOR void spread_block(const T* const* strip_cotangents, T* of_x, T* of_mean,
                                       T* const* of_coefficients) {
    for (int s = 0; s < kSides; ++s) {
      std::fill(cotangents_[s].begin(), cotangents_[s].end(), T(0));
      std::fill(coefficient_cotangents_[s].begin(), coefficient_cotangents_[s].end(), T(0));
    }
    Lanes<T> of_centre = {};
    for (int o = kSides - 1; o >= 0; --o) {
      const int s = kInOrder[o];
      const Continuation& side = of_.sides[s];
      for_each_predicted(s, [&](int64_t i, int64_t at) {
        const Lanes<T> cotangent = read(strip_cotangents[s], at);
        lanes(cotangents_[s])[i] += cotangent;
        of_centre += cotangent;
      });
      spread<T>(side, lanes(coefficients_[s]), lanes(z_[s]), lanes(cotangents_[s]), lanes(coefficient_cotangents_[s]));
      for (int64_t i = 0; i < side.coefficients(); ++i)
        write(lanes(coefficient_cotangents_[s])[i], of_coefficients[s], i);
      for_each_pixel(s, 0, side.length, [&](int64_t i, const Geometry::Pixel& at) {
        const Lanes<T> cotangent = lanes(cotangents_[s])[i];
        if (inside(at)) {
          const int64_t index = at.row * of_.shape.width + at.column;
          write(read(of_x, index) + cotangent, of_x, index);
          of_centre -= cotangent;
        } else {
          lanes(cotangents_[at.column < 0 ? kLeft : kRight])[of_.in_side(at)] += cotangent;
        }
      });
    }
    write(of_centre, of_mean, 0);
  }

 private:
  void begin(int64_t first) {
    first_ = first;
    count_ = std::min(kVector, of_.shape.channels - first);
  }

  bool inside(const Geometry::Pixel& at) const { return at.column >= 0 && at.column < of_.shape.width; }

  // Calls visit(index, pixel) for the pixels of a side at depths `begin` to `end`.
  template <typename Visit>
  __attribute__((always_inline)) void for_each_pixel(int s, int64_t begin, int64_t end, const Visit& visit) const {
    const int64_t places = of_.sides[s].places;
    for (int64_t d = begin; d < end; ++d)
      for (int64_t p = 0; p < places; ++p) visit(d * places + p, of_.pixel(s, d, p));
  }

  // Calls visit(index, index in the strip) for the predicted pixels of a side.
  template <typename Visit>
  __attribute__((always_inline)) void for_each_predicted(int s, const Visit& visit) const {
    const Continuation& side = of_.sides[s];
    for_each_pixel(s, side.length, side.length + side.steps,
                   [&](int64_t i, const Geometry::Pixel& at) { visit(i, of_.in_strip(s, at)); });
  }

  Lanes<T>* lanes(Scratch<T>& values) { return reinterpret_cast<Lanes<T>*>(values.data()); }

  __attribute__((always_inline)) Lanes<T> read(const T* from, int64_t pixel) const {
    from += pixel * of_.shape.channels + first_;
    if (count_ == kVector) return *reinterpret_cast<const Lanes<T>*>(from);
    Lanes<T> value = {};
    for (int64_t v = 0; v < count_; ++v) value[v] = from[v];
    return value;
  }

  __attribute__((always_inline)) void write(const Lanes<T>& value, T* to, int64_t pixel) const {
    to += pixel * of_.shape.channels + first_;
    if (count_ == kVector) {
      *reinterpret_cast<Lanes<T>*>(to) = value;
    } else {
      for (int64_t v = 0; v < count_; ++v) to[v] = value[v];
    }
  }

  const Geometry& of_;
  int64_t first_ = 0, count_ = 0;
  Scratch<T> z_[kSides], cotangents_[kSides], coefficients_[kSides], coefficient_cotangents_[kSides];
};

// Checks the maps, their means, the coefficients of each side and its strip, or the cotangents of these.
void check(checks::Call& call, Dimensions x, Dimensions mean, const Dimensions (&coefficients)[kSides],
           const Dimensions (&strips)[kSides]) {
  const char* const names[] = {"top", "bottom", "left", "right"};
  const char* const strip_names[] = {"top strip", "bottom strip", "left strip", "right strip"};
  const Shape shape = call.maps("x", x);
  call.of_maps("mean", mean, {shape.channels});
  int64_t steps[kSides];
  for (int s = 0; s < kSides; ++s) {
    const auto sizes = call.last<3, 0>(strip_names[s], strips[s]);
    steps[s] = s == kTop || s == kBottom ? sizes[0] : sizes[1];
  }
  const int64_t breadth = steps[kLeft] + shape.width + steps[kRight];
  for (int s = 0; s < kSides; ++s) {
    const bool across = s == kLeft || s == kRight;
    call.of_maps(strip_names[s], strips[s],
                 {across ? shape.height : steps[s], across ? steps[s] : breadth, shape.channels});
    const auto sizes = call.last<4>(names[s], coefficients[s]);
    const int64_t width = sizes[0], length = sizes[1];
    call.of_maps(names[s], coefficients[s], {width, length, width, shape.channels});
    call.require(width % 2 == 1, "coefficients are for neighbourhoods of even width");
    call.require(length <= (across ? shape.width : shape.height) && width <= (across ? shape.height : breadth),
                 "coefficients are for neighbourhoods larger than the map");
  }
}

// Pointers to the part of one map in arrays for the four sides.
template <typename T>
struct OfMap {
  T* at[kSides];

  OfMap(T* const (&all)[kSides], const Dimensions (&dimensions)[kSides], int64_t map, int64_t axes) {
    for (int s = 0; s < kSides; ++s) {
      int64_t size = 1;
      for (size_t i = dimensions[s].size() - axes; i < dimensions[s].size(); ++i) size *= dimensions[s][i];
      at[s] = all[s] + map * size;
    }
  }
};

// x (*maps, height, width, channels), mean (*maps, channels), coefficients of each side (*maps, width, length,
// width, channels) -> strips of each side (*maps, rows, columns, channels)
template <ffi::DataType D>
ffi::Error predicted_frame(ffi::ThreadPool pool, ffi::Buffer<D> x, ffi::Buffer<D> mean, ffi::Buffer<D> top,
                           ffi::Buffer<D> bottom, ffi::Buffer<D> left, ffi::Buffer<D> right,
                           ffi::ResultBuffer<D> top_strip, ffi::ResultBuffer<D> bottom_strip,
                           ffi::ResultBuffer<D> left_strip, ffi::ResultBuffer<D> right_strip) {
  using T = ffi::NativeType<D>;
  const Dimensions sides[] = {top.dimensions(), bottom.dimensions(), left.dimensions(), right.dimensions()};
  const Dimensions strip_sides[] = {top_strip->dimensions(), bottom_strip->dimensions(), left_strip->dimensions(),
                                    right_strip->dimensions()};
  const T* const coefficients[] = {top.typed_data(), bottom.typed_data(), left.typed_data(), right.typed_data()};
  T* const strips[] = {top_strip->typed_data(), bottom_strip->typed_data(), left_strip->typed_data(),
                       right_strip->typed_data()};
  checks::Call call("predicted_frame");
  check(call, x.dimensions(), mean.dimensions(), sides, strip_sides);
  if (call.failed()) return call.error();
  const Geometry of(x.dimensions(), sides, strip_sides);
  const int64_t size = of.shape.height * of.shape.width * of.shape.channels;
  kernels::for_each_map(pool, of.shape.maps, [&] {
    return [&, frame = Frame<T>(of)](int64_t map) mutable {
      const OfMap<const T> given(coefficients, sides, map, 4);
      const OfMap<T> wanted(strips, strip_sides, map, 3);
      const T* means = mean.typed_data() + map * of.shape.channels;
      for (int64_t first = 0; first < of.shape.channels; first += kVector) {
        frame.predict_block(x.typed_data() + map * size, means, given.at, first);
        frame.write_strips(means, wanted.at);
      }
    };
  });
  return ffi::Error::Success();
}

// The gradients of `predicted_frame`; that with respect to x is added to `cotangents`, in place.
template <ffi::DataType D>
ffi::Error predicted_frame_gradient(ffi::ThreadPool pool, ffi::Buffer<D> cotangents, ffi::Buffer<D> x,
                                    ffi::Buffer<D> mean, ffi::Buffer<D> top, ffi::Buffer<D> bottom,
                                    ffi::Buffer<D> left, ffi::Buffer<D> right, ffi::Buffer<D> top_cotangents,
                                    ffi::Buffer<D> bottom_cotangents, ffi::Buffer<D> left_cotangents,
                                    ffi::Buffer<D> right_cotangents, ffi::ResultBuffer<D> of_x,
                                    ffi::ResultBuffer<D> of_mean, ffi::ResultBuffer<D> of_top,
                                    ffi::ResultBuffer<D> of_bottom, ffi::ResultBuffer<D> of_left,
                                    ffi::ResultBuffer<D> of_right) {
  using T = ffi::NativeType<D>;
  const Dimensions sides[] = {top.dimensions(), bottom.dimensions(), left.dimensions(), right.dimensions()};
  const Dimensions strip_sides[] = {top_cotangents.dimensions(), bottom_cotangents.dimensions(),
                                    left_cotangents.dimensions(), right_cotangents.dimensions()};
  const T* const coefficients[] = {top.typed_data(), bottom.typed_data(), left.typed_data(), right.typed_data()};
  const T* const strip_cotangents[] = {top_cotangents.typed_data(), bottom_cotangents.typed_data(),
                                       left_cotangents.typed_data(), right_cotangents.typed_data()};
  T* const of_coefficients[] = {of_top->typed_data(), of_bottom->typed_data(), of_left->typed_data(),
                                of_right->typed_data()};
  checks::Call call("predicted_frame_gradient");
  check(call, x.dimensions(), mean.dimensions(), sides, strip_sides);
  call.same("cotangents", cotangents.dimensions(), x.dimensions());
  call.same("of_x", of_x->dimensions(), x.dimensions());
  call.same("of_mean", of_mean->dimensions(), mean.dimensions());
  call.same("of_top", of_top->dimensions(), sides[kTop]);
  call.same("of_bottom", of_bottom->dimensions(), sides[kBottom]);
  call.same("of_left", of_left->dimensions(), sides[kLeft]);
  call.same("of_right", of_right->dimensions(), sides[kRight]);
  if (call.failed()) return call.error();
  const Geometry of(x.dimensions(), sides, strip_sides);
  const int64_t size = of.shape.height * of.shape.width * of.shape.channels;
  kernels::take_over(cotangents, of_x);
  kernels::for_each_map(pool, of.shape.maps, [&] {
    return [&, frame = Frame<T>(of)](int64_t map) mutable {
      const OfMap<const T> given(coefficients, sides, map, 4), seeds(strip_cotangents, strip_sides, map, 3);
      const OfMap<T> wanted(of_coefficients, sides, map, 4);
      const int64_t at_mean = map * of.shape.channels;
      for (int64_t first = 0; first < of.shape.channels; first += kVector) {
        frame.predict_block(x.typed_data() + map * size, mean.typed_data() + at_mean, given.at, first);
        frame.spread_block(seeds.at, of_x->typed_data() + map * size, of_mean->typed_data() + at_mean, wanted.at);
      }
    };
  });
  return ffi::Error::Success();
}

}  // namespace

DEFINE_KERNEL(predicted_frame, predicted_frame, 6, 4);
DEFINE_KERNEL(predicted_frame_gradient, predicted_frame_gradient, 11, 6);
