// What all kernels share: vectors, the shape of maps, and the registration with XLA.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "memory.h"
#include "threads.h"

// One binary serves every processor of its family: the loader picks the version for the present one.
// ONE_VERSION compiles a single version, as for other compilers and processors, for tests.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && !defined(ONE_VERSION)
#define HAS_VERSIONS
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif
#define ALWAYS_INLINED __attribute__((always_inline))
#define ALWAYS_INLINE ALWAYS_INLINED inline

namespace kernels {

constexpr int64_t kVector = 16;  // elements handled side by side

// Elements side by side; the compiler splits them into the processor's registers.
template <typename T>
struct Vector {
  typedef T type __attribute__((vector_size(kVector * sizeof(T)), aligned(sizeof(T)), may_alias));
};

constexpr int64_t kMostSums = 16;  // the most vectors kept in registers

// Vectors as explicit arrays of registers, because compilers split wider vectors badly.
template <typename T, int64_t bytes>
struct Registers {
  typedef T Register __attribute__((vector_size(bytes), aligned(sizeof(T)), may_alias));
  static constexpr int64_t kLanes = bytes / sizeof(T), kEach = kVector / kLanes;     // of a register, of a vector
  // Vectors kept in registers while others are loaded; processors with registers of 64 bytes have twice as many.
  static constexpr int64_t kSums = std::max<int64_t>(1, (bytes == 64 ? kMostSums : 12) / kEach);

  ALWAYS_INLINE static const Register& at(const T* from) { return *reinterpret_cast<const Register*>(from); }
  ALWAYS_INLINE static Register& at(T* to) { return *reinterpret_cast<Register*>(to); }
};

// Calls work(0), ..., work(count - 1) with compile-time constants: arrays indexed by them stay in registers.
template <typename Work, int64_t... i>
ALWAYS_INLINE void unrolled(const Work& work, std::integer_sequence<int64_t, i...>) {
  (work(std::integral_constant<int64_t, i>()), ...);
}
template <int64_t count, typename Work>
ALWAYS_INLINE void unrolled(const Work& work) {
  unrolled(work, std::make_integer_sequence<int64_t, count>());
}

// Bytes of the vector registers that `run` uses: the processor's, or fewer if the environment says so, to test the
// versions for other processors.
inline int64_t register_bytes() {
#ifdef HAS_VERSIONS
  static const int64_t bytes = [] {
    const char* limit = std::getenv("SPATIAL_PREDICTION_REGISTER_BYTES");
    const int64_t most = limit ? std::atoll(limit) : 64;
    if (most >= 64 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) return 64;
    if (most >= 32 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 32;
    return 16;
  }();
  return bytes;
#else
  return 16;
#endif
}

// Runs `Work::run<bytes>(arguments...)`, always inline, compiled for registers of `bytes`. For code that depends on
// their size; other code uses FOR_EACH_PROCESSOR.
#ifdef HAS_VERSIONS
template <typename Work, typename... Arguments>
__attribute__((target("arch=x86-64-v4"))) void run_with_64_bytes(Arguments&... arguments) {
  Work::template run<64>(arguments...);
}
template <typename Work, typename... Arguments>
__attribute__((target("arch=x86-64-v3"))) void run_with_32_bytes(Arguments&... arguments) {
  Work::template run<32>(arguments...);
}
#endif
template <typename Work, typename... Arguments>
void run(Arguments&&... arguments) {
#ifdef HAS_VERSIONS
  if (register_bytes() == 64) return run_with_64_bytes<Work>(arguments...);
  if (register_bytes() == 32) return run_with_32_bytes<Work>(arguments...);
#endif
  Work::template run<16>(arguments...);
}

struct Shape {
  int64_t maps, height, width, channels;
};

inline Shape shape_of(ffi::Span<const int64_t> dimensions) {
  const size_t rank = dimensions.size();
  Shape shape{1, dimensions[rank - 3], dimensions[rank - 2], dimensions[rank - 1]};
  for (size_t i = 0; i + 3 < rank; ++i) shape.maps *= dimensions[i];
  return shape;
}

// Copies an argument to the result that is to overwrite it, unless both share their memory.
template <ffi::DataType D>
void take_over(const ffi::Buffer<D>& argument, ffi::ResultBuffer<D>& result) {
  if (result->typed_data() != argument.typed_data())
    std::copy(argument.typed_data(), argument.typed_data() + argument.element_count(), result->typed_data());
}

// Adds `arguments` buffers and then `results` buffers to a binding, at least one in all.
template <ffi::DataType D, int arguments, int results, typename Binding>
auto with_buffers(Binding&& binding) {
  if constexpr (arguments == 1 && results == 0) {
    return std::move(binding).template Arg<ffi::Buffer<D>>();
  } else if constexpr (arguments > 0) {
    return with_buffers<D, arguments - 1, results>(std::move(binding).template Arg<ffi::Buffer<D>>());
  } else if constexpr (results > 1) {
    return with_buffers<D, 0, results - 1>(std::move(binding).template Ret<ffi::Buffer<D>>());
  } else {
    return std::move(binding).template Ret<ffi::Buffer<D>>();
  }
}

}  // namespace kernels

// Makes `function<D>(pool, attributes..., arguments..., results...)` a custom call for either precision; the macro
// arguments after the counts of buffers bind the attributes: .Attr<double>("scale") ...
#define DEFINE_KERNEL_FOR(symbol, function, D, arguments, results, ...) \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(                                        \
      symbol, function<D>,                                              \
      (kernels::with_buffers<D, arguments, results>(ffi::Ffi::Bind().Ctx<ffi::ThreadPool>() __VA_ARGS__)))

#define DEFINE_KERNEL(name, function, arguments, results, ...)                              \
  DEFINE_KERNEL_FOR(name##_float32, function, ffi::F32, arguments, results, __VA_ARGS__);  \
  DEFINE_KERNEL_FOR(name##_float64, function, ffi::F64, arguments, results, __VA_ARGS__)
