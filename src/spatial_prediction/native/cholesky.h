// Factorisation and solution of small symmetric systems, side by side in vectors, in double precision: smooth
// maps make them nearly singular, and single precision would lose the solution.

#pragma once

#include <cmath>

#include "kernels.h"

namespace cholesky {

using kernels::kVector;
using kernels::Lined;
using Lanes = double __attribute__((vector_size(kVector * sizeof(double)), aligned(sizeof(double)), may_alias));

inline Lanes& at(Lined<double>& values, int64_t index) {
  return *reinterpret_cast<Lanes*>(values.data() + index * kVector);
}

// `count` rows of the factor from row i on, in column k. Several at once, for their sums do not wait for
// one another.
template <int64_t count>
__attribute__((always_inline)) inline void eliminate(Lined<double>& matrix, int64_t n, int64_t i, int64_t k,
                                                     const Lanes& inverse) {
  Lanes sums[count];
  for (int64_t r = 0; r < count; ++r) sums[r] = at(matrix, (i + r) * n + k);
  for (int64_t j = 0; j < k; ++j)
    for (int64_t r = 0; r < count; ++r) sums[r] -= at(matrix, (i + r) * n + j) * at(matrix, k * n + j);
  for (int64_t r = 0; r < count; ++r) at(matrix, (i + r) * n + k) = sums[r] * inverse;
}

// Factors the lower half of the matrix in place, the inverse of the diagonal on the diagonal; clears
// `definite` in lanes where the matrix is not positive definite.
FOR_EACH_PROCESSOR inline void factor(Lined<double>& matrix, int64_t n, double* definite) {
  for (int64_t k = 0; k < n; ++k) {
    Lanes pivot = at(matrix, k * n + k), inverse;
    for (int64_t j = 0; j < k; ++j) pivot -= at(matrix, k * n + j) * at(matrix, k * n + j);
    for (int64_t v = 0; v < kVector; ++v) {
      const bool usable = pivot[v] > 0 && std::isfinite(pivot[v]);
      if (!usable) definite[v] = 0;
      inverse[v] = usable ? 1 / std::sqrt(pivot[v]) : 0;
    }
    at(matrix, k * n + k) = inverse;
    int64_t i = k + 1;
    for (; i + 4 <= n; i += 4) eliminate<4>(matrix, n, i, k, inverse);
    for (; i < n; ++i) eliminate<1>(matrix, n, i, k, inverse);
  }
}

// Solves L L' x = b for `count` columns from `first` on, x in the place of b (n, columns).
template <int64_t count>
__attribute__((always_inline)) inline void substitute(Lined<double>& factor, int64_t n, int64_t columns,
                                                      int64_t first, Lined<double>& b) {
  auto row = [&](int64_t i, int64_t begin, int64_t end, int64_t down, int64_t right) {
    Lanes sums[count];
    for (int64_t c = 0; c < count; ++c) sums[c] = at(b, i * columns + first + c);
    for (int64_t j = begin; j < end; ++j)
      for (int64_t c = 0; c < count; ++c)
        sums[c] -= at(factor, i * down + j * right) * at(b, j * columns + first + c);
    for (int64_t c = 0; c < count; ++c) at(b, i * columns + first + c) = sums[c] * at(factor, i * n + i);
  };
  for (int64_t i = 0; i < n; ++i) row(i, 0, i, n, 1);
  for (int64_t i = n - 1; i >= 0; --i) row(i, i + 1, n, 1, n);
}

FOR_EACH_PROCESSOR inline void substitute_all(Lined<double>& factor, int64_t n, int64_t columns,
                                              Lined<double>& b) {
  int64_t first = 0;
  for (; first + 4 <= columns; first += 4) substitute<4>(factor, n, columns, first, b);
  for (; first + 2 <= columns; first += 2) substitute<2>(factor, n, columns, first, b);
  for (; first < columns; ++first) substitute<1>(factor, n, columns, first, b);
}

}  // namespace cholesky
