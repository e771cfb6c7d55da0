// Factorisation and solution of small symmetric systems, side by side in vectors, in double precision: smooth
// maps make them nearly singular, and single precision would lose the solution.

#pragma once

#include <cmath>
#include <limits>

#include "kernels.h"

namespace cholesky {

constexpr int64_t kLanes = 8;  // systems side by side: a cache line of each of their numbers

// Some of the systems, as many as a register holds. Pointers to their numbers are passed by value, because the compiler
// would have to assume that a store changes a pointer that is read from memory.
template <int64_t bytes>
struct Lanes {
  using In = kernels::Registers<double, bytes>;
  using Register = typename In::Register;
  int64_t first;

  ALWAYS_INLINE Register& operator()(double* values, int64_t index) const {
    return In::at(values + index * kLanes + first);
  }
};

// Calls work(lanes) for all systems.
template <int64_t bytes, typename Work>
ALWAYS_INLINE void for_all_lanes(const Work& work) {
  for (int64_t first = 0; first < kLanes; first += bytes / static_cast<int64_t>(sizeof(double)))
    work(Lanes<bytes>{first});
}

// One over the square root where that is a finite number, else 0; clears `definite` there.
template <typename Register>
ALWAYS_INLINE Register inverse_root(const Register& value, Register& definite) {
  Register root;
  for (size_t v = 0; v < sizeof(Register) / sizeof(double); ++v) {
    const bool usable = value[v] > 0 && value[v] <= std::numeric_limits<double>::max();
    root[v] = std::sqrt(usable ? value[v] : 1.0);
    definite[v] = usable ? definite[v] : 0.0;
  }
  return definite != 0 ? 1 / root : Register{};
}

// `count` rows of the factor from row i on, in column k. Several at once, because their sums are independent.
template <int64_t count, int64_t bytes>
ALWAYS_INLINE void eliminate(const Lanes<bytes>& at, double* matrix, int64_t n, int64_t i, int64_t k,
                             const typename Lanes<bytes>::Register& inverse) {
  typename Lanes<bytes>::Register sums[count];
  for (int64_t r = 0; r < count; ++r) sums[r] = at(matrix, (i + r) * n + k);
  for (int64_t j = 0; j < k; ++j) {
    const auto pivot = at(matrix, k * n + j);
    for (int64_t r = 0; r < count; ++r) sums[r] -= at(matrix, (i + r) * n + j) * pivot;
  }
  for (int64_t r = 0; r < count; ++r) at(matrix, (i + r) * n + k) = sums[r] * inverse;
}

// Factors the lower half of the matrix in place, the inverse of the diagonal on the diagonal; clears
// `definite` in lanes where the matrix is not positive definite.
template <int64_t bytes>
ALWAYS_INLINE void factor(const Lanes<bytes>& at, double* matrix, int64_t n, double* definite) {
  for (int64_t k = 0; k < n; ++k) {
    typename Lanes<bytes>::Register pivot = at(matrix, k * n + k);
    for (int64_t j = 0; j < k; ++j) pivot -= at(matrix, k * n + j) * at(matrix, k * n + j);
    const auto inverse = inverse_root(pivot, at(definite, 0));
    at(matrix, k * n + k) = inverse;
    int64_t i = k + 1;
    for (; i + 6 <= n; i += 6) eliminate<6>(at, matrix, n, i, k, inverse);
    for (; i + 3 <= n; i += 3) eliminate<3>(at, matrix, n, i, k, inverse);
    for (; i < n; ++i) eliminate<1>(at, matrix, n, i, k, inverse);
  }
}

// Solves L L' x = b for `count` columns from `first` on; x overwrites b (n, columns).
template <int64_t count, int64_t bytes>
ALWAYS_INLINE void substitute(const Lanes<bytes>& at, double* factor, int64_t n, int64_t columns,
                              int64_t first, double* b) {
  auto row = [&](int64_t i, int64_t begin, int64_t end, int64_t entry, int64_t step) __attribute__((always_inline)) {
    typename Lanes<bytes>::Register sums[count];
    for (int64_t c = 0; c < count; ++c) sums[c] = at(b, i * columns + first + c);
    for (int64_t j = begin; j < end; ++j) {
      const auto weight = at(factor, entry + j * step);
      for (int64_t c = 0; c < count; ++c) sums[c] -= weight * at(b, j * columns + first + c);
    }
    for (int64_t c = 0; c < count; ++c) at(b, i * columns + first + c) = sums[c] * at(factor, i * n + i);
  };
  for (int64_t i = 0; i < n; ++i) row(i, 0, i, i * n, 1);
  for (int64_t i = n - 1; i >= 0; --i) row(i, i + 1, n, i, n);
}

template <int64_t bytes>
ALWAYS_INLINE void substitute_all(const Lanes<bytes>& at, double* factor, int64_t n, int64_t columns,
                                  double* b) {
  int64_t first = 0;
  for (; first + 7 <= columns; first += 7) substitute<7>(at, factor, n, columns, first, b);
  for (; first + 3 <= columns; first += 3) substitute<3>(at, factor, n, columns, first, b);
  for (; first < columns; ++first) substitute<1>(at, factor, n, columns, first, b);
}

}  // namespace cholesky
