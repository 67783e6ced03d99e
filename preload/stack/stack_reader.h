// Reads words of the calling thread's stack.
// Context: IN-HOOK. A reader belongs to one walk.
#pragma once

#include <cstdint>

#include "preload/runtime/file.h"

namespace seep::stack {

// Until verify() is called words near the stack pointer are read directly: the frames come from
// exact rules, so they are there. What is far, and everything after verify(), is read directly only
// in pages that the kernel has read for us before.
class StackReader {
 public:
  // Further away than almost any frame is large.
  static constexpr std::uint64_t kNearBytes = std::uint64_t{256} * 1024;

  void verify() { verify_ = true; }
  [[nodiscard]] bool verifies() const { return verify_; }
  void move_to(std::uint64_t sp) { sp_ = sp; }

  bool read(std::uint64_t address, std::uint64_t& word) {
    if (verify_ || address - sp_ >= kNearBytes) [[unlikely]] {
      return read_verified(address, word);
    }
    word = *reinterpret_cast<const std::uint64_t*>(address);
    return true;
  }

 private:
  static constexpr std::uint64_t kPageMask = 4095;

  [[gnu::noinline]] bool read_verified(std::uint64_t address, std::uint64_t& word) {
    if (address % sizeof(word) != 0) {
      return false;
    }
    if ((address & ~kPageMask) == verified_page_) {
      word = *reinterpret_cast<const std::uint64_t*>(address);
      return true;
    }
    if (!runtime::read_own_memory(reinterpret_cast<const void*>(address), &word, sizeof(word))) {
      return false;
    }
    verified_page_ = address & ~kPageMask;
    return true;
  }

  std::uint64_t sp_ = 0;
  std::uint64_t verified_page_ = 1;  // no page begins at an odd address
  bool verify_ = false;
};

}  // namespace seep::stack
