// Feeds the reader of maps of compiled code with arbitrary text, and looks names up in what it
// makes of it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "analyzer/read/jit_map.h"

namespace seep::read {
namespace {

model::Stacks stacks_at(const std::vector<JitCode>& map) {
  model::Stacks stacks;
  stacks.nodes.emplace_back();
  for (const JitCode& code : map) {
    stacks.nodes.push_back({.offset = code.begin, .exact_pc = true});
    stacks.nodes.push_back({.offset = code.end});
  }
  return stacks;
}

// Ascending and disjoint, and each address has the name of the piece that it lies in.
void read_and_use(std::string_view text) {
  const std::vector<JitCode> map = parse_jit_map(text);
  std::uint64_t end = 0;
  for (const JitCode& code : map) {
    if (code.begin < end || code.begin >= code.end ||
        code.code.function.size() > text.size() + 16) {
      std::abort();
    }
    end = code.end;
  }
  model::Stacks stacks = stacks_at(map);
  name_jit_frames(stacks, map);
  for (std::size_t i = 1; i < stacks.nodes.size(); ++i) {
    const model::Node& node = stacks.nodes[i];
    const bool named = node.language == model::Language::kJit;
    if (named && stacks.script_frames.at(node.offset).function != map[(i - 1) / 2].code.function) {
      std::abort();
    }
    if (!named && node.offset != 0) {
      std::abort();  // lies in a piece and has no name
    }
  }
}

}  // namespace
}  // namespace seep::read

// The name is libFuzzer's. NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  seep::read::read_and_use({reinterpret_cast<const char*>(data), size});
  return 0;
}
