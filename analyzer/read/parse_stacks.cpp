#include <fmt/format.h>

#include "analyzer/read/sections.h"

namespace seep::read {
namespace {

// A frame has 16 bits for its module.
constexpr std::size_t kMostModules = std::size_t{1} << 16;
// Node indices have 32 bits.
constexpr std::size_t kMostNodes = std::size_t{1} << 32;

std::string hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Result<model::Module> parse_module(const format::ModuleRecord& record, const Section& section,
                                   std::uint64_t offset, Strings& strings) {
  const auto path = strings.get(record.path, section, offset);
  if (!path) {
    return path.error();
  }
  const auto build_id = strings.get(record.build_id, section, offset);
  if (!build_id) {
    return build_id.error();
  }
  model::Module module;
  module.path = *path;
  module.build_id = hex(*build_id);
  module.base = record.base;
  module.begin = record.begin;
  module.end = record.end;
  module.unloaded = (record.flags & format::kModuleUnloaded) != 0;
  return module;
}

model::Node parse_node(const format::NodeRecord& record) {
  model::Node node;
  node.offset = record.frame & format::kFrameOffsetMask;
  node.parent = record.parent;
  node.module = static_cast<std::uint16_t>(record.frame >> format::kFrameModuleShift);
  node.exact_pc = (record.flags & format::kExactPc) != 0;
  node.heuristic = (record.flags & format::kHeuristic) != 0;
  node.cut = (record.flags & format::kCut) != 0;
  return node;
}

}  // namespace

Result<std::vector<model::Module>> parse_modules(const Section& section, Strings& strings) {
  const auto records = records_of<format::ModuleRecord>(section);
  if (!records) {
    return records.error();
  }
  if (records->size() == 0 || records->size() > kMostModules) {
    return section_error(
        section, 0, fmt::format("{} modules, 1 to {} expected", records->size(), kMostModules));
  }
  std::vector<model::Module> modules;
  modules.reserve(records->size());
  for (std::size_t i = 0; i < records->size(); ++i) {
    auto module = parse_module((*records)[i], section, records->offset_of(i), strings);
    if (!module) {
      return module.error();
    }
    modules.push_back(std::move(*module));
  }
  return modules;
}

Result<std::vector<model::Node>> parse_nodes(const Section& section, std::size_t module_count) {
  const auto records = records_of<format::NodeRecord>(section);
  if (!records) {
    return records.error();
  }
  if (records->size() == 0 || records->size() > kMostNodes) {
    return section_error(section, 0,
                         fmt::format("{} nodes, at least the root expected", records->size()));
  }
  std::vector<model::Node> nodes(records->size());
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    nodes[i] = parse_node((*records)[i]);
    if (nodes[i].parent >= i) {
      return section_error(
          section, records->offset_of(i),
          fmt::format("node {} has the parent {}, a smaller number expected", i, nodes[i].parent));
    }
    if (nodes[i].module >= module_count) {
      return section_error(
          section, records->offset_of(i),
          fmt::format("node {} is in module {} of {}", i, nodes[i].module, module_count));
    }
  }
  return nodes;
}

}  // namespace seep::read
