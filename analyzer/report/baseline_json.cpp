// Reads back what is_known() needs of a "seep.report/1".
#include <nlohmann/json.hpp>

#include "analyzer/report/baseline.h"

namespace seep::report {
namespace {

using Json = nlohmann::json;

const Json& field(const Json& object, const char* name) {
  static const Json none;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : none;
}

std::optional<std::string> text_of(const Json& value) {
  return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
}

std::optional<double> number_of(const Json& value) {
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

std::optional<std::uint64_t> count_of(const Json& value) {
  return value.is_number_unsigned() ? std::optional(value.get<std::uint64_t>()) : std::nullopt;
}

std::optional<model::Range> range_of(const Json& value) {
  if (!value.is_array() || value.size() != 2 || !value[0].is_number() || !value[1].is_number()) {
    return std::nullopt;
  }
  return model::Range{value[0].get<double>(), value[1].get<double>()};
}

std::optional<model::SiteKind> kind_of(const Json& value) {
  for (const model::SiteKind kind : {model::SiteKind::kHeap, model::SiteKind::kMmap,
                                     model::SiteKind::kFd, model::SiteKind::kThread}) {
    if (value == model::name_of(kind)) {
      return kind;
    }
  }
  return std::nullopt;
}

// Only the blamed frame.
model::ReportStack blamed_of(const Json& suspect) {
  const Json& stack = field(suspect, "stack");
  const std::optional<std::uint64_t> blame = count_of(field(suspect, "blame"));
  if (!stack.is_array() || !blame || *blame >= stack.size()) {
    return {};
  }
  const Json& from = stack[static_cast<std::size_t>(*blame)];
  model::ReportFrame frame;
  frame.function = text_of(field(from, "function"));
  frame.file = text_of(field(from, "file"));
  return {frame};
}

std::optional<model::Suspect> suspect_of(const Json& from) {
  const std::optional<std::string> id = text_of(field(from, "id"));
  const std::optional<model::SiteKind> kind = kind_of(field(from, "kind"));
  if (!id || !kind) {
    return std::nullopt;
  }
  model::Suspect suspect;
  suspect.id = *id;
  suspect.kind = *kind;
  suspect.growth_bytes_per_s = number_of(field(from, "growth_bytes_per_s"));
  suspect.growth_range = range_of(field(from, "growth_bytes_per_s_range"));
  suspect.growth_bytes_per_unit = number_of(field(from, "growth_bytes_per_unit"));
  suspect.unreachable_blocks = count_of(field(from, "unreachable_blocks"));
  suspect.stack = blamed_of(from);
  return suspect;
}

}  // namespace

Result<std::vector<model::Suspect>> suspects_of_json(std::string_view text,
                                                     const std::string& file) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (field(json, "schema") != "seep.report/1" || !field(json, "suspects").is_array()) {
    return Error{ErrorKind::kBadInput,
                 file,
                 {},
                 {},
                 "is no whole seep.report/1",
                 "give a recording, or what `seep report --json -o FILE` wrote"};
  }
  std::vector<model::Suspect> suspects;
  for (const Json& each : field(json, "suspects")) {
    if (auto suspect = suspect_of(each)) {
      suspects.push_back(std::move(*suspect));
    }
  }
  return suspects;
}

}  // namespace seep::report
