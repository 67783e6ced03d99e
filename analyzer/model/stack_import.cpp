#include "analyzer/model/stack_import.h"

namespace seep::model {

StackImporter::StackImporter(Stacks& target, const Stacks& source)
    : target_(target),
      source_(source),
      nodes_(source.nodes.size()),
      modules_(source.modules.size()),
      script_frames_(source.script_frames.size()) {
  if (target_.nodes.empty()) {
    target_.nodes.emplace_back();
  }
  if (target_.modules.empty()) {
    target_.modules.emplace_back();
  }
}

std::uint32_t StackImporter::import(std::uint32_t node) {
  chain_.clear();
  for (; node != 0 && nodes_[node] == 0; node = source_.nodes[node].parent) {
    chain_.push_back(node);
  }
  std::uint32_t imported = nodes_[node];
  for (auto frame = chain_.rbegin(); frame != chain_.rend(); ++frame) {
    imported = append(source_.nodes[*frame], imported);
    nodes_[*frame] = imported;
  }
  return imported;
}

std::uint32_t StackImporter::append(const Node& node, std::uint32_t parent) {
  Node copy = node;
  copy.parent = parent;
  if (node.language == Language::kNative) {
    copy.module = import_module(node.module);
  } else {
    copy.offset = import_script_frame(node.offset);
  }
  target_.nodes.push_back(copy);
  return static_cast<std::uint32_t>(target_.nodes.size() - 1);
}

std::uint16_t StackImporter::import_module(std::uint16_t module) {
  if (module == 0 || modules_[module] != 0) {
    return modules_[module];
  }
  if (target_.modules.size() >= format::kScriptModule) {
    return 0;
  }
  target_.modules.push_back(source_.modules[module]);
  modules_[module] = static_cast<std::uint16_t>(target_.modules.size() - 1);
  return modules_[module];
}

std::uint64_t StackImporter::import_script_frame(std::uint64_t frame) {
  if (script_frames_[frame] == 0) {
    target_.script_frames.push_back(source_.script_frames[frame]);
    script_frames_[frame] = target_.script_frames.size();
  }
  return script_frames_[frame] - 1;
}

}  // namespace seep::model
