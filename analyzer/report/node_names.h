// Which function stands at a node of a tree of stacks, as numbers that are quick to compare. The
// same function has the same number in every process. Not thread safe; the inputs must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/stack_key.h"
#include "analyzer/symbolize/symbolizer.h"

namespace seep::report {

// A frame that may be to blame.
struct Culprit {
  std::uint32_t depth = 0;      // nodes from the innermost one to its own, that included
  std::uint32_t inlined = 0;    // index among the frames of its node, innermost first
  std::uint64_t function = 0;   // its number
  bool may_be_wrapper = false;  // its name alone does not tell
};

class NodeNames {
 public:
  NodeNames(const std::vector<model::Recording>& recordings, symbolize::Symbolizer& symbolizer);

  // Hash of build-id (or path) and offset: the instruction, in any process. Of a script frame the
  // line.
  [[nodiscard]] std::uint64_t instruction(std::size_t recording, std::uint32_t node) const;

  // Hash of the instructions of the `depth` innermost nodes of a stack; 0 when it has fewer.
  [[nodiscard]] std::uint64_t inner_chain(std::size_t recording, std::uint32_t node,
                                          std::uint32_t depth) const;

  // Of a stack that begins with frames of PHP or Python, the hash of its native ones, which stand
  // behind those: what the interpreter did for the line. 0 of other stacks.
  [[nodiscard]] std::uint64_t interpreter_part(std::size_t recording, std::uint32_t node) const;

  // By the symbol table alone: the number of the innermost function that is no library's, or of the
  // innermost one when all are.
  std::uint64_t innermost_function(std::size_t recording, std::uint32_t node);

  // The frames that may be to blame, innermost first, at most `most`; with debug information.
  std::vector<Culprit> culprits(std::size_t recording, std::uint32_t node, std::size_t most);

 private:
  struct Name {
    bool is_library = false;
    std::uint64_t function = 0;
  };

  const Name& by_symbol(std::size_t recording, std::uint32_t node);
  const std::vector<Culprit>& by_debug_information(std::size_t recording, std::uint32_t node);

  const std::vector<model::Recording>& recordings_;
  symbolize::Symbolizer& symbolizer_;
  std::vector<model::PlaceKeys> places_;             // of each recording
  std::unordered_map<std::uint64_t, Name> symbols_;  // by instruction
  std::unordered_map<std::uint64_t, std::vector<Culprit>> culprits_;
};

}  // namespace seep::report
