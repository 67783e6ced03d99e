// Copies single stacks from one tree into another.
#pragma once

#include <cstdint>
#include <vector>

#include "analyzer/model/snapshot.h"

namespace seep::model {

// Frames that stacks of `source` share are copied once. Frames that `target` already held, or that
// another importer brought, are not looked for: equal stacks may then stand there twice.
// Both trees must outlive the importer. Not thread safe.
class StackImporter {
 public:
  StackImporter(Stacks& target, const Stacks& source);

  // The node of `target` for the stack of `node` in `source`. A target with 65,535 modules cannot
  // take more: further frames are booked under no module.
  std::uint32_t import(std::uint32_t node);

 private:
  std::uint32_t append(const Node& node, std::uint32_t parent);
  std::uint16_t import_module(std::uint16_t module);
  std::uint64_t import_script_frame(std::uint64_t frame);

  Stacks& target_;
  const Stacks& source_;
  std::vector<std::uint32_t> nodes_;    // source node → target node; 0: not yet
  std::vector<std::uint16_t> modules_;  // source module → target module; 0: not yet
  // source script frame → target script frame and 1; 0: not yet
  std::vector<std::uint64_t> script_frames_;
  std::vector<std::uint32_t> chain_;  // scratch of import()
};

}  // namespace seep::model
