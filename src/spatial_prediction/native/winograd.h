// Convolutions with kernels of 3 x 3 by the minimal filtering of S. Winograd, F(4 x 4, 3 x 3): 36 products of matrices
// of the channels for each tile of 4 x 4 results, in place of 144.
//
// The points of interpolation are 0, +-sqrt(1/2), +-sqrt(2) and infinity, with which results are half as far from exact
// ones as with the usual 0, +-1, +-2: about twice as far as sums of products are. But rounding is relative to the
// largest value that a tile sees, not to that of each window. Where a map holds values as large as those that stand for
// missing ones, or that are not finite, nothing is computed, and the caller takes sums of products.
//
// A. Lavin, S. Gray, "Fast algorithms for convolutional neural networks", arXiv 1509.09308.

#pragma once

#include "row_products.h"

namespace winograd {

using kernels::kVector;
using kernels::Lined;
using kernels::Registers;
using kernels::Scratch;
using rows::blocks_of;
using rows::Row;
using rows::Size;
using rows::Sums;

constexpr int64_t kTile = 4, kSeen = 6, kPlaces = kSeen * kSeen, kKernel = 3;
constexpr int64_t kMostTiles = 16;  // transformed together
constexpr float kLargest = 16384;   // of a map; its rounding reaches less than 0.01

// Points of interpolation and their powers.
constexpr float kNear = 0.70710678118654752f, kFar = 1.41421356237309505f;
constexpr float kNear3 = 0.35355339059327376f, kFar3 = 2.8284271247461901f;

// The transforms along one axis, of as many lanes as a register has.
template <typename V>
ALWAYS_INLINE void of_map(const V (&x)[kSeen], V (&to)[kSeen]) {
  to[0] = (x[0] + x[4]) - 2.5f * x[2];
  to[5] = (x[1] + x[5]) - 2.5f * x[3];
  const V near_even = x[4] - 2.0f * x[2], near_odd = kNear * x[3] - kFar * x[1];
  to[1] = near_even + near_odd;
  to[2] = near_even - near_odd;
  const V far_even = x[4] - 0.5f * x[2], far_odd = kFar * x[3] - kNear * x[1];
  to[3] = far_even + far_odd;
  to[4] = far_even - far_odd;
}

template <typename V>
ALWAYS_INLINE void to_results(const V (&m)[kSeen], V (&to)[kTile]) {
  const V near_even = m[1] + m[2], near_odd = m[1] - m[2], far_even = m[3] + m[4], far_odd = m[3] - m[4];
  to[0] = m[0] + near_even + far_even;
  to[1] = kNear * near_odd + kFar * far_odd;
  to[2] = 0.5f * near_even + 2.0f * far_even;
  to[3] = kNear3 * near_odd + kFar3 * far_odd + m[5];
}

template <typename V>
ALWAYS_INLINE void of_kernel(const V (&w)[kKernel], V (&to)[kSeen]) {
  const V near_even = (w[0] + 0.5f * w[2]) * (-2.0f / 3), near_odd = w[1] * (-2.0f / 3 * kNear);
  const V far_even = (w[0] + 2.0f * w[2]) * (1.0f / 6), far_odd = w[1] * (kFar / 6);
  to[0] = w[0];
  to[1] = near_even + near_odd;
  to[2] = near_even - near_odd;
  to[3] = far_even + far_odd;
  to[4] = far_even - far_odd;
  to[5] = w[2];
}

// The transposed of `to_results` and `of_kernel`, which carry cotangents back.
template <typename V>
ALWAYS_INLINE void of_cotangents(const V (&y)[kTile], V (&to)[kSeen]) {
  const V near_even = y[0] + 0.5f * y[2], near_odd = kNear * y[1] + kNear3 * y[3];
  const V far_even = y[0] + 2.0f * y[2], far_odd = kFar * y[1] + kFar3 * y[3];
  to[0] = y[0];
  to[1] = near_even + near_odd;
  to[2] = near_even - near_odd;
  to[3] = far_even + far_odd;
  to[4] = far_even - far_odd;
  to[5] = y[3];
}

template <typename V>
ALWAYS_INLINE void to_kernel(const V (&u)[kSeen], V (&to)[kKernel]) {
  const V near_even = (u[1] + u[2]) * (-2.0f / 3), near_odd = (u[1] - u[2]) * (-2.0f / 3 * kNear);
  const V far_even = (u[3] + u[4]) * (1.0f / 6), far_odd = (u[3] - u[4]) * (kFar / 6);
  to[0] = u[0] + near_even + far_even;
  to[1] = near_odd + far_odd;
  to[2] = u[5] + 0.5f * near_even + 2.0f * far_even;
}

// Whether a convolution of this size, with so many results, is computed here.
template <typename T>
bool suits(const Size& size, int64_t rows, int64_t columns) {
  return std::is_same_v<T, float> && size.rows == kKernel && size.columns == kKernel &&
         std::min(size.inputs, size.outputs) >= kVector / 2 && std::min(rows, columns) >= kTile;
}

// A kernel, transformed along both axes: [block of outputs][place][input][output of the block].
struct Kernel {
  Size size;
  Scratch<float> weights;
  Lined<float> bias;

  explicit Kernel(const Size& size)
      : size(size), weights(blocks_of(size.outputs) * block(), 0.0f), bias(blocks_of(size.outputs) * kVector, 0.0f) {}

  explicit Kernel(const rows::Kernel<float>& kernel)
      : size(kernel.size), weights(blocks_of(size.outputs) * block()), bias(kernel.bias) {
    kernels::run<Transform>(kernel, *this);
  }

  void clear() {
    std::fill(weights.begin(), weights.end(), 0.0f);
    std::fill(bias.begin(), bias.end(), 0.0f);
  }

  // Adds the transposed of the transform to a kernel: gradients become those of the kernel as it was given.
  void add_to(rows::Kernel<float>& kernel) const {
    kernels::run<AddTo>(*this, kernel);
    for (size_t i = 0; i < bias.size(); ++i) kernel.bias[i] += bias[i];
  }

  int64_t block() const { return kPlaces * size.inputs * kVector; }
  const float* at(int64_t block_of_outputs, int64_t place) const {
    return weights.data() + block_of_outputs * block() + place * size.inputs * kVector;
  }
  float* at(int64_t block_of_outputs, int64_t place) {
    return weights.data() + block_of_outputs * block() + place * size.inputs * kVector;
  }

 private:
  // Calls visit(first element of the kernel as given, first element here) for each register of one of its inputs, and
  // the distances between its rows and columns there, and places here.
  template <int64_t bytes, typename Given, typename Here, typename Visit>
  ALWAYS_INLINE static void for_each_register(Given& given, Here& here, const Visit& visit) {
    const int64_t inputs = here.size.inputs;
    for (int64_t block = 0; block < blocks_of(here.size.outputs); ++block)
      for (int64_t first = 0; first < inputs; first += kVector) {
        const int64_t some = std::min(kVector, inputs - first);
        for (int64_t i = 0; i < some; ++i)
          for (int64_t lane = 0; lane < kVector; lane += Registers<float, bytes>::kLanes)
            visit(given.weights.data() + block * here.size.block() + (first * kKernel + i) * kVector + lane,
                  inputs * kKernel * kVector, some * kVector, here.at(block, 0) + (first + i) * kVector + lane,
                  inputs * kVector);
      }
  }

  struct Transform {
    template <int64_t bytes>
    ALWAYS_INLINE static void run(const rows::Kernel<float>& given, Kernel& here) {
      using In = Registers<float, bytes>;
      using V = typename In::Register;
      for_each_register<bytes>(given, here, [](const float* w, int64_t row, int64_t column, float* to, int64_t place)
                                                ALWAYS_INLINED {
        V half[kSeen][kKernel];
        for (int64_t b = 0; b < kKernel; ++b) {
          const V down[kKernel] = {In::at(w + b * column), In::at(w + row + b * column), In::at(w + 2 * row + b * column)};
          V transformed[kSeen];
          of_kernel(down, transformed);
          for (int64_t p = 0; p < kSeen; ++p) half[p][b] = transformed[p];
        }
        for (int64_t p = 0; p < kSeen; ++p) {
          V transformed[kSeen];
          of_kernel(half[p], transformed);
          for (int64_t q = 0; q < kSeen; ++q) In::at(to + (p * kSeen + q) * place) = transformed[q];
        }
      });
    }
  };

  struct AddTo {
    template <int64_t bytes>
    ALWAYS_INLINE static void run(const Kernel& here, rows::Kernel<float>& given) {
      using In = Registers<float, bytes>;
      using V = typename In::Register;
      for_each_register<bytes>(given, here, [](float* w, int64_t row, int64_t column, const float* from, int64_t place)
                                                ALWAYS_INLINED {
        V half[kKernel][kSeen];
        for (int64_t q = 0; q < kSeen; ++q) {
          V down[kSeen], back[kKernel];
          for (int64_t p = 0; p < kSeen; ++p) down[p] = In::at(from + (p * kSeen + q) * place);
          to_kernel(down, back);
          for (int64_t a = 0; a < kKernel; ++a) half[a][q] = back[a];
        }
        for (int64_t a = 0; a < kKernel; ++a) {
          V back[kKernel];
          to_kernel(half[a], back);
          for (int64_t b = 0; b < kKernel; ++b) In::at(w + a * row + b * column) += back[b];
        }
      });
    }
  };
};

// Tiles side by side, transformed along both axes: [place][block of channels][tile][channel of the block].
struct Tiles {
  int64_t channels;
  Scratch<float> values, half;

  explicit Tiles(int64_t channels)
      : channels(channels),
        values(kPlaces * blocks_of(channels) * kMostTiles * kVector),
        half(kSeen * (kMostTiles * kTile + kSeen - kTile) * kVector) {}

  float* at(int64_t place, int64_t block) {
    return values.data() + (place * blocks_of(channels) + block) * kMostTiles * kVector;
  }
};

// Whether all values of a row are finite and not too large.
struct Ordinary {
  template <int64_t bytes>
  ALWAYS_INLINE static void run(const Row<float>& row, bool& ordinary) {
    using In = Registers<float, bytes>;
    using Bits = typename Registers<int32_t, bytes>::Register;
    const Bits magnitude = Bits{} + 0x7fffffff;
    const Bits largest = (Bits)(typename In::Register{} + kLargest);
    Bits greatest{};  // as bits, NaN and infinity are greater than all numbers
    for (size_t i = 0; i < row.values.size(); i += In::kLanes) {
      const Bits bits = (Bits)In::at(row.values.data() + i) & magnitude;
      greatest = bits > greatest ? bits : greatest;
    }
    const Bits beyond = greatest > largest;
    ordinary = true;
    for (int64_t i = 0; i < In::kLanes; ++i) ordinary = ordinary && !beyond[i];
  }
};

inline bool ordinary(const Row<float>& row) {
  bool result;
  kernels::run<Ordinary>(row, result);
  return result;
}

// Transforms `count` tiles of rows, from tile `first` on. Of a map, tiles see two rows and columns more than they have.
template <bool map>
struct TransformTiles {
  static constexpr int64_t kFrom = map ? kSeen : kTile;

  template <int64_t bytes>
  ALWAYS_INLINE static void run(const Row<float>* const* seen, int64_t first, int64_t count, Tiles& to) {
    using In = Registers<float, bytes>;
    using V = typename In::Register;
    const int64_t columns = (count - 1) * kTile + kFrom;
    for (int64_t block = 0; block < blocks_of(to.channels); ++block)
      for (int64_t lane = 0; lane < kVector; lane += In::kLanes) {
        float* half = to.half.data();
        for (int64_t c = 0; c < columns; ++c) {
          V down[kFrom], transformed[kSeen];
#pragma GCC unroll 6
          for (int64_t a = 0; a < kFrom; ++a)
            down[a] = In::at(seen[a]->block(block) + (first * kTile + c) * kVector + lane);
          transform(down, transformed);
#pragma GCC unroll 6
          for (int64_t p = 0; p < kSeen; ++p) In::at(half + (p * columns + c) * In::kLanes) = transformed[p];
        }
        for (int64_t p = 0; p < kSeen; ++p)
          for (int64_t tile = 0; tile < count; ++tile) {
            V across[kFrom], transformed[kSeen];
            const float* from = half + (p * columns + tile * kTile) * In::kLanes;
#pragma GCC unroll 6
            for (int64_t b = 0; b < kFrom; ++b) across[b] = In::at(from + b * In::kLanes);
            transform(across, transformed);
#pragma GCC unroll 6
            for (int64_t q = 0; q < kSeen; ++q)
              In::at(to.at(p * kSeen + q, block) + tile * kVector + lane) = transformed[q];
          }
      }
  }

 private:
  template <typename V>
  ALWAYS_INLINE static void transform(const V (&from)[kFrom], V (&to)[kSeen]) {
    if constexpr (map) {
      of_map(from, to);
    } else {
      of_cotangents(from, to);
    }
  }
};

// Products of transformed tiles with a block of a transformed kernel: [place][tile][output of the block].
struct MultiplyTiles {
  template <int64_t bytes>
  ALWAYS_INLINE static void run(Tiles& tiles, const Kernel& kernel, int64_t block, int64_t count, float* to) {
    constexpr int64_t most = Registers<float, bytes>::kSums;
    for (int64_t first = 0; first < count; first += most)
      some<most, bytes>(tiles, kernel, block, first, std::min(most, count - first), to);
  }

 private:
  template <int64_t together, int64_t bytes>
  ALWAYS_INLINE static void some(Tiles& tiles, const Kernel& kernel, int64_t block, int64_t first, int64_t count,
                                 float* to) {
    if constexpr (together > 1) {
      if (count < together) return some<together - 1, bytes>(tiles, kernel, block, first, count, to);
    }
    for (int64_t place = 0; place < kPlaces; ++place) {
      const float* weights = kernel.at(block, place);
      Sums<together, bytes, float> sums;
      sums.clear();
      for (int64_t inputs = 0; inputs < kernel.size.inputs; inputs += kVector) {
        const int64_t terms = std::min(kVector, kernel.size.inputs - inputs);
        sums.add(terms, weights, tiles.at(place, inputs / kVector) + first * kVector, kVector, 1);
        weights += terms * kVector;
      }
      sums.store(to + (place * kMostTiles + first) * kVector);
    }
  }
};

// Results of a block of outputs from such products.
struct Finish {
  template <int64_t bytes>
  ALWAYS_INLINE static void run(const float* products, const float* bias, int64_t block, int64_t first, int64_t count,
                                Row<float>* to) {
    using In = Registers<float, bytes>;
    using V = typename In::Register;
    for (int64_t tile = 0; tile < count; ++tile)
      for (int64_t lane = 0; lane < kVector; lane += In::kLanes) {
        V half[kTile][kSeen];
#pragma GCC unroll 6
        for (int64_t q = 0; q < kSeen; ++q) {
          V down[kSeen], results[kTile];
#pragma GCC unroll 6
          for (int64_t p = 0; p < kSeen; ++p)
            down[p] = In::at(products + ((p * kSeen + q) * kMostTiles + tile) * kVector + lane);
          to_results(down, results);
#pragma GCC unroll 4
          for (int64_t a = 0; a < kTile; ++a) half[a][q] = results[a];
        }
#pragma GCC unroll 4
        for (int64_t a = 0; a < kTile; ++a) {
          V results[kTile];
          to_results(half[a], results);
          float* row = to[a].block(block) + (first + tile) * kTile * kVector + lane;
#pragma GCC unroll 4
          for (int64_t b = 0; b < kTile; ++b) In::at(row + b * kVector) = results[b] + In::at(bias + lane);
        }
      }
  }
};

// Adds the products of transformed tiles of a map and of cotangents to the gradient of a transformed kernel.
struct AddProducts {
  template <int64_t bytes>
  ALWAYS_INLINE static void run(Tiles& tiles, Tiles& cotangents, int64_t count, Kernel& gradient) {
    for (int64_t block = 0; block < blocks_of(gradient.size.outputs); ++block) {
      for (int64_t place = 0; place < kPlaces; ++place) {
        const float* cotangent = cotangents.at(place, block);
        float* to = gradient.at(block, place);
        for (int64_t inputs = 0; inputs < gradient.size.inputs; inputs += kVector) {
          const float* values = tiles.at(place, inputs / kVector);
          const int64_t some = std::min(kVector, gradient.size.inputs - inputs);
          rows::add_outer_products<bytes>(some, count, cotangent, values, to);
          to += some * kVector;
        }
      }
    }
  }
};

struct AddBiasGradient {
  template <int64_t bytes>
  ALWAYS_INLINE static void run(const Row<float>& cotangents, int64_t columns, Kernel& gradient) {
    for (int64_t block = 0; block < blocks_of(gradient.size.outputs); ++block)
      rows::add_bias_gradient(cotangents.block(block), columns, gradient.bias.data() + block * kVector);
  }
};

// What a thread needs to convolve rows in bands of four.
class Bands {
 public:
  explicit Bands(const Size& size)
      : tiles_(size.inputs), cotangents_(size.outputs), products_(kPlaces * kMostTiles * kVector) {}

  // Convolves six rows to four, `columns` results each.
  void convolve(const Row<float>* const* seen, const Kernel& kernel, int64_t columns, Row<float>* to) {
    for_each_group(columns, [&](int64_t first, int64_t count) {
      kernels::run<TransformTiles<true>>(seen, first, count, tiles_);
      for (int64_t block = 0; block < blocks_of(kernel.size.outputs); ++block) {
        kernels::run<MultiplyTiles>(tiles_, kernel, block, count, products_.data());
        kernels::run<Finish>(products_.data(), kernel.bias.data() + block * kVector, block, first, count, to);
      }
    });
  }

  // Adds the gradient of this with respect to the transformed kernel, given the cotangents of four rows. `again` says
  // that the last call was `convolve` with the same rows.
  void add_gradient(const Row<float>* const* seen, const Row<float>* const* cotangents, int64_t columns,
                    Kernel& gradient, bool again = false) {
    const bool held = again && columns <= kMostTiles * kTile;  // one group: its tiles are still transformed
    for_each_group(columns, [&](int64_t first, int64_t count) {
      if (!held) kernels::run<TransformTiles<true>>(seen, first, count, tiles_);
      kernels::run<TransformTiles<false>>(cotangents, first, count, cotangents_);
      kernels::run<AddProducts>(tiles_, cotangents_, count, gradient);
    });
    for (int64_t a = 0; a < kTile; ++a) kernels::run<AddBiasGradient>(*cotangents[a], columns, gradient);
  }

 private:
  Tiles tiles_, cotangents_;
  Scratch<float> products_;

  // Calls work(first tile, count) for the smallest number of groups of tiles, all of about the same size.
  template <typename Work>
  static void for_each_group(int64_t columns, const Work& work) {
    const int64_t tiles = rows::parts_of(columns, kTile);
    const int64_t each = rows::parts_of(tiles, rows::parts_of(tiles, kMostTiles));
    for (int64_t first = 0; first < tiles; first += each) work(first, std::min(each, tiles - first));
  }
};

}  // namespace winograd
