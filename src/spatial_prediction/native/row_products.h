// Products of the rows of a map with the kernel of a convolution, and their derivative, from which convolutions of
// any size are built.
//
// A row is laid out as [block of channels][column][channel of the block], with blocks of as many channels as a
// vector has lanes; channels that fill up the last block are zero. A kernel is laid out as [block of
// outputs][row][block of inputs][column][input][output of the block], in the order of its use. Inputs at the ends of a
// block that a block of outputs does not use are left out, so that kernels of groups cost no more than they must.
// A result of a convolution is, for a block of outputs, a sum of vectors of the kernel, each multiplied by one
// value of a row. The sums of neighbouring pixels are kept in registers, so each vector is loaded once for all of them.

#pragma once

#include "kernels.h"

namespace rows {

using kernels::kVector;
using kernels::Lined;
using kernels::Registers;
using kernels::Scratch;

using kernels::kMostSums;

constexpr int64_t kColours = 3;

inline int64_t blocks_of(int64_t channels) { return (channels + kVector - 1) / kVector; }

// Columns of a row for some pixels, including those that complete the last group of sums.
inline int64_t columns_for(int64_t pixels) { return pixels + kMostSums; }

// A row of `columns` pixels: as many as `columns_for` returns, plus those that a kernel reaches to their right. They are
// zeros, except that the first `written` may be anything: whoever makes the row writes them before they count.
template <typename T>
struct Row {
  int64_t channels, columns;
  Scratch<T> values;

  Row(int64_t channels, int64_t columns, int64_t written = 0)
      : channels(channels), columns(columns), values(blocks_of(channels) * columns * kVector) {
    if (channels % kVector) written = 0;  // no writing fills the last block
    for (int64_t b = 0; b < blocks_of(channels); ++b)
      std::fill(block(b) + written * kVector, block(b) + columns * kVector, T(0));
  }

  T* block(int64_t b) { return values.data() + b * columns * kVector; }
  const T* block(int64_t b) const { return values.data() + b * columns * kVector; }

  // Loads `count` pixels (pixel, channel) from column `first` on; without pixels, zeros.
  void read(const T* pixels, int64_t first, int64_t count) {
    for_each_stretch(first, count, [&](int64_t place, T* here, auto some) {
      if (pixels) {
        std::copy(pixels + place, pixels + place + some, here);
      } else {
        std::fill(here, here + some, T(0));
      }
    });
  }

  void write(T* pixels, int64_t first, int64_t count) {
    for_each_stretch(first, count, [&](int64_t place, const T* here, auto some) {
      std::copy(here, here + some, pixels + place);
    });
  }

 private:
  // Calls visit(place among pixels, place here, count) for elements that are contiguous in both; for whole vectors and
  // for the colours of images the count is a compile-time constant.
  template <typename Visit>
  void for_each_stretch(int64_t first, int64_t count, const Visit& visit) {
    if (channels == kVector) return visit(0, block(0) + first * kVector, count * kVector);
    for (int64_t b = 0; b < blocks_of(channels); ++b) {
      T* here = block(b) + first * kVector;
      const int64_t some = channels - b * kVector;
      for (int64_t p = 0; p < count; ++p, here += kVector) {
        const int64_t place = p * channels + b * kVector;
        if (some >= kVector) {
          visit(place, here, std::integral_constant<int64_t, kVector>());
        } else if (some == kColours) {
          visit(place, here, std::integral_constant<int64_t, kColours>());
        } else {
          visit(place, here, some);
        }
      }
    }
  }
};

// Rows, each made by itself: a copy would take memory that is to be overwritten through the cache.
template <typename T>
Lined<Row<T>> equal_rows(int64_t count, int64_t channels, int64_t columns, int64_t written) {
  Lined<Row<T>> result;
  result.reserve(count);
  for (int64_t r = 0; r < count; ++r) result.emplace_back(channels, columns, written);
  return result;
}

// Copies `count` pixels of a row to another one of as many channels.
template <typename T>
void copy_pixels(const Row<T>& from, int64_t first, Row<T>& to, int64_t first_there, int64_t count) {
  for (int64_t b = 0; b < blocks_of(from.channels); ++b)
    std::copy_n(from.block(b) + first * kVector, count * kVector, to.block(b) + first_there * kVector);
}

struct Size {
  int64_t rows, columns, inputs, outputs;

  int64_t values() const { return rows * columns * inputs * outputs; }
  int64_t block() const { return rows * columns * inputs * kVector; }  // elements of a block of outputs
  int64_t place(int64_t a, int64_t b, int64_t i, int64_t o) const {
    return ((a * columns + b) * inputs + i) * outputs + o;
  }
  Size exchanged() const { return {rows, columns, outputs, inputs}; }

  // Calls visit(place in the layout, row, column, input) for each vector of a block of outputs.
  template <typename Visit>
  void for_each_vector(const Visit& visit) const {
    int64_t place = 0;
    for (int64_t a = 0; a < rows; ++a)
      for (int64_t first = 0; first < inputs; first += kVector)
        for (int64_t b = 0; b < columns; ++b)
          for (int64_t i = first; i < std::min(inputs, first + kVector); ++i, place += kVector) visit(place, a, b, i);
  }
};

// The inputs of a block that a block of outputs uses.
struct Span {
  int64_t first, count;
};

// A kernel (rows, columns, inputs, outputs) and a bias (outputs) laid out for products.
template <typename T>
struct Kernel {
  Size size;
  Scratch<T> weights;
  Lined<T> bias;
  Lined<Span> spans;  // [block of outputs][row][block of inputs][column]

  // Without values, the kernel is zeros.
  explicit Kernel(const Size& size, const T* kernel = nullptr, const T* added = nullptr)
      : size(size),
        weights(blocks_of(size.outputs) * size.block()),
        bias(blocks_of(size.outputs) * kVector, T(0)) {
    if (added) std::copy(added, added + size.outputs, bias.begin());
    if (!kernel || size.outputs % kVector) std::fill(weights.begin(), weights.end(), T(0));
    if (kernel)
      for_each_vector([&](T* here, int64_t place, int64_t count) {
        if (count == kVector) {  // a constant, for which no function is called
          std::copy_n(kernel + place, kVector, here);
        } else {
          std::copy_n(kernel + place, count, here);
        }
      });
    find_spans();
  }

  void add(const Kernel& other) {
    for (size_t i = 0; i < weights.size(); ++i) weights[i] += other.weights[i];
    for (size_t i = 0; i < bias.size(); ++i) bias[i] += other.bias[i];
  }

  // The kernel that carries cotangents back: turned by 180 degrees, inputs and outputs exchanged.
  static Kernel turned(const Size& size, const T* kernel) {
    Kernel result(size.exchanged());
    const auto& given = size;
    result.for_each_place([&](T* here, int64_t a, int64_t b, int64_t i, int64_t first, int64_t count) {
      for (int64_t o = 0; o < count; ++o)
        here[o] = kernel[given.place(given.rows - 1 - a, given.columns - 1 - b, first + o, i)];
    });
    result.find_spans();
    return result;
  }

  void write(T* kernel, T* added) {
    for_each_vector([&](const T* here, int64_t place, int64_t count) { std::copy_n(here, count, kernel + place); });
    std::copy(bias.begin(), bias.begin() + size.outputs, added);
  }

 private:
  void find_spans() {
    const int64_t blocks = blocks_of(size.outputs);
    spans.clear();
    for (const T* at = weights.data(); at < weights.data() + blocks * size.block();)
      for (int64_t inputs = 0; inputs < size.inputs; inputs += kVector)
        for (int64_t b = 0; b < size.columns; ++b) {
          const int64_t some = std::min(kVector, size.inputs - inputs);
          int64_t first = 0, last = some;
          const auto unused = [&](int64_t i) {
            return std::all_of(at + i * kVector, at + (i + 1) * kVector, [](T weight) { return weight == T(0); });
          };
          while (first < last && unused(first)) ++first;
          while (first < last && unused(last - 1)) --last;
          spans.push_back({first, last - first});
          at += some * kVector;
        }
  }

  // Calls visit(weights here, row, column, input, first output, count of outputs) for each vector.
  template <typename Visit>
  void for_each_place(const Visit& visit) {
    for (int64_t first = 0; first < size.outputs; first += kVector) {
      T* block = weights.data() + first / kVector * size.block();
      size.for_each_vector([&](int64_t place, int64_t a, int64_t b, int64_t i) {
        visit(block + place, a, b, i, first, std::min(kVector, size.outputs - first));
      });
    }
  }

  // Calls visit(weights here, place in the kernel as given, count of outputs) for each vector.
  template <typename Visit>
  void for_each_vector(const Visit& visit) {
    for_each_place([&](T* here, int64_t a, int64_t b, int64_t i, int64_t first, int64_t count) {
      visit(here, size.place(a, b, i, first), count);
    });
  }
};

// `count` sums, one vector each, in registers.
template <int64_t count, int64_t bytes, typename T>
struct Sums {
  using In = Registers<T, bytes>;
  typename In::Register sums[count * In::kEach];

  // Starts the sums with the vectors at `from`, `step` elements apart.
  ALWAYS_INLINE void load(const T* from, int64_t step) {
#pragma GCC unroll 16
    for (int64_t i = 0; i < count * In::kEach; ++i)
      sums[i] = In::at(from + i / In::kEach * step + i % In::kEach * In::kLanes);
  }

  ALWAYS_INLINE void clear() {
#pragma GCC unroll 16
    for (int64_t i = 0; i < count * In::kEach; ++i) sums[i] = typename In::Register{};
  }

  // Adds the vectors at `from`, one to each sum.
  ALWAYS_INLINE void add(const T* from) {
#pragma GCC unroll 16
    for (int64_t i = 0; i < count * In::kEach; ++i) sums[i] += In::at(from + i * In::kLanes);
  }

  ALWAYS_INLINE void store(T* to) const {
#pragma GCC unroll 16
    for (int64_t i = 0; i < count * In::kEach; ++i) In::at(to + i * In::kLanes) = sums[i];
  }

  // Adds, for each term, to sum i the term's vector multiplied by its value at i * value_step.
  ALWAYS_INLINE void add(int64_t terms, const T* vectors, const T* values, int64_t value_step, int64_t term_step) {
    for (int64_t t = 0; t < terms; ++t, vectors += kVector, values += term_step) {
      typename In::Register vector[In::kEach];
#pragma GCC unroll 16
      for (int64_t part = 0; part < In::kEach; ++part) vector[part] = In::at(vectors + part * In::kLanes);
#pragma GCC unroll 16
      for (int64_t i = 0; i < count * In::kEach; ++i)
        sums[i] += values[i / In::kEach * value_step] * vector[i % In::kEach];
    }
  }
};

// Adds to sums a block of the products of a kernel with the windows from pixel `first` of `seen` on, which has one row
// for each of the kernel's.
template <int64_t bytes, typename T, typename Some>
ALWAYS_INLINE void add_window(const Row<T>* const* seen, const Kernel<T>& kernel, int64_t block, int64_t first,
                              Some& sums) {
  const Size& size = kernel.size;
  const int64_t steps = size.rows * blocks_of(size.inputs) * size.columns;
  const T* weights = kernel.weights.data() + block * size.block();
  const Span* span = kernel.spans.data() + block * steps;
  for (int64_t a = 0; a < size.rows; ++a)
    for (int64_t inputs = 0; inputs < size.inputs; inputs += kVector)
      for (int64_t b = 0; b < size.columns; ++b, ++span) {
        const T* values = seen[a]->block(inputs / kVector) + (first + b) * kVector;
        sums.add(span->count, weights + span->first * kVector, values + span->first, kVector, 1);
        weights += std::min(kVector, size.inputs - inputs) * kVector;
      }
}

// Calls work(pixels of the group, its first) for the smallest number of groups of pixels, each with no more than
// needed; the first argument is a compile-time constant. The last group may reach beyond `count`.
template <int64_t most, typename Work>
ALWAYS_INLINE void in_groups(int64_t count, int64_t wanted, const Work& work) {
  if constexpr (most > 1) {
    if (wanted < most) return in_groups<most - 1>(count, wanted, work);
  }
  for (int64_t first = 0; first < count; first += most) work(std::integral_constant<int64_t, most>(), first);
}

template <typename T, int64_t bytes, typename Work>
ALWAYS_INLINE void in_groups(int64_t count, const Work& work) {
  constexpr int64_t most = Registers<T, bytes>::kSums;
  const int64_t groups = (count + most - 1) / most;
  in_groups<most>(count, (count + groups - 1) / groups, work);
}

// to[p] = bias + product of the kernel with the window at pixel p
struct Products {
  template <int64_t bytes, typename T>
  ALWAYS_INLINE static void run(const Row<T>* const* seen, const Kernel<T>& kernel, int64_t count, Row<T>& to) {
    for (int64_t block = 0; block < blocks_of(kernel.size.outputs); ++block)
      in_groups<T, bytes>(count, [&](auto pixels, int64_t first) ALWAYS_INLINED {
        Sums<pixels(), bytes, T> sums;
        sums.load(kernel.bias.data() + block * kVector, 0);
        add_window<bytes>(seen, kernel, block, first, sums);
        sums.store(to.block(block) + first * kVector);
      });
  }
};

// to[there + p] = bias + product of a kernel of one pixel with pixel begin + p of a row; `added`: so much is added.
template <bool added>
struct PixelProducts {
  template <int64_t bytes, typename T>
  ALWAYS_INLINE static void run(const Row<T>& from, int64_t begin, const Kernel<T>& kernel, int64_t count, Row<T>& to,
                                int64_t there) {
    const Row<T>* const seen[] = {&from};
    for (int64_t block = 0; block < blocks_of(kernel.size.outputs); ++block)
      in_groups<T, bytes>(count, [&](auto pixels, int64_t first) ALWAYS_INLINED {
        T* const results = to.block(block) + (there + first) * kVector;
        Sums<pixels(), bytes, T> sums;
        sums.load(kernel.bias.data() + block * kVector, 0);
        if constexpr (added) sums.add(results);
        add_window<bytes>(seen, kernel, block, begin + first, sums);
        sums.store(results);
      });
  }
};

// to[i] += sum over `count` pixels of value i of the pixel, multiplied by its vector of cotangents
template <int64_t bytes, typename T>
ALWAYS_INLINE void add_outer_products(int64_t some, int64_t count, const T* cotangents, const T* values, T* to) {
  int64_t c = 0;
  auto add = [&](auto together) ALWAYS_INLINED {
    for (; c + together() <= some; c += together(), to += together() * kVector) {
      Sums<together(), bytes, T> sums;
      sums.load(to, kVector);
      sums.add(count, cotangents, values + c, 1, kVector);
      sums.store(to);
    }
  };
  constexpr int64_t most = Registers<T, bytes>::kSums;
  if constexpr (most >= kMostSums) add(std::integral_constant<int64_t, kMostSums>());
  if constexpr (most >= 4) add(std::integral_constant<int64_t, 4>());
  add(std::integral_constant<int64_t, 1>());
}

// Adds the sum of a block of the cotangents of pixels to that of the bias.
template <typename T>
ALWAYS_INLINE void add_bias_gradient(const T* cotangent, int64_t count, T* bias) {
  const auto sum = [](const T* at, int64_t v) { return at[v] + at[kVector + v]; };
  int64_t p = 0;
  for (; p + 4 <= count; p += 4, cotangent += 4 * kVector)
    for (int64_t v = 0; v < kVector; ++v) bias[v] += sum(cotangent, v) + sum(cotangent + 2 * kVector, v);
  for (; p < count; ++p, cotangent += kVector)
    for (int64_t v = 0; v < kVector; ++v) bias[v] += cotangent[v];
}

// Adds the gradient of `Products` with respect to the kernel and the bias, given the cotangents of its result.
struct AddKernelGradient {
  template <int64_t bytes, typename T>
  ALWAYS_INLINE static void run(const Row<T>* const* seen, const Row<T>& cotangents, int64_t count, Kernel<T>& kernel) {
    const Size& size = kernel.size;
    for (int64_t block = 0; block < blocks_of(size.outputs); ++block) {
      const T* cotangent = cotangents.block(block);
      T* to = kernel.weights.data() + block * size.block();
      for (int64_t a = 0; a < size.rows; ++a)
        for (int64_t inputs = 0; inputs < size.inputs; inputs += kVector)
          for (int64_t b = 0; b < size.columns; ++b) {
            const int64_t some = std::min(kVector, size.inputs - inputs);
            add_outer_products<bytes>(some, count, cotangent, seen[a]->block(inputs / kVector) + b * kVector, to);
            to += some * kVector;
          }
      add_bias_gradient(cotangent, count, kernel.bias.data() + block * kVector);
    }
  }
};

inline int64_t parts_of(int64_t size, int64_t most) { return (size + most - 1) / most; }

// Calls work(part, map, first, last) for parts of at most `most` of the `size` rows or pixels of each map, on all
// threads; `begin` makes the `work` of a thread.
template <typename Begin>
void for_each_part(ffi::ThreadPool& pool, int64_t maps, int64_t size, int64_t most, const Begin& begin) {
  const int64_t parts = parts_of(size, most);
  kernels::for_each_map(pool, maps * parts, [&] {
    return [&, work = begin()](int64_t part) mutable {
      const int64_t first = part % parts * most;
      work(part, part / parts, first, std::min(size, first + most));
    };
  });
}

// The leading axes of a kernel are the first ones of the maps; the maps along the remaining axes share a kernel.
struct Kernels {
  int64_t count, maps_each;

  Kernels(ffi::Span<const int64_t> kernel, int64_t maps) : count(1) {
    for (size_t i = 0; i + 4 < kernel.size(); ++i) count *= kernel[i];
    maps_each = count ? maps / count : 0;
  }
};

// Kernels (*kernels, rows, columns, inputs, outputs) and biases (*kernels, outputs) laid out.
template <typename T>
Lined<Kernel<T>> laid_out(const Size& size, int64_t count, const T* kernels, const T* biases) {
  Lined<Kernel<T>> result;
  result.reserve(count);
  for (int64_t k = 0; k < count; ++k)
    result.emplace_back(size, kernels + k * size.values(), biases + k * size.outputs);
  return result;
}

// Kernels as they carry cotangents back.
template <typename T>
Lined<Kernel<T>> turned(const Size& size, int64_t count, const T* kernels) {
  Lined<Kernel<T>> result;
  result.reserve(count);
  for (int64_t k = 0; k < count; ++k) result.push_back(Kernel<T>::turned(size, kernels + k * size.values()));
  return result;
}

// Writes the sum of the `parts` of each kernel's gradient, always in the same order, whichever thread computed them.
template <typename T>
void write_sums(const Size& size, Lined<Kernel<T>>& partial, int64_t count, T* kernels, T* biases) {
  const int64_t parts = count ? partial.size() / count : 0;
  for (int64_t k = 0; k < count; ++k) {
    Kernel<T> total(size);
    for (int64_t part = 0; part < parts; ++part) total.add(partial[k * parts + part]);
    total.write(kernels + k * size.values(), biases + k * size.outputs);
  }
}

}  // namespace rows
