// What a stopped thread held: its registers. Plain values.
// Context: IN-AGENT, its tasks, and IN-FORK-CHILD.
#pragma once

#include <cstddef>
#include <cstdint>

namespace seep::scan {

struct ThreadImage {
  // All general registers, then those of floating point and vectors as the processor saves them.
  static constexpr std::size_t kGeneralWords = 27;
  static constexpr std::size_t kVectorWords = 344;  // up to AVX-512

  std::uint32_t id;  // thread id
  bool is_caller;    // it made the call that led to the scan: nothing lives below its stack pointer
  std::uint64_t stack_pointer;
  std::uint64_t thread_pointer;
  std::size_t word_count;
  std::uint64_t words[kGeneralWords + kVectorWords];
};

}  // namespace seep::scan
