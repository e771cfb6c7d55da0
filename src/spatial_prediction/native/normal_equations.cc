// XLA custom calls: the solution of small symmetric positive definite systems, and its derivative.
//
// The leading axes are those of the equations and the last one is that of the systems, so that neighbours in memory
// are solved side by side. Where a matrix is not positive definite, the solution is 0, with gradient 0.

#include "checks.h"
#include "cholesky.h"

namespace {

using cholesky::kLanes;
using cholesky::Lanes;
using kernels::Lined;

// A block of systems: matrix (unknowns, unknowns), right-hand side (unknowns, columns).
class Systems {
 public:
  Systems(int64_t unknowns, int64_t columns, int64_t count)
      : unknowns_(unknowns),
        columns_(columns),
        count_(count),
        factor_(unknowns * unknowns * kLanes),
        definite_(kLanes) {}

  int64_t right_hand_size() const { return unknowns_ * columns_; }
  int64_t matrix_size() const { return unknowns_ * unknowns_; }

  // Factors the matrices of the systems from `first` on.
  template <typename T>
  void factor(const T* matrix, int64_t first) {
    first_ = first;
    lanes_ = std::min(kLanes, count_ - first);
    take(matrix, matrix_size(), factor_);
    std::fill(definite_.begin(), definite_.end(), 1.0);
    kernels::run<Factor>(*this);
  }

  // Loads right-hand sides and overwrites them with the solutions.
  template <typename T>
  void solve(const T* right_hand_side, Lined<double>& solution) {
    take(right_hand_side, right_hand_size(), solution);
    kernels::run<Substitute>(*this, solution.data());
  }

  template <typename T>
  void give(const Lined<double>& from, int64_t size, T* to) const {
    for (int64_t i = 0; i < size; ++i)
      for (int64_t v = 0; v < lanes_; ++v) to[i * count_ + first_ + v] = from[i * kLanes + v];
  }

  // With A y = cotangent of x, the cotangent of the matrix is -y x', which overwrites the factor.
  template <typename T>
  void give_matrix_cotangents(Lined<double>& y, Lined<double>& x, T* to) {
    kernels::run<MultiplyOut>(*this, y.data(), x.data());
    give(factor_, matrix_size(), to);
  }

 private:
  struct Factor {
    template <int64_t bytes>
    ALWAYS_INLINE static void run(Systems& of) {
      cholesky::for_all_lanes<bytes>([&](auto at) ALWAYS_INLINED {
        cholesky::factor(at, of.factor_.data(), of.unknowns_, of.definite_.data());
      });
    }
  };

  struct Substitute {
    template <int64_t bytes>
    ALWAYS_INLINE static void run(Systems& of, double* b) {
      const int64_t size = of.right_hand_size();
      cholesky::for_all_lanes<bytes>([&](auto at) ALWAYS_INLINED {
        cholesky::substitute_all(at, of.factor_.data(), of.unknowns_, of.columns_, b);
        const auto definite = at(of.definite_.data(), 0);
        for (int64_t i = 0; i < size; ++i) at(b, i) = definite != 0 ? at(b, i) : typename Lanes<bytes>::Register{};
      });
    }
  };

  struct MultiplyOut {
    template <int64_t bytes>
    ALWAYS_INLINE static void run(Systems& of, double* y, double* x) {
      const int64_t unknowns = of.unknowns_, columns = of.columns_;
      double* const matrix = of.factor_.data();
      cholesky::for_all_lanes<bytes>([&](auto at) ALWAYS_INLINED {
        for (int64_t i = 0; i < unknowns; ++i)
          for (int64_t j = 0; j < unknowns; ++j) {
            typename Lanes<bytes>::Register sum = {};
            for (int64_t k = 0; k < columns; ++k) sum -= at(y, i * columns + k) * at(x, j * columns + k);
            at(matrix, i * unknowns + j) = sum;
          }
      });
    }
  };

  template <typename T>
  void take(const T* from, int64_t size, Lined<double>& to) const {
    for (int64_t i = 0; i < size; ++i) {
      for (int64_t v = 0; v < lanes_; ++v) to[i * kLanes + v] = from[i * count_ + first_ + v];
      for (int64_t v = lanes_; v < kLanes; ++v) to[i * kLanes + v] = 0;
    }
  }

  int64_t unknowns_, columns_, count_, first_ = 0, lanes_ = 0;
  Lined<double> factor_, definite_;
};

// Sizes of a right-hand side (*groups, unknowns, columns, count), and its blocks of systems, distributed over threads.
struct Blocks {
  int64_t groups = 1, unknowns, columns, count, in_group;

  Blocks(checks::Call& call, ffi::Span<const int64_t> matrix, ffi::Span<const int64_t> right_hand_side) {
    const kernels::Shape shape = call.maps("right_hand_side", right_hand_side);
    groups = shape.maps, unknowns = shape.height, columns = shape.width, count = shape.channels;
    in_group = (count + kLanes - 1) / kLanes;
    call.of_maps("matrix", matrix, {unknowns, unknowns, count});
  }
};

// matrix (*groups, unknowns, unknowns, count), right-hand side -> solution (*groups, unknowns, columns, count)
template <ffi::DataType D>
ffi::Error solve(ffi::ThreadPool pool, ffi::Buffer<D> matrix, ffi::Buffer<D> right_hand_side,
                 ffi::ResultBuffer<D> solution) {
  checks::Call call("normal_equations");
  const Blocks blocks(call, matrix.dimensions(), right_hand_side.dimensions());
  call.same("solution", solution->dimensions(), right_hand_side.dimensions());
  if (call.failed()) return call.error();
  kernels::for_each_map(pool, blocks.groups * blocks.in_group, [&] {
    return [&, systems = Systems(blocks.unknowns, blocks.columns, blocks.count),
            x = Lined<double>(blocks.unknowns * blocks.columns * kLanes)](int64_t block) mutable {
      const int64_t group = block / blocks.in_group, first = block % blocks.in_group * kLanes;
      const int64_t side = group * systems.right_hand_size() * blocks.count;
      systems.factor(matrix.typed_data() + group * systems.matrix_size() * blocks.count, first);
      systems.solve(right_hand_side.typed_data() + side, x);
      systems.give(x, systems.right_hand_size(), solution->typed_data() + side);
    };
  });
  return ffi::Error::Success();
}

// The gradients of `solve`.
template <ffi::DataType D>
ffi::Error solve_gradient(ffi::ThreadPool pool, ffi::Buffer<D> matrix, ffi::Buffer<D> right_hand_side,
                          ffi::Buffer<D> cotangents, ffi::ResultBuffer<D> of_matrix,
                          ffi::ResultBuffer<D> of_right_hand_side) {
  checks::Call call("normal_equations_gradient");
  const Blocks blocks(call, matrix.dimensions(), right_hand_side.dimensions());
  call.same("cotangents", cotangents.dimensions(), right_hand_side.dimensions());
  call.same("of_matrix", of_matrix->dimensions(), matrix.dimensions());
  call.same("of_right_hand_side", of_right_hand_side->dimensions(), right_hand_side.dimensions());
  if (call.failed()) return call.error();
  kernels::for_each_map(pool, blocks.groups * blocks.in_group, [&] {
    return [&, systems = Systems(blocks.unknowns, blocks.columns, blocks.count),
            x = Lined<double>(blocks.unknowns * blocks.columns * kLanes),
            y = Lined<double>(blocks.unknowns * blocks.columns * kLanes)](int64_t block) mutable {
      const int64_t group = block / blocks.in_group, first = block % blocks.in_group * kLanes;
      const int64_t side = group * systems.right_hand_size() * blocks.count;
      const int64_t square = group * systems.matrix_size() * blocks.count;
      systems.factor(matrix.typed_data() + square, first);
      systems.solve(right_hand_side.typed_data() + side, x);
      systems.solve(cotangents.typed_data() + side, y);
      systems.give(y, systems.right_hand_size(), of_right_hand_side->typed_data() + side);
      systems.give_matrix_cotangents(y, x, of_matrix->typed_data() + square);
    };
  });
  return ffi::Error::Success();
}

}  // namespace

DEFINE_KERNEL(normal_equations, solve, 2, 1);
DEFINE_KERNEL(normal_equations_gradient, solve_gradient, 3, 2);
