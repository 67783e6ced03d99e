#include <fmt/format.h>

#include "analyzer/read/sections.h"

namespace seep::read {
namespace {

// A frame has 16 bits for its module, and the last number is of no module.
constexpr std::size_t kMostModules = format::kScriptModule;
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

// A language that a later version added is taken for the first one: what is printed of a frame
// does not depend on it.
model::Language language_of(std::uint32_t language) {
  return language == static_cast<std::uint32_t>(format::ScriptLanguage::kPython)
             ? model::Language::kPython
             : model::Language::kPhp;
}

// Where the node leads; empty when it leads somewhere.
std::string complaint_about(const model::Node& node, std::size_t index,
                            const model::Stacks& stacks) {
  if (node.module == format::kScriptModule) {
    return node.offset < stacks.script_frames.size()
               ? std::string()
               : fmt::format("node {} is script frame {} of {}", index, node.offset,
                             stacks.script_frames.size());
  }
  return node.module < stacks.modules.size() ? std::string()
                                             : fmt::format("node {} is in module {} of {}", index,
                                                           node.module, stacks.modules.size());
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

Result<std::vector<model::ScriptFrame>> parse_script_frames(const Section& section,
                                                            Strings& strings) {
  if (section.bytes.size() == 0) {
    return std::vector<model::ScriptFrame>();
  }
  const auto records = records_of<format::ScriptFrameRecord>(section);
  if (!records) {
    return records.error();
  }
  std::vector<model::ScriptFrame> frames;
  frames.reserve(records->size());
  for (std::size_t i = 0; i < records->size(); ++i) {
    const format::ScriptFrameRecord record = (*records)[i];
    const auto function = strings.get(record.function, section, records->offset_of(i));
    if (!function) {
      return function.error();
    }
    const auto file = strings.get(record.file, section, records->offset_of(i));
    if (!file) {
      return file.error();
    }
    frames.push_back(
        {std::string(*function), std::string(*file), record.line, language_of(record.language)});
  }
  return frames;
}

Result<std::vector<model::Node>> parse_nodes(const Section& section, const model::Stacks& stacks) {
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
    if (std::string what = complaint_about(nodes[i], i, stacks); !what.empty()) {
      return section_error(section, records->offset_of(i), std::move(what));
    }
    if (nodes[i].module == format::kScriptModule) {
      nodes[i].language = stacks.script_frames[nodes[i].offset].language;
    }
  }
  return nodes;
}

}  // namespace seep::read
