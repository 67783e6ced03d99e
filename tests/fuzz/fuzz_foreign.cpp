// Feeds the readers of other tools' reports with arbitrary text, and compares the stacks of
// whatever they accept.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "analyzer/compare/stack.h"
#include "analyzer/foreign/heaptrack.h"
#include "analyzer/foreign/sanitizer.h"
#include "analyzer/foreign/valgrind.h"

namespace seep {
namespace {

constexpr std::size_t kLeaksCompared = 3;

void compare_stacks(const foreign::Log& log) {
  std::vector<compare::Stack> stacks;
  for (std::size_t i = 0; i < std::min(log.leaks.size(), kLeaksCompared); ++i) {
    stacks.push_back(compare::comparable(log.leaks[i].stack));
  }
  for (const compare::Stack& a : stacks) {
    for (const compare::Stack& b : stacks) {
      const double score = compare::likeness(a, b).score();
      if (!(score >= 0 && score <= 1)) {
        std::abort();
      }
    }
  }
}

void read_and_use(std::string_view text) {
  constexpr std::array kReaders = {foreign::read_valgrind, foreign::read_sanitizer,
                                   foreign::read_heaptrack};
  for (const auto& reader : kReaders) {
    const auto log = reader(text, "fuzz");
    if (log) {
      compare_stacks(*log);
    } else if (log.error().what.find("line ") == std::string::npos) {
      std::abort();  // an error that does not say where
    }
  }
}

}  // namespace
}  // namespace seep

// The name is libFuzzer's. NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  seep::read_and_use({reinterpret_cast<const char*>(data), size});
  return 0;
}
