// What all kernels share: threads, vectors, the shape of maps, and how a kernel is made known to XLA.
//
// Maps are independent and go to the threads one by one: results do not depend on their number.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

// One binary serves every processor of its family: the loader picks the version for the one at hand.
// ONE_VERSION compiles as other compilers and processors do, for tests.
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

// Elements side by side; the compiler splits them into the registers that a processor has.
template <typename T>
struct Vector {
  typedef T type __attribute__((vector_size(kVector * sizeof(T)), aligned(sizeof(T)), may_alias));
};

constexpr int64_t kMostSums = 16;  // vectors kept in registers side by side, at most

// Vectors in as many registers as they take; compilers split wider ones badly.
template <typename T, int64_t bytes>
struct Registers {
  typedef T Register __attribute__((vector_size(bytes), aligned(sizeof(T)), may_alias));
  static constexpr int64_t kLanes = bytes / sizeof(T), kEach = kVector / kLanes;     // of a register, of a vector
  // Vectors kept while others come: 64 bytes go with twice as many registers.
  static constexpr int64_t kSums = std::max<int64_t>(1, (bytes == 64 ? kMostSums : 12) / kEach);

  ALWAYS_INLINE static const Register& at(const T* from) { return *reinterpret_cast<const Register*>(from); }
  ALWAYS_INLINE static Register& at(T* to) { return *reinterpret_cast<Register*>(to); }
};

// Calls work(0), ..., work(count - 1) with numbers that the compiler knows: what is so indexed stays in registers.
template <typename Work, int64_t... i>
ALWAYS_INLINE void unrolled(const Work& work, std::integer_sequence<int64_t, i...>) {
  (work(std::integral_constant<int64_t, i>()), ...);
}
template <int64_t count, typename Work>
ALWAYS_INLINE void unrolled(const Work& work) {
  unrolled(work, std::make_integer_sequence<int64_t, count>());
}

// Memory that begins where a cache line does: a vector across two lines takes two loads.
template <typename T>
struct OnCacheLine {
  using value_type = T;
  static constexpr std::align_val_t line{64};
  OnCacheLine() = default;
  template <typename U>
  OnCacheLine(const OnCacheLine<U>&) {}
  T* allocate(size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), line)); }
  void deallocate(T* at, size_t) { ::operator delete(at, line); }
  bool operator==(const OnCacheLine&) const { return true; }
  bool operator!=(const OnCacheLine&) const { return false; }
};

template <typename T>
using Lined = std::vector<T, OnCacheLine<T>>;

// Bytes of the vector registers that `run` uses: the processor's, or fewer if the environment says so, for tests of
// what other processors run.
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

// Runs `Work::run<bytes>(arguments...)`, always inline, as compiled for registers of so many bytes. For what has to
// know them; all else is FOR_EACH_PROCESSOR.
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

// Gives each map to the calling thread or to one that helps; `begin` makes what a thread needs for its
// maps. Helpers that come too late find nothing to do, and nobody waits for one that has not begun: a pool
// whose threads are all waiting would stand still.
template <typename Begin>
void for_each_map(ffi::ThreadPool& pool, int64_t maps, const Begin& begin) {
  struct State {
    std::atomic<int64_t> next{0}, done{0};
  };
  auto state = std::make_shared<State>();
  auto take = [state, maps, &begin] {
    int64_t map = state->next.fetch_add(1);
    if (map >= maps) return;
    auto work = begin();
    for (; map < maps; map = state->next.fetch_add(1)) {
      work(map);
      state->done.fetch_add(1);
    }
  };
  const int64_t helpers = std::min<int64_t>(pool.num_threads(), maps) - 1;
  for (int64_t i = 0; i < helpers; ++i) pool.Schedule(decltype(take)(take));
  take();
  while (state->done.load() < maps) std::this_thread::yield();
}

// Fills a result that takes the place of an argument, unless it does so already.
template <ffi::DataType D>
void take_over(const ffi::Buffer<D>& argument, ffi::ResultBuffer<D>& result) {
  if (result->typed_data() != argument.typed_data())
    std::copy(argument.typed_data(), argument.typed_data() + argument.element_count(), result->typed_data());
}

// Adds `arguments` buffers and then `results` buffers, at least one, to a binding.
template <ffi::DataType D, int arguments, int results, typename Binding>
auto with_buffers(Binding&& binding) {
  if constexpr (arguments > 0) {
    return with_buffers<D, arguments - 1, results>(std::move(binding).template Arg<ffi::Buffer<D>>());
  } else if constexpr (results > 1) {
    return with_buffers<D, 0, results - 1>(std::move(binding).template Ret<ffi::Buffer<D>>());
  } else {
    return std::move(binding).template Ret<ffi::Buffer<D>>();
  }
}

}  // namespace kernels

// Makes `function<D>(pool, attributes..., arguments..., results...)` a custom call for either precision;
// what follows the counts of buffers binds the attributes: .Attr<double>("scale") ...
#define DEFINE_KERNEL_FOR(symbol, function, D, arguments, results, ...) \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(                                        \
      symbol, function<D>,                                              \
      (kernels::with_buffers<D, arguments, results>(ffi::Ffi::Bind().Ctx<ffi::ThreadPool>() __VA_ARGS__)))

#define DEFINE_KERNEL(name, function, arguments, results, ...)                              \
  DEFINE_KERNEL_FOR(name##_float32, function, ffi::F32, arguments, results, __VA_ARGS__);  \
  DEFINE_KERNEL_FOR(name##_float64, function, ffi::F64, arguments, results, __VA_ARGS__)
