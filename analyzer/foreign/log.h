// What another leak checker wrote, as plain data: each leak with its size and its call stack.
// Readers of one tool fill it (valgrind.h, sanitizer.h, heaptrack.h); texts are as they stand in
// the file, so whoever prints them makes them printable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace seep::foreign {

// What is larger is nothing that these tools write about one program.
inline constexpr std::size_t kMostBytes = 256U << 20U;
inline constexpr std::size_t kMostLineBytes = 65536;
inline constexpr std::size_t kMostLeaks = 50'000;
inline constexpr std::size_t kMostFrames = 2'000'000;  // of all leaks together

enum class Tool { kValgrind, kLeakSanitizer, kHeaptrack };

// In the words of seep: direct and indirect are unreachable. kNotFreed: alive at the end, whether a
// pointer leads to it or not (heaptrack does not look).
enum class Kind { kDirect, kIndirect, kPossible, kReachable, kNotFreed };

struct Frame {
  std::string function = {};  // empty: unknown
  std::string file = {};      // empty: unknown
  unsigned line = 0;          // 0: unknown
  std::string module = {};
  std::optional<std::uint64_t> offset = {};   // in the module
  std::optional<std::uint64_t> address = {};  // in that run of the program
};

struct Leak {
  Kind kind = Kind::kDirect;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> blocks = {};  // null where the tool does not say
  std::vector<Frame> stack = {};             // innermost first
  unsigned line = 0;                         // in the file, from 1 on
};

struct Log {
  Tool tool = Tool::kValgrind;
  std::string file;
  std::string program;  // as the tool names it; may be empty
  std::vector<Leak> leaks;
  // Which kinds it was asked to list, beside those that are lost directly.
  bool lists_leaks = true;  // false: only sums (Valgrind without --leak-check=full)
  bool lists_indirect = true;
  bool lists_possible = false;
  bool lists_reachable = false;
  bool rounded = false;                   // sizes have three digits
  std::uint64_t suppressed = 0;           // leaks that a suppression of the tool matched
  std::vector<std::string> suppressions;  // their names
  std::uint64_t omitted = 0;              // leaks that it found and left out
};

}  // namespace seep::foreign
