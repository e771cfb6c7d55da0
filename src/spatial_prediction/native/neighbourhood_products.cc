// XLA custom calls: products of the pixels of a neighbourhood, summed over its places in a map; their derivative.
//
// A rectangle of (length + 1) x width pixels moves over the rows nearest to a side; the pixels of its last row
// are those to predict. Left and right are the upper and lower side of the transposed map, and the upper side is
// the lower side of the map rotated by 180 degrees, where every offset has the opposite sign. Channels are side by
// side in vectors, a block of them at a time.

#include "checks.h"
#include "kernels.h"

namespace {

using kernels::kVector;
using kernels::Lined;
using kernels::Shape;
using checks::Dimensions;

constexpr int64_t kPixels = 4;  // pixels of the gradient that are computed together

template <typename T>
using Lanes = typename kernels::Vector<T>::type;

// The rectangle of a side: its pixels row by row, and their offsets in a map with rows of `breadth` pixels.
struct Rectangle {
  int64_t width, unknowns, pixels, pairs, rows, columns, height, breadth;
  bool upwards;
  std::vector<int64_t> offsets;

  Rectangle(int64_t length, int64_t width, int64_t rows, int64_t height, int64_t breadth, bool upwards)
      : width(width),
        unknowns(length * width),
        pixels(unknowns + width),
        pairs(unknowns * pixels - unknowns * (unknowns - 1) / 2),
        rows(rows),
        columns(breadth - width + 1),
        height(height),
        breadth(breadth),
        upwards(upwards) {
    const int64_t sign = upwards ? -1 : 1;
    for (int64_t y = 0; y <= length; ++y)
      for (int64_t x = 0; x < width; ++x) offsets.push_back(sign * (y * breadth + x));
  }

  // Index of the rectangle's first pixel at the first place of a row of places; rows count from the farthest.
  int64_t first_place(int64_t row) const {
    const int64_t y = height - rows - (unknowns / width) + row;
    return upwards ? (height - 1 - y) * breadth + width - 1 : y * breadth;
  }
};

// sums[k] += weight * sum over p < places of one[p] others[k][p]
template <int64_t count, typename T>
__attribute__((always_inline)) inline void add_row(const Lanes<T>* one, const Lanes<T>* z, const int64_t* offsets,
                                                   int64_t places, T weight, double* sums) {
  Lanes<T> partial[count] = {};
  for (int64_t p = 0; p < places; ++p)
    for (int64_t k = 0; k < count; ++k) partial[k] += one[p] * z[offsets[k] + p];
  for (int64_t k = 0; k < count; ++k)
    for (int64_t v = 0; v < kVector; ++v) sums[k * kVector + v] += static_cast<double>(weight) * partial[k][v];
}

// Sums of the products of pixels i and j >= i, i unknown, in the order of i and then j.
template <typename T>
FOR_EACH_PROCESSOR void add_products(const Rectangle& of, const Lanes<T>* z, const T* weights, double* sums) {
  for (int64_t row = 0; row < of.rows; ++row) {
    const Lanes<T>* place = z + of.first_place(row);
    double* to = sums;
    for (int64_t i = 0; i < of.unknowns; ++i) {
      int64_t j = i;
      auto add = [&](auto count) __attribute__((always_inline)) {
        for (; of.pixels - j >= count(); j += count(), to += count() * kVector)
          add_row<count(), T>(place + of.offsets[i], place, of.offsets.data() + j, of.columns, weights[row], to);
      };
      add(std::integral_constant<int64_t, 8>{});
      add(std::integral_constant<int64_t, 3>{});
      add(std::integral_constant<int64_t, 1>{});
    }
  }
}

// Adds to the cotangents of z the contribution of the cotangents of the sums, a symmetric (pixels, pixels) matrix whose
// diagonal counts twice.
template <typename T>
FOR_EACH_PROCESSOR void add_cotangents(const Rectangle& of, const Lanes<T>* z, const T* weights,
                                   const Lanes<T>* matrix, Lanes<T>* cotangents) {
  for (int64_t row = 0; row < of.rows; ++row) {
    const int64_t place = of.first_place(row);
    for (int64_t i = 0; i < of.pixels; ++i) {
      const int64_t partners = i < of.unknowns ? of.pixels : of.unknowns;
      const Lanes<T>* entries = matrix + i * of.pixels;
      auto some = [&](int64_t p, auto count) __attribute__((always_inline)) {
        Lanes<T> sums[count.value] = {};
        for (int64_t j = 0; j < partners; ++j)
          for (int64_t c = 0; c < count.value; ++c) sums[c] += entries[j] * z[place + of.offsets[j] + p + c];
        for (int64_t c = 0; c < count.value; ++c) cotangents[place + of.offsets[i] + p + c] += sums[c] * weights[row];
      };
      int64_t p = 0;
      for (; p + kPixels <= of.columns; p += kPixels) some(p, std::integral_constant<int64_t, kPixels>());
      for (; p < of.columns; ++p) some(p, std::integral_constant<int64_t, 1>());
    }
  }
}

// Memory of one thread: a block of channels of a map, as it is and transposed, and the cotangents of both.
template <typename T>
class Block {
 public:
  explicit Block(const Shape& shape) : shape_(shape) {
    for (int o = 0; o < 2; ++o) z_[o] = cotangents_[o] = Lined<T>(shape.height * shape.width * kVector);
  }

  // Loads the channels from `first` on, minus their means.
  FOR_EACH_PROCESSOR void take(const T* x, int64_t first) {
    count_ = std::min(kVector, shape_.channels - first);
    std::fill(mean_, mean_ + kVector, 0.0);
    for (int64_t y = 0; y < shape_.height; ++y) {
      T row[kVector] = {};
      for (int64_t p = 0; p < shape_.width; ++p)
        for (int64_t v = 0; v < count_; ++v) row[v] += x[(y * shape_.width + p) * shape_.channels + first + v];
      for (int64_t v = 0; v < kVector; ++v) mean_[v] += row[v];
    }
    for (int64_t v = 0; v < kVector; ++v) mean_[v] /= shape_.height * shape_.width;
    for (int64_t y = 0; y < shape_.height; ++y)
      for (int64_t p = 0; p < shape_.width; ++p) {
        T* upright = z_[0].data() + (y * shape_.width + p) * kVector;
        for (int64_t v = 0; v < count_; ++v)
          upright[v] = x[(y * shape_.width + p) * shape_.channels + first + v] - static_cast<T>(mean_[v]);
        for (int64_t v = count_; v < kVector; ++v) upright[v] = 0;
        std::copy_n(upright, kVector, z_[1].data() + (p * shape_.height + y) * kVector);
      }
  }

  void give_means(T* to) const { std::copy_n(mean_, count_, to); }

  // Writes the sums of a side to (pairs, channels); `o` is 1 for sides of the transposed map.
  void give_products(int o, const Rectangle& of, const T* weights, T* to) {
    sums_.assign(of.pairs * kVector, 0.0);
    add_products<T>(of, lanes(z_[o]), weights, sums_.data());
    for (int64_t k = 0; k < of.pairs; ++k) std::copy_n(sums_.data() + k * kVector, count_, to + k * shape_.channels);
  }

  void forget_cotangents() {
    for (auto& each : cotangents_) std::fill(each.begin(), each.end(), T(0));
  }

  void take_cotangents(int o, const Rectangle& of, const T* weights, const T* from) {
    matrix_.assign(of.pixels * of.pixels * kVector, T(0));
    for (int64_t i = 0; i < of.unknowns; ++i)
      for (int64_t j = i; j < of.pixels; ++j, from += shape_.channels)
        for (int64_t v = 0; v < count_; ++v) {
          matrix_[(i * of.pixels + j) * kVector + v] += from[v];
          matrix_[(j * of.pixels + i) * kVector + v] += from[v];
        }
    add_cotangents<T>(of, lanes(z_[o]), weights, lanes(matrix_), lanes(cotangents_[o]));
  }

  // Adds the gradient to the channels from `first` on. Centring subtracts the mean of the gradient, and the gradient of
  // the means is added.
  FOR_EACH_PROCESSOR void give_gradient(const T* mean_cotangents, int64_t first, T* to) {
    const int64_t pixels = shape_.height * shape_.width;
    double shift[kVector] = {};
    for (int64_t y = 0; y < shape_.height; ++y)
      for (int64_t p = 0; p < shape_.width; ++p) {
        Lanes<T>& cotangent = lanes(cotangents_[0])[y * shape_.width + p];
        cotangent += lanes(cotangents_[1])[p * shape_.height + y];
        for (int64_t v = 0; v < kVector; ++v) shift[v] -= cotangent[v];
      }
    for (int64_t v = 0; v < count_; ++v) shift[v] = (shift[v] + mean_cotangents[v]) / pixels;
    for (int64_t i = 0; i < pixels; ++i)
      for (int64_t v = 0; v < count_; ++v)
        to[i * shape_.channels + first + v] += cotangents_[0][i * kVector + v] + static_cast<T>(shift[v]);
  }

 private:
  static Lanes<T>* lanes(Lined<T>& values) { return reinterpret_cast<Lanes<T>*>(values.data()); }

  Shape shape_;
  int64_t count_ = 0;
  double mean_[kVector];
  Lined<T> z_[2], cotangents_[2], matrix_;
  Lined<double> sums_;
};

// The rectangles of top, bottom, left, right.
std::vector<Rectangle> rectangles(const Shape& shape, ffi::Span<const int64_t> neighbourhoods, int64_t rows_down,
                                  int64_t rows_right) {
  const int64_t* n = neighbourhoods.begin();
  std::vector<Rectangle> sides;
  for (bool upwards : {true, false}) sides.emplace_back(n[0], n[1], rows_down, shape.height, shape.width, upwards);
  for (bool upwards : {true, false}) sides.emplace_back(n[2], n[3], rows_right, shape.width, shape.height, upwards);
  return sides;
}

int64_t last(Dimensions dimensions) { return dimensions.size() ? dimensions[dimensions.size() - 1] : 0; }

// Checks the operands of both kernels: neighbourhoods of a map, weights, and the results or their cotangents.
Shape checked(checks::Call& call, ffi::Span<const int64_t> neighbourhoods, Dimensions x, const Dimensions (&weights)[2],
              Dimensions means, const Dimensions (&sums)[2]) {
  const Shape shape = call.maps("x", x);
  call.integers("neighbourhoods", neighbourhoods, 4, 1, checks::kFarthest);
  if (call.failed()) return shape;
  const char* const names[][2] = {{"weights_down", "vertical sums"}, {"weights_right", "horizontal sums"}};
  const int64_t sizes[][2] = {{shape.height, shape.width}, {shape.width, shape.height}};
  call.of_maps("means", means, {shape.channels});
  for (int o = 0; o < 2; ++o) {
    const int64_t length = neighbourhoods[2 * o], width = neighbourhoods[2 * o + 1], rows = last(weights[o]);
    call.require(length + rows <= sizes[o][0], "attribute neighbourhoods reaches beyond the map with so many weights");
    call.require(width <= sizes[o][1], "attribute neighbourhoods is wider than the map");
    call.shared(names[o][0], weights[o], {rows});
    const int64_t unknowns = length * width, pairs = unknowns * (unknowns + width) - unknowns * (unknowns - 1) / 2;
    call.of_maps(names[o][1], sums[o], {2, pairs, shape.channels});
  }
  return shape;
}

// x (*maps, height, width, channels), weights of the rows of places, vertically and horizontally -> means
// (*maps, channels), sums of top and bottom, and of left and right (*maps, 2, pairs, channels)
template <ffi::DataType D>
ffi::Error products(ffi::ThreadPool pool, ffi::Span<const int64_t> neighbourhoods, ffi::Buffer<D> x,
                    ffi::Buffer<D> weights_down, ffi::Buffer<D> weights_right, ffi::ResultBuffer<D> means,
                    ffi::ResultBuffer<D> vertical, ffi::ResultBuffer<D> horizontal) {
  using T = ffi::NativeType<D>;
  checks::Call call("neighbourhood_products");
  const Shape shape = checked(call, neighbourhoods, x.dimensions(),
                              {weights_down.dimensions(), weights_right.dimensions()}, means->dimensions(),
                              {vertical->dimensions(), horizontal->dimensions()});
  if (call.failed()) return call.error();
  const auto sides =
      rectangles(shape, neighbourhoods, last(weights_down.dimensions()), last(weights_right.dimensions()));
  const T* weights[] = {weights_down.typed_data(), weights_right.typed_data()};
  T* results[] = {vertical->typed_data(), horizontal->typed_data()};
  kernels::for_each_map(pool, shape.maps, [&] {
    return [&, block = Block<T>(shape)](int64_t map) mutable {
      for (int64_t first = 0; first < shape.channels; first += kVector) {
        block.take(x.typed_data() + map * shape.height * shape.width * shape.channels, first);
        block.give_means(means->typed_data() + map * shape.channels + first);
        for (int s = 0; s < 4; ++s) {
          const int o = s / 2;
          T* to = results[o] + (map * 2 + s % 2) * sides[s].pairs * shape.channels + first;
          block.give_products(o, sides[s], weights[o], to);
        }
      }
    };
  });
  return ffi::Error::Success();
}

// Adds the gradient of `products` to `x_cotangents`, in place, given the cotangents of its results.
template <ffi::DataType D>
ffi::Error products_gradient(ffi::ThreadPool pool, ffi::Span<const int64_t> neighbourhoods, ffi::Buffer<D> x_cotangents,
                             ffi::Buffer<D> x, ffi::Buffer<D> weights_down, ffi::Buffer<D> weights_right,
                             ffi::Buffer<D> mean_cotangents, ffi::Buffer<D> vertical_cotangents,
                             ffi::Buffer<D> horizontal_cotangents, ffi::ResultBuffer<D> gradient) {
  using T = ffi::NativeType<D>;
  checks::Call call("neighbourhood_products_gradient");
  const Shape shape = checked(call, neighbourhoods, x.dimensions(),
                              {weights_down.dimensions(), weights_right.dimensions()}, mean_cotangents.dimensions(),
                              {vertical_cotangents.dimensions(), horizontal_cotangents.dimensions()});
  call.same("x_cotangents", x_cotangents.dimensions(), x.dimensions());
  call.same("gradient", gradient->dimensions(), x.dimensions());
  if (call.failed()) return call.error();
  const auto sides =
      rectangles(shape, neighbourhoods, last(weights_down.dimensions()), last(weights_right.dimensions()));
  const T* weights[] = {weights_down.typed_data(), weights_right.typed_data()};
  const T* cotangents[] = {vertical_cotangents.typed_data(), horizontal_cotangents.typed_data()};
  const int64_t size = shape.height * shape.width * shape.channels;
  kernels::take_over(x_cotangents, gradient);
  kernels::for_each_map(pool, shape.maps, [&] {
    return [&, block = Block<T>(shape)](int64_t map) mutable {
      for (int64_t first = 0; first < shape.channels; first += kVector) {
        block.take(x.typed_data() + map * size, first);
        block.forget_cotangents();
        for (int s = 0; s < 4; ++s) {
          const int o = s / 2;
          const T* from = cotangents[o] + (map * 2 + s % 2) * sides[s].pairs * shape.channels + first;
          block.take_cotangents(o, sides[s], weights[o], from);
        }
        block.give_gradient(mean_cotangents.typed_data() + map * shape.channels + first, first,
                            gradient->typed_data() + map * size);
      }
    };
  });
  return ffi::Error::Success();
}

}  // namespace

#define NEIGHBOURHOODS .Attr<ffi::Span<const int64_t>>("neighbourhoods")

DEFINE_KERNEL(neighbourhood_products, products, 3, 3, NEIGHBOURHOODS);
DEFINE_KERNEL(neighbourhood_products_gradient, products_gradient, 7, 1, NEIGHBOURHOODS);
