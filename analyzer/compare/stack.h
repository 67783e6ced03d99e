// A call stack made comparable, and how alike two of them are. Pure, thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analyzer/compare/function_name.h"
#include "analyzer/foreign/log.h"
#include "analyzer/model/report.h"

namespace seep::compare {

struct Frame {
  std::optional<FunctionName> function;  // null: unknown, or only the nearest exported symbol
  std::vector<std::string> path;         // of the file, outermost folder first; empty: unknown
  unsigned line = 0;                     // 0: unknown
  std::string module;                    // last component; empty: unknown
  std::optional<std::uint64_t> offset;   // in the module
  std::optional<unsigned> page_offset;   // the low 12 bits, the same wherever the module lies
  bool inlined = false;                  // known to be; other tools may not show it
  bool of_library = false;               // of libc, the C++ library, an interpreter: shown or not
  double weight = 0;
};

// Innermost first, without the allocator's frames. The own frame nearest to the allocator has the
// weight 1, the next 1/2, then 1/3; a library's frame has a twentieth.
using Stack = std::vector<Frame>;

Stack comparable(const model::ReportStack& stack);
Stack comparable(std::span<const foreign::Frame> stack);

// As seep's own report would show it: without the allocator's frames, which every tool calls
// otherwise.
model::ReportStack readable(std::span<const foreign::Frame> stack);

// From 0 to 1: how far the two say the same place (0: other places).
double alike(const Frame& a, const Frame& b);

struct Likeness {
  double matched = 0;  // weight of the frames of both that are the same, as far as they are
  double missed = 0;   // of all others

  [[nodiscard]] double score() const { return matched <= 0 ? 0 : matched / (matched + missed); }
};

// Frames in the same order, each used once. One that only one tool shows is missed, by a quarter
// where it is known to be inlined; where each tool shows another one instead, it is no inlining and
// counts threefold. A tool that knows no inlining shows one frame for several, with the function of
// the outermost and the line of the innermost. What lies outward of the end of a cut stack is not
// counted.
Likeness likeness(const Stack& a, const Stack& b);

// From here on two stacks are the same leak.
inline constexpr double kSameStack = 0.6;

// Frames beyond these decide nothing.
inline constexpr std::size_t kMostFramesCompared = 32;

}  // namespace seep::compare
