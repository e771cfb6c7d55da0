// The threads of kernels.
//
// Maps, or parts of maps of a size that does not depend on the number of threads, are handed to the threads one by one,
// and sums over parts are added in their order: so results do not depend on the number of threads.

#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

namespace kernels {

inline void pause() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// Threads of the pool that have finished their work and, for a short time, wait for more: the next kernel often begins
// a few microseconds later, and to wake a thread that sleeps takes longer than its share of a small map.
class Helpers {
 public:
  using Work = std::function<void()>;

  static Helpers& all() {
    static Helpers& helpers = *new Helpers;  // never destroyed, because threads may wait when the process ends
    return helpers;
  }

  // Gives work to a thread that waits for it, to the pool, or, where its threads are all here, to the first that ends
  // what it does. They are no more than the pool has beside the caller: one too many would take turns with the others.
  void give(ffi::ThreadPool& pool, const Work& work) {
    const size_t most = std::max<int64_t>(1, pool.num_threads() - 1);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!waiting_.empty()) {
        Waiting& thread = *waiting_.back();
        waiting_.pop_back();
        thread.work = work;
        thread.has_work.store(true, std::memory_order_release);
        return;
      }
      if (here_ >= most) {
        if (next_.size() < most) next_.push_back(work);  // else the caller does it
        return;
      }
      ++here_;
    }
    pool.Schedule([this, work] {
      Waiting here{work};
      do here.work();
      while (gets_more(here));
    });
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::microseconds kPatience{30};
  static constexpr int kLooks = 16;  // between two looks at the clock

  struct Waiting {
    Work work;
    std::atomic<bool> has_work{false};
  };

  bool gets_more(Waiting& here) {
    here.has_work.store(false);
    const auto end = Clock::now() + kPatience;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!next_.empty()) {
        here.work = std::move(next_.front());
        next_.pop_front();
        return true;
      }
      waiting_.push_back(&here);
    }
    do {
      for (int i = 0; i < kLooks; ++i, pause())
        if (here.has_work.load(std::memory_order_acquire)) return true;
    } while (Clock::now() < end);
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto place = std::find(waiting_.begin(), waiting_.end(), &here);
    if (place == waiting_.end()) return true;  // it has been given some since
    waiting_.erase(place);
    --here_;
    return false;
  }

  std::mutex mutex_;
  std::vector<Waiting*> waiting_;
  std::deque<Work> next_;
  size_t here_ = 0;  // threads that work or wait, or that the pool is about to send
};

// Processes maps on the calling thread and on helper threads; `begin` makes the function with which a thread processes
// its maps. Each thread begins with a range of its own, because in the next kernel it will find these maps in its cache,
// and then takes from the others. A helper that starts too late finds nothing to do, and the caller does not wait for
// helpers that have not started: a pool whose threads are all waiting would deadlock.
template <typename Begin>
void for_each_map(ffi::ThreadPool& pool, int64_t maps, const Begin& begin) {
  const int64_t threads = std::clamp<int64_t>(pool.num_threads(), 1, std::max<int64_t>(1, maps));
  struct Ranges {
    std::vector<std::atomic<int64_t>> next;
    std::atomic<int64_t> done{0};
    const int64_t maps;

    Ranges(int64_t threads, int64_t maps) : next(threads), maps(maps) {
      for (int64_t range = 0; range < threads; ++range) next[range] = first(range);
    }
    int64_t first(int64_t range) const { return maps * range / static_cast<int64_t>(next.size()); }

    // The next map for a thread, or -1.
    int64_t take(int64_t thread) {
      const int64_t count = next.size();
      for (int64_t i = 0; i < count; ++i) {
        const int64_t range = (thread + i) % count;
        if (next[range].load(std::memory_order_relaxed) >= first(range + 1)) continue;
        const int64_t map = next[range].fetch_add(1);
        if (map < first(range + 1)) return map;
      }
      return -1;
    }
  };
  const auto ranges = std::make_shared<Ranges>(threads, maps);
  const auto process = [ranges, &begin](int64_t thread) {
    int64_t map = ranges->take(thread);
    if (map < 0) return;
    auto work = begin();
    for (; map >= 0; map = ranges->take(thread)) {
      work(map);
      ranges->done.fetch_add(1);
    }
  };
  for (int64_t helper = 1; helper < threads; ++helper)
    Helpers::all().give(pool, [process, helper] { process(helper); });
  process(0);
  for (int looks = 0; ranges->done.load() < maps; ++looks) {
    if (looks < 1000) {
      pause();
    } else {
      std::this_thread::yield();
    }
  }
}

}  // namespace kernels
