#include "analyzer/export/page_suspect.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "analyzer/export/json_text.h"
#include "analyzer/model/printable.h"

namespace seep::exporters {
namespace {

using Json = nlohmann::ordered_json;

Json text_of(std::string_view text) {
  return model::printable(text);
}

Json text_or_null(const std::optional<std::string>& text) {
  return text ? text_of(*text) : Json(nullptr);
}

Json held_by_of(const model::Suspect& suspect) {
  if (!suspect.held_by) {
    return nullptr;
  }
  Json chain = Json::array();
  for (const model::Holder& holder : *suspect.held_by) {
    chain.push_back({{"text", text_of(holder.text)},
                     {"share", holder.share},
                     {"root", text_or_null(holder.root)},
                     {"function", text_or_null(holder.function)},
                     {"file", text_or_null(holder.file)},
                     {"line", holder.line ? Json(*holder.line) : Json(nullptr)}});
  }
  return chain;
}

void append_value(std::string& text, double value) {
  text += std::isfinite(value) ? fmt::to_string(value) : "null";
}
void append_value(std::string& text, bool value) {
  text += value ? "true" : "false";
}
void append_value(std::string& text, std::uint64_t value) {
  text += fmt::to_string(value);
}
void append_value(std::string& text, unsigned value) {
  text += fmt::to_string(value);
}
void append_value(std::string& text, const std::string& value) {
  text += json_text(value);
}
void append_value(std::string& text, const char* value) {
  text += json_text(value);
}
void append_value(std::string& text, const model::Range& range) {
  text += '[';
  append_value(text, range.low);
  text += ',';
  append_value(text, range.high);
  text += ']';
}
void append_value(std::string& text, const Json& value) {
  text += value.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}
template <typename T>
void append_value(std::string& text, const std::optional<T>& value) {
  if (value) {
    append_value(text, *value);
  } else {
    text += "null";
  }
}

// Adds `"name":value` to an object that has been begun.
template <typename T>
void append_field(std::string& text, const char* name, const T& value) {
  text += text.back() == '{' ? "\"" : ",\"";
  text += name;
  text += "\":";
  append_value(text, value);
}

}  // namespace

void append_figures(std::string& text, const model::Suspect& suspect) {
  append_field(text, "rank", suspect.rank);
  append_field(text, "id", suspect.id);
  append_field(text, "leak", suspect.leak);
  append_field(text, "verdict", suspect.verdict);
  append_field(text, "recurring", suspect.recurring);
  append_field(text, "confidence", suspect.confidence);
  append_field(text, "why", suspect.why);
  append_field(text, "kind", model::name_of(suspect.kind));
  append_field(text, "live_bytes", suspect.live_bytes);
  append_field(text, "live_bytes_error", suspect.live_bytes_error);
  append_field(text, "live_blocks", suspect.live_blocks);
  append_field(text, "allocated_blocks", suspect.allocated_blocks);
  append_field(text, "freed_blocks", suspect.freed_blocks);
  append_field(text, "growth", suspect.growth_bytes_per_s);
  append_field(text, "growth_range", suspect.growth_range);
  append_field(text, "growth_from_s", suspect.growth_from_s);
  append_field(text, "per_unit", suspect.growth_bytes_per_unit);
  append_field(text, "per_unit_range", suspect.growth_per_unit_range);
  append_field(text, "unit", suspect.unit);
  append_field(text, "unreachable_bytes", suspect.unreachable_bytes);
  append_field(text, "unreachable_blocks", suspect.unreachable_blocks);
  append_field(text, "oldest_s", suspect.oldest_s);
  append_field(text, "suppressed_by", suspect.suppressed_by);
  append_field(text, "workers", Json::array({suspect.workers_seen, suspect.workers_of}));
  append_field(text, "held_by", held_by_of(suspect));
  append_field(text, "containers", Json(suspect.containers));
  append_field(text, "blame", suspect.blame);
  append_field(text, "user_frame", suspect.user_frame);
  append_field(text, "call_paths", suspect.sites);
  append_field(text, "paths_omitted", suspect.paths_omitted);
}

}  // namespace seep::exporters
