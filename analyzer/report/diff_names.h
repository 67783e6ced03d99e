// Ids for the rows of a diff: of all of them, so each function is looked up once. Not thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyzer/model/diff.h"
#include "analyzer/symbolize/symbolizer.h"

namespace seep::report {

class DiffNames {
 public:
  // The arguments must outlive the object.
  DiffNames(const model::Stacks& stacks, symbolize::Symbolizer& symbolizer);

  // Sets DiffRow::id, to the id of the suspect that would be blamed by names alone, and
  // DiffRow::path_key.
  void identify(model::DiffRow& row);

  // Sets DiffRow::stack.
  void name(model::DiffRow& row);

 private:
  // What stands at a node besides libraries.
  struct Place {
    std::optional<model::ReportFrame> innermost;
    std::uint64_t names = 0;  // of all functions there
  };

  const Place& place_of(std::uint32_t node);
  std::uint64_t names_outward(std::uint32_t node);

  const model::Stacks& stacks_;
  symbolize::Symbolizer& symbolizer_;
  std::unordered_map<std::uint64_t, Place> places_;  // by module and offset
  std::vector<std::uint64_t> names_outward_;         // by node; 0: not yet
};

}  // namespace seep::report
