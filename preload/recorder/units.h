// Units of work, as the program counts them (include/seep.h). Context: IN-HOOK, any thread, also
// inside signal handlers; total() and name() also IN-AGENT.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "preload/runtime/thread_pointer.h"

namespace seep::recorder {

class Units {
 public:
  constexpr Units() = default;
  Units(const Units&) = delete;
  Units& operator=(const Units&) = delete;

  void add(std::uint64_t count) {
    counters_[own_counter()].value.fetch_add(count, std::memory_order_relaxed);
  }

  // Since the image began. Beside threads that count, it lies between what it was when the call
  // began and when it returned.
  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const Counter& counter : counters_) {
      sum += counter.value.load(std::memory_order_relaxed);
    }
    return sum;
  }

  // The first name stays; a longer one is cut.
  void set_name(const char* name) {
    std::uint8_t unset = kUnset;
    if (!named_.compare_exchange_strong(unset, kBeingSet, std::memory_order_relaxed)) {
      return;
    }
    for (; length_ < sizeof(name_) && name[length_] != '\0'; ++length_) {
      name_[length_] = name[length_];
    }
    named_.store(kSet, std::memory_order_release);
  }
  [[nodiscard]] std::string_view name() const {
    return named_.load(std::memory_order_acquire) == kSet ? std::string_view(name_, length_)
                                                          : std::string_view();
  }

  // In the child of a fork: what its parent has done is not its own.
  void restart() {
    for (Counter& counter : counters_) {
      counter.value.store(0, std::memory_order_relaxed);
    }
  }

 private:
  // So many that threads seldom share one; a cache line each.
  static constexpr unsigned kCounterBits = 5;
  struct alignas(64) Counter {
    std::atomic<std::uint64_t> value;  // relaxed: a figure, it publishes nothing
  };

  // Thread pointers lie a stack apart, or a few words behind a multiple of a page: Fibonacci
  // hashing.
  static std::size_t own_counter() {
    return static_cast<std::size_t>((runtime::thread_pointer() >> 6) * 0x9E3779B97F4A7C15ULL >>
                                    (64 - kCounterBits));
  }

  static constexpr std::uint8_t kUnset = 0;
  static constexpr std::uint8_t kBeingSet = 1;
  static constexpr std::uint8_t kSet = 2;

  Counter counters_[1U << kCounterBits] = {};
  std::atomic<std::uint8_t> named_{kUnset};  // release in set_name, acquire in name
  char name_[31] = {};
  unsigned length_ = 0;
};

extern Units g_units;

}  // namespace seep::recorder
