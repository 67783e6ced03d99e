// Feeds the reader of suppressions with arbitrary text, and whatever it accepts with a stack.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "analyzer/suppress/match.h"
#include "analyzer/suppress/parse.h"

namespace seep::suppress {
namespace {

constexpr std::array kStack = {
    Frame{.function = "open_session(unsigned long)",
          .bare = "open_session",
          .linkage = "_Z12open_sessionm",
          .file = "/src/a.c",
          .module = "/opt/server",
          .line = 12},
    Frame{.module = "/opt/libfoo.so"},
    Frame{.function = "main", .bare = "main", .linkage = "main", .module = "/opt/server"}};

void read_and_use(std::string_view text) {
  const auto list = parse(text, "fuzz");
  if (!list) {
    if (list.error().what.find("line ") == std::string::npos) {
      std::abort();  // an error that does not say where
    }
    return;
  }
  [[maybe_unused]] static volatile bool sink;
  for (const Suppression& suppression : *list) {
    if (suppression.name.empty() || suppression.line == 0) {
      std::abort();
    }
    sink = matches(suppression, kStack, kDefinite);
  }
}

}  // namespace
}  // namespace seep::suppress

// The name is libFuzzer's. NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  seep::suppress::read_and_use({reinterpret_cast<const char*>(data), size});
  return 0;
}
