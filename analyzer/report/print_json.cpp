// "seep.report/1" and "seep.diff/1", field by field as design §2.3 lists them. What is not known
// is null; no field is ever absent.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "analyzer/report/print.h"

namespace seep::report {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// RFC 3339 in UTC, to the millisecond.
Json time_of(std::uint64_t unix_ns) {
  if (unix_ns == 0) {
    return nullptr;
  }
  const auto seconds = static_cast<std::time_t>(unix_ns / 1'000'000'000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", utc, unix_ns / 1'000'000 % 1000);
}

Json json_of(const model::EndInfo& end) {
  return {{"how", model::name_of(end.how)},
          {"status", or_null(end.status)},
          {"signal", or_null(end.signal)},
          {"function", or_null(end.function)}};
}

Json json_of(const model::ReportProcess& process) {
  const model::ProcessInfo& info = process.info;
  return {
      {"id", process.id},
      {"pid", info.pid},
      {"host_pid", info.host_pid != 0 ? Json(info.host_pid) : Json(nullptr)},
      {"parent_pid", info.parent_pid},
      {"uid", info.uid},
      {"host", info.host},
      {"run", fmt::format("{:016x}", info.run_id)},
      {"exe", info.exe},
      {"command", info.command},
      {"started", time_of(info.started_unix_ns)},
      {"duration_s", process.duration_s},
      {"mode", model::name_of(info.mode)},
      {"sample_bytes", info.mode == model::Mode::kSample ? Json(info.sample_bytes) : Json(nullptr)},
      {"end", json_of(process.end)}};
}

Json json_of(const model::Accounting& accounting) {
  return {{"rss_bytes", accounting.rss_bytes},
          {"tracked_live_bytes", accounting.tracked_live_bytes},
          {"allocator_retained_bytes", accounting.allocator_retained_bytes},
          {"mmap_bytes", accounting.mmap_bytes},
          {"stack_bytes", accounting.stack_bytes},
          {"file_bytes", accounting.file_bytes},
          {"shared_bytes", accounting.shared_bytes},
          {"tracker_bytes", accounting.tracker_bytes},
          {"other_bytes", accounting.other_bytes}};
}

Json json_of(const model::ReportSnapshot& snapshot) {
  const model::Moment& moment = snapshot.moment;
  return {{"process", snapshot.process},
          {"file", moment.file},
          {"time_s", moment.time_s},
          {"trigger", model::name_of(moment.trigger)},
          {"mark", or_null(moment.mark)},
          {"units", or_null(moment.units)},
          {"live_bytes", moment.live_bytes},
          {"live_bytes_error", or_null(moment.live_bytes_error)},
          {"live_blocks", moment.live_blocks},
          {"rss_bytes", moment.accounting.rss_bytes},
          {"accounting", json_of(moment.accounting)}};
}

Json range_of(const std::optional<model::Range>& range) {
  return range ? Json::array({range->low, range->high}) : Json(nullptr);
}

Json json_of(const std::optional<model::Limit>& limit) {
  if (!limit) {
    return nullptr;
  }
  return {{"bytes", limit->bytes},
          {"source", limit->source},
          {"process", limit->process.empty() ? Json(nullptr) : Json(limit->process)},
          {"seconds", range_of(limit->seconds)},
          {"units", range_of(limit->units)}};
}

Json json_of(const model::Totals& totals) {
  return {{"live_bytes", totals.live_bytes},
          {"live_bytes_error", or_null(totals.live_bytes_error)},
          {"live_blocks", totals.live_blocks},
          {"growth_bytes_per_s", or_null(totals.growth_bytes_per_s)},
          {"unreachable_bytes", or_null(totals.unreachable_bytes)},
          {"leak_suspects", totals.leak_suspects},
          {"suppressed_suspects", totals.suppressed_suspects},
          {"rows_omitted", totals.rows_omitted},
          {"smallest_leak_seen_bytes_per_h", or_null(totals.smallest_leak_seen_bytes_per_h)},
          {"limit", json_of(totals.limit)}};
}

Json json_of(const std::optional<model::Work>& work) {
  if (!work) {
    return nullptr;
  }
  return {{"unit", work->unit},
          {"counted_by", work->counted_by},
          {"done", work->done},
          {"per_s", work->per_s}};
}

Json json_of(const std::optional<model::ReportScan>& scan) {
  if (!scan) {
    return nullptr;
  }
  return {{"when", model::name_of(scan->when)},
          {"complete", scan->complete},
          {"why_not", or_null(scan->why_not)}};
}

Json json_of(const model::Conclusion& conclusion) {
  return {{"cause", conclusion.cause},
          {"sentence", conclusion.sentence},
          {"action", conclusion.action}};
}

Json json_of(const model::SuppressionUse& use) {
  return {{"name", use.name},
          {"file", use.file.empty() ? Json(nullptr) : Json(use.file)},
          {"line", use.line != 0 ? Json(use.line) : Json(nullptr)},
          {"suspects", use.suspects},
          {"live_bytes", use.live_bytes}};
}

Json json_of(const model::Container& container) {
  const model::ReportFrame& frame = container.frame;
  return {{"process", container.process},
          {"block_bytes", container.block_bytes},
          {"doublings", container.doublings},
          {"still_grows", container.still_grows},
          {"function", or_null(frame.function)},
          {"file", or_null(frame.file)},
          {"line", or_null(frame.line)},
          {"module", frame.module},
          {"language", model::name_of(frame.language)}};
}

Json json_of(const model::Holder& holder);

// The lines that several leaks share; their ids instead of their ranks.
Json user_lines_of(const model::Report& report) {
  Json lines = Json::array();
  for (const model::UserLine& line : report.user_lines) {
    Json ids = Json::array();
    for (const unsigned rank : line.suspects) {
      ids.push_back(report.suspects[rank - 1].id);
    }
    lines.push_back({{"function", line.function},
                     {"file", line.file},
                     {"line", or_null(line.line)},
                     {"language", model::name_of(line.language)},
                     {"live_bytes", line.live_bytes},
                     {"live_blocks", line.live_blocks},
                     {"suspects", ids}});
  }
  return lines;
}

// An array even when there is nothing in it.
template <typename Items>
Json array_of(const Items& items) {
  Json array = Json::array();
  for (const auto& item : items) {
    array.push_back(json_of(item));
  }
  return array;
}

// Of a single process nothing is to be said.
Json workers_of(const model::Suspect& suspect) {
  if (suspect.workers_of < 2) {
    return nullptr;
  }
  return {{"seen", suspect.workers_seen}, {"of", suspect.workers_of}};
}

Json json_of(const model::Holder& holder) {
  return {{"text", holder.text},          {"share", holder.share},
          {"root", or_null(holder.root)}, {"function", or_null(holder.function)},
          {"file", or_null(holder.file)}, {"line", or_null(holder.line)}};
}

Json repetitions_of(const model::Report& report) {
  return report.repetitions.empty() ? Json(nullptr) : Json({{"work", report.repetitions}});
}

Json repetitions_of(const model::Suspect& suspect) {
  return suspect.repetition_bytes.empty() ? Json(nullptr)
                                          : Json({{"live_bytes", suspect.repetition_bytes}});
}

// All but the paths and the stack.
Json json_of(const model::Suspect& suspect) {
  return {
      {"rank", suspect.rank},
      {"id", suspect.id},
      {"leak", suspect.leak},
      {"verdict", suspect.verdict},
      {"behaviour", model::name_of(suspect.behaviour)},
      {"recurring", suspect.recurring},
      {"confidence", or_null(suspect.confidence)},
      {"why", suspect.why},
      {"kind", model::name_of(suspect.kind)},
      {"live_bytes", suspect.live_bytes},
      {"live_bytes_error", or_null(suspect.live_bytes_error)},
      {"live_blocks", suspect.live_blocks},
      {"allocated_blocks", suspect.allocated_blocks},
      {"freed_blocks", suspect.freed_blocks},
      {"growth_bytes_per_s", or_null(suspect.growth_bytes_per_s)},
      {"growth_bytes_per_s_range", range_of(suspect.growth_range)},
      {"growth_from_s", or_null(suspect.growth_from_s)},
      {"growth_bytes_per_unit", or_null(suspect.growth_bytes_per_unit)},
      {"growth_bytes_per_unit_range", range_of(suspect.growth_per_unit_range)},
      {"growth_blocks_per_unit", or_null(suspect.growth_blocks_per_unit)},
      {"unreachable_bytes", or_null(suspect.unreachable_bytes)},
      {"unreachable_blocks", or_null(suspect.unreachable_blocks)},
      {"unreachable_direct_bytes", or_null(suspect.unreachable_direct_bytes)},
      {"unreachable_direct_blocks", or_null(suspect.unreachable_direct_blocks)},
      {"oldest_s", suspect.oldest_s},
      {"suppressed_by", or_null(suspect.suppressed_by)},
      {"repetitions", repetitions_of(suspect)},
      {"workers", workers_of(suspect)},
      {"held_by", suspect.held_by ? array_of(*suspect.held_by) : Json(nullptr)},
      {"series", {{"live_bytes", suspect.series_bytes}, {"live_blocks", suspect.series_blocks}}},
      {"blame", suspect.blame},
      {"user_frame", or_null(suspect.user_frame)},
      {"containers", suspect.containers},
      {"sites", suspect.sites}};
}

// All but the stack.
Json json_of(const model::DiffRow& row) {
  return {{"id", row.id},
          {"kind", model::name_of(row.kind)},
          {"change", model::name_of(row.change)},
          {"bytes", row.bytes},
          {"blocks", row.blocks},
          {"old_bytes", row.old_bytes},
          {"new_bytes", row.new_bytes},
          {"suppressed_by", or_null(row.suppressed_by)}};
}

// A value without containers in it: a frame, a series.
bool is_leaf(const Json& json) {
  return std::none_of(json.begin(), json.end(),
                      [](const Json& item) { return item.is_structured(); });
}

// ASCII only: no byte of a file name can reach a terminal as a control character, and bytes that
// are no UTF-8 become U+FFFD.
std::string scalar(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

// Leaves stand in one line: a report is mostly frames, and a field a line makes twice the file.
void append(std::string& text, const Json& json, std::size_t indent) {
  if (!json.is_structured() || json.empty()) {
    text += scalar(json);
    return;
  }
  const bool in_line = is_leaf(json);
  const std::string separator = in_line ? " " : "\n" + std::string(indent + 2, ' ');
  bool is_first = true;
  text += json.is_object() ? '{' : '[';
  for (auto item = json.begin(); item != json.end(); ++item) {
    text += is_first ? "" : ",";
    text += is_first && in_line ? "" : separator;
    is_first = false;
    if (json.is_object()) {
      text += scalar(item.key()) + ": ";
    }
    append(text, *item, indent + 2);
  }
  text += in_line ? "" : "\n" + std::string(indent, ' ');
  text += json.is_object() ? '}' : ']';
}

// --- Frames: most of a report, and written without a tree of values in between

// Most names need no escape, and are copied as they are.
void append_string(std::string& text, std::string_view value) {
  const bool is_plain = std::all_of(value.begin(), value.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
  });
  if (!is_plain) {
    text += scalar(value);
    return;
  }
  text += '"';
  text += value;
  text += '"';
}

void append_string(std::string& text, const std::optional<std::string>& value) {
  if (value) {
    append_string(text, std::string_view(*value));
  } else {
    text += "null";
  }
}

void append(std::string& text, const model::ReportFrame& frame) {
  text += "{\"function\": ";
  append_string(text, frame.function);
  text += ", \"file\": ";
  append_string(text, frame.file);
  text += ", \"line\": ";
  text += frame.line ? std::to_string(*frame.line) : "null";
  text += ", \"module\": ";
  append_string(text, std::string_view(frame.module));
  text += ", \"build_id\": ";
  append_string(text, frame.build_id);
  fmt::format_to(std::back_inserter(text),
                 R"(, "offset": "0x{:x}", "inlined": {}, "heuristic": {}, "nearest_symbol": {}, )"
                 R"("language": "{}"}})",
                 frame.offset, frame.inlined, frame.heuristic, frame.nearest_symbol,
                 model::name_of(frame.language));
}

std::string new_line(std::size_t indent) {
  return "\n" + std::string(indent, ' ');
}

// The items one below the other; `append_item` is called with the indent of each.
template <typename Items, typename AppendItem>
void append_array(std::string& text, const Items& items, std::size_t indent,
                  AppendItem append_item) {
  text += '[';
  bool is_first = true;
  for (const auto& item : items) {
    text += is_first ? "" : ",";
    text += new_line(indent + 2);
    is_first = false;
    append_item(item, indent + 2);
  }
  text += is_first ? "]" : new_line(indent) + "]";
}

// An object with `fields` and, behind them, what append_more() adds.
template <typename AppendMore>
void append_object(std::string& text, const Json& fields, std::size_t indent,
                   AppendMore append_more) {
  text += '{';
  for (const auto& [name, value] : fields.items()) {
    text += new_line(indent + 2) + scalar(name) + ": ";
    append(text, value, indent + 2);
    text += ',';
  }
  append_more(indent + 2);
  text += new_line(indent) + "}";
}

void append_stack(std::string& text, const model::ReportStack& stack, std::size_t indent) {
  text += new_line(indent) + "\"stack\": ";
  append_array(text, stack, indent,
               [&](const model::ReportFrame& frame, std::size_t) { append(text, frame); });
}

void append(std::string& text, const model::SuspectPath& path, std::size_t indent) {
  const Json fields = {{"live_bytes", path.live_bytes},
                       {"live_blocks", path.live_blocks},
                       {"blame", path.blame},
                       {"user_frame", or_null(path.user_frame)}};
  append_object(text, fields, indent,
                [&](std::size_t inner) { append_stack(text, path.stack, inner); });
}

// One at a time: as a tree of values, ninety thousand stacks would take tens of gigabytes.
void append(std::string& text, const model::Suspect& suspect, std::size_t indent) {
  append_object(text, json_of(suspect), indent, [&](std::size_t inner) {
    text += new_line(inner) + "\"paths\": ";
    append_array(text, suspect.paths, inner,
                 [&](const model::SuspectPath& path, std::size_t at) { append(text, path, at); });
    text += "," + new_line(inner) + fmt::format("\"paths_omitted\": {},", suspect.paths_omitted);
    append_stack(text, suspect.stack, inner);
  });
}

void append(std::string& text, const model::DiffRow& row, std::size_t indent) {
  append_object(text, json_of(row), indent,
                [&](std::size_t inner) { append_stack(text, row.stack, inner); });
}

// A whole document: `fields`, and behind them `name` with the items.
template <typename Items>
std::string text_of(const Json& fields, const char* name, const Items& items) {
  std::string text;
  append_object(text, fields, 0, [&](std::size_t indent) {
    text += new_line(indent) + fmt::format("\"{}\": ", name);
    append_array(text, items, indent,
                 [&](const auto& item, std::size_t inner) { append(text, item, inner); });
  });
  return text + "\n";
}

}  // namespace

std::string to_json(const model::Report& report) {
  const Json processes = array_of(report.processes);
  return text_of({{"schema", "seep.report/1"},
                  {"processes", processes},
                  {"process", processes.size() == 1 ? processes[0] : Json(nullptr)},
                  {"snapshots", array_of(report.snapshots)},
                  {"accounting", json_of(report.accounting)},
                  {"losses", report.losses},
                  {"totals", json_of(report.totals)},
                  {"work", json_of(report.work)},
                  {"scan", json_of(report.scan)},
                  {"conclusion", json_of(report.conclusion)},
                  {"user_lines", user_lines_of(report)},
                  {"containers", array_of(report.containers)},
                  {"suppressions", array_of(report.suppressions)},
                  {"repetitions", repetitions_of(report)},
                  {"notes", report.notes}},
                 "suspects", report.suspects);
}

std::string to_json(const model::Diff& diff, std::size_t rows) {
  const std::size_t kept = std::min(rows, diff.rows.size());
  return text_of({{"schema", "seep.diff/1"},
                  {"old", diff.old_path},
                  {"new", diff.new_path},
                  {"basis", model::name_of(diff.basis)},
                  {"matched_by", model::name_of(diff.matched_by)},
                  {"rows_omitted", diff.rows.size() - kept}},
                 "changes", std::span(diff.rows).first(kept));
}

}  // namespace seep::report
