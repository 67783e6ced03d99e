#include "analyzer/symbolize/symbolizer.h"

#include <unordered_map>
#include <utility>

#include "analyzer/symbolize/debug_search.h"
#include "analyzer/symbolize/debug_servers.h"
#include "analyzer/symbolize/module_symbols.h"

namespace seep::symbolize {
namespace {

// A return address is behind its call, and may be the first byte of another line or function.
std::uint64_t address_of(const model::Node& node) {
  return node.exact_pc || node.offset == 0 ? node.offset : node.offset - 1;
}

model::ReportFrame script_frame(const model::Stacks& stacks, const model::Node& node) {
  const model::ScriptFrame& known = stacks.script_frames[node.offset];
  model::ReportFrame frame;
  frame.function = known.function;
  if (!known.file.empty()) {
    frame.file = known.file;
  }
  if (known.line != 0) {
    frame.line = known.line;
  }
  frame.language = known.language;
  return frame;
}

}  // namespace

struct Symbolizer::Impl {
  explicit Impl(const Options& options) : search(options), linkage_names(options.linkage_names) {}

  ModuleSymbols& symbols_of(const model::Module& module);
  void warn_of_servers();

  DebugSearch search;  // before what was opened with it
  bool linkage_names;
  std::unordered_map<std::string, std::unique_ptr<ModuleSymbols>> modules;  // by path and build-id
  std::vector<std::string> warnings;
  bool warned_of_servers = false;
};

ModuleSymbols& Symbolizer::Impl::symbols_of(const model::Module& module) {
  // A path has no zero byte, so the two parts cannot run into each other.
  std::unique_ptr<ModuleSymbols>& symbols = modules[module.path + '\0' + module.build_id];
  if (!symbols) {
    symbols = std::make_unique<ModuleSymbols>(module, search, linkage_names);
    if (!symbols->warning().empty()) {
      warnings.push_back(symbols->warning());
    }
  }
  return *symbols;
}

void Symbolizer::Impl::warn_of_servers() {
  if (debug_servers_given_up() && !std::exchange(warned_of_servers, true)) {
    warnings.emplace_back(
        "the servers in DEBUGINFOD_URLS did not answer in time: some modules have only symbols");
  }
}

Symbolizer::Symbolizer(Options options) : impl_(std::make_unique<Impl>(options)) {}
Symbolizer::~Symbolizer() = default;

std::vector<model::ReportFrame> Symbolizer::frames(const model::Module& module,
                                                   const model::Node& node) {
  model::ReportStack frames = impl_->symbols_of(module).frames(address_of(node));
  impl_->warn_of_servers();
  for (model::ReportFrame& frame : frames) {
    frame.offset = node.offset;
    frame.heuristic = node.heuristic;
    frame.language = node.language;
  }
  return frames;
}

model::ReportFrame Symbolizer::function(const model::Module& module, const model::Node& node) {
  model::ReportFrame frame = impl_->symbols_of(module).function(address_of(node));
  frame.offset = node.offset;
  frame.heuristic = node.heuristic;
  frame.language = node.language;
  return frame;
}

std::vector<model::ReportFrame> Symbolizer::frames(const model::Stacks& stacks,
                                                   const model::Node& node) {
  if (node.language != model::Language::kNative) {
    return {script_frame(stacks, node)};
  }
  return frames(stacks.modules[node.module], node);
}

model::ReportFrame Symbolizer::function(const model::Stacks& stacks, const model::Node& node) {
  return node.language != model::Language::kNative ? script_frame(stacks, node)
                                                   : function(stacks.modules[node.module], node);
}

model::ReportStack Symbolizer::stack(const model::Stacks& stacks, std::uint32_t node) {
  model::ReportStack stack;
  for (std::uint32_t at = node; at != 0; at = stacks.nodes[at].parent) {
    for (model::ReportFrame& frame : frames(stacks, stacks.nodes[at])) {
      stack.push_back(std::move(frame));
    }
  }
  return stack;
}

std::optional<DataName> Symbolizer::data(const model::Module& module, std::uint64_t address) {
  return impl_->symbols_of(module).data(address);
}

const std::vector<std::string>& Symbolizer::warnings() const {
  return impl_->warnings;
}

}  // namespace seep::symbolize
