// "seep.compare/1". What is not known is null; no field is ever absent.
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "analyzer/compare/print.h"

namespace seep::compare {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json json_of(const std::optional<Amount>& amount) {
  if (!amount) {
    return nullptr;
  }
  return {{"bytes", amount->bytes}, {"blocks", or_null(amount->blocks)}};
}

Json json_of(const Column& column) {
  return {{"tool", name_of(column.tool)},
          {"files", column.files},
          {"found", column.found},
          {"missed", column.missed},
          {"rounded", column.rounded},
          {"suppressed", column.suppressed},
          {"suppressions", column.suppressions},
          {"omitted", column.omitted}};
}

Json json_of(const model::ReportFrame& frame) {
  return {{"function", or_null(frame.function)},
          {"file", or_null(frame.file)},
          {"line", or_null(frame.line)},
          {"module", or_null(frame.module)},
          {"offset", fmt::format("{:#x}", frame.offset)},
          {"inlined", frame.inlined}};
}

Json json_of(const Finding& finding, Tool tool) {
  return {{"tool", name_of(tool)},
          {"found", finding.found()},
          {"missed", finding.found() ? Json(nullptr) : Json(name_of(finding.missed))},
          {"why", or_null(finding.why)},
          {"listed", finding.listed},
          {"score", or_null(finding.score)},
          {"live", json_of(finding.live)},
          {"direct", json_of(finding.direct)},
          {"indirect", json_of(finding.indirect)},
          {"possible", json_of(finding.possible)},
          {"reachable", json_of(finding.reachable)}};
}

Json json_of(const Leak& leak, const std::vector<Column>& columns) {
  Json findings = Json::array();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    findings.push_back(json_of(leak.findings[i], columns[i].tool));
  }
  Json stack = Json::array();
  for (const model::ReportFrame& frame : leak.stack) {
    stack.push_back(json_of(frame));
  }
  const model::Suspect* suspect = leak.suspect;
  return {{"leak", leak.is_leak(columns)},
          {"found_by_all", leak.found_by_all()},
          {"same_counts", or_null(leak.same_counts)},
          {"id", suspect != nullptr ? Json(suspect->id) : Json(nullptr)},
          {"verdict", suspect != nullptr ? Json(suspect->verdict) : Json(nullptr)},
          {"kind", suspect != nullptr ? Json(model::name_of(suspect->kind)) : Json(nullptr)},
          {"function", or_null(leak.frame.function)},
          {"file", or_null(leak.frame.file)},
          {"line", or_null(leak.frame.line)},
          {"findings", std::move(findings)},
          {"stack", std::move(stack)}};
}

}  // namespace

std::string to_json(const Comparison& comparison) {
  Json tools = Json::array();
  for (const Column& column : comparison.columns) {
    tools.push_back(json_of(column));
  }
  Json leaks = Json::array();
  for (const Leak& leak : comparison.leaks) {
    leaks.push_back(json_of(leak, comparison.columns));
  }
  const Json document = {{"schema", "seep.compare/1"}, {"program", comparison.program},
                         {"tools", std::move(tools)},  {"leak_count", comparison.leak_count},
                         {"notes", comparison.notes},  {"leaks", std::move(leaks)}};
  // Names of functions and files are other people's bytes.
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace seep::compare
