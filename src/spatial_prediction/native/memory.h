// The memory that kernels work in.

#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <vector>

namespace kernels {

// Memory that a thread gives back and soon takes again, in sizes of powers of two. The C library would divide and join
// it each time, and threads that begin a kernel together would wait for each other there, which takes up to a fifth of
// the time of a small map. Larger pieces go back at once.
class Reserve {
 public:
  static void* take(size_t bytes) {
#ifndef __SANITIZE_ADDRESS__  // which has to see where each piece ends
    const size_t order = order_of(bytes);
    if (order <= kLargest) {
      auto& kept = of_this_thread().kept_[order];
      if (!kept.empty()) {
        void* at = kept.back();
        kept.pop_back();
        return at;
      }
      bytes = size_t{1} << order;
    }
#endif
    return ::operator new(bytes, kLine);
  }

  static void give(void* at, [[maybe_unused]] size_t bytes) {
#ifndef __SANITIZE_ADDRESS__
    const size_t order = order_of(bytes);
    if (order <= kLargest) {
      auto& kept = of_this_thread().kept_[order];
      if (kept.size() < kMost) {
        kept.push_back(at);
        return;
      }
    }
#endif
    ::operator delete(at, kLine);
  }

 private:
  static constexpr std::align_val_t kLine{64};  // a vector across two cache lines takes two loads
  static constexpr size_t kLargest = 22;        // 4 MiB
  static constexpr size_t kMost = 16;           // pieces of each size

  ~Reserve() {
    for (auto& kept : kept_)
      for (void* at : kept) ::operator delete(at, kLine);
  }

  static Reserve& of_this_thread() {
    static thread_local Reserve reserve;
    return reserve;
  }

  static size_t order_of(size_t bytes) {
    size_t order = 6;
    while ((size_t{1} << order) < bytes) ++order;
    return order;
  }

  std::array<std::vector<void*>, kLargest + 1> kept_;
};

template <typename T>
struct FromReserve {
  using value_type = T;
  FromReserve() = default;
  template <typename U>
  FromReserve(const FromReserve<U>&) {}
  T* allocate(size_t count) { return static_cast<T*>(Reserve::take(count * sizeof(T))); }
  void deallocate(T* at, size_t count) { Reserve::give(at, count * sizeof(T)); }
  bool operator==(const FromReserve&) const { return true; }
  bool operator!=(const FromReserve&) const { return false; }
};

template <typename T>
using Lined = std::vector<T, FromReserve<T>>;

// The same without zeros at the beginning, for what is written before it is read: clearing it would take longer than
// the work on a small map.
template <typename T>
struct NotCleared : FromReserve<T> {
  template <typename U>
  struct rebind {
    using other = NotCleared<U>;
  };
  NotCleared() = default;
  template <typename U>
  NotCleared(const NotCleared<U>&) {}
  void construct(T*) {}
  void construct(T* at, const T& value) { ::new (at) T(value); }
};

template <typename T>
using Scratch = std::vector<T, NotCleared<T>>;

}  // namespace kernels
