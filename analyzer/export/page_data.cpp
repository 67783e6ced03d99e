#include "analyzer/export/page_data.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "analyzer/export/json_text.h"
#include "analyzer/export/page_suspect.h"
#include "analyzer/export/page_tables.h"
#include "analyzer/export/profile.h"
#include "analyzer/export/source_lines.h"
#include "analyzer/model/printable.h"
#include "analyzer/report/lines.h"

namespace seep::exporters {
namespace {

using Json = nlohmann::ordered_json;

Json text_of(std::string_view text) {
  return model::printable(text);
}

template <typename T>
Json or_null(const std::optional<T>& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    return value ? text_of(*value) : Json(nullptr);
  } else {
    return value ? Json(*value) : Json(nullptr);
  }
}

// --- What is small: a tree of values

Json texts_of(const std::vector<std::string>& texts) {
  Json array = Json::array();
  for (const std::string& text : texts) {
    array.push_back(text_of(text));
  }
  return array;
}

Json end_of(const model::EndInfo& end) {
  return {{"how", model::name_of(end.how)},
          {"status", or_null(end.status)},
          {"signal", or_null(end.signal)},
          {"function", or_null(end.function)}};
}

Json processes_of(const model::Report& report) {
  Json processes = Json::array();
  for (const model::ReportProcess& process : report.processes) {
    processes.push_back({{"id", text_of(process.id)},
                         {"pid", process.info.pid},
                         {"parent_pid", process.info.parent_pid},
                         {"host", text_of(process.info.host)},
                         {"exe", text_of(process.info.exe)},
                         {"command", texts_of(process.info.command)},
                         {"started_ms", process.info.started_unix_ns / 1'000'000},
                         {"duration_s", process.duration_s},
                         {"mode", model::name_of(process.info.mode)},
                         {"end", end_of(process.end)}});
  }
  return processes;
}

// The index of the process of each snapshot; two recordings may have one name.
Json process_numbers(const std::vector<model::Recording>& recordings) {
  Json numbers = Json::array();
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    numbers.insert(numbers.end(), recordings[i].moments.size(), i);
  }
  return numbers;
}

template <typename Value>
Json column(const model::Report& report, Value value) {
  Json values = Json::array();
  for (const model::ReportSnapshot& snapshot : report.snapshots) {
    values.push_back(value(snapshot.moment));
  }
  return values;
}

Json accounting_column(const model::Report& report, std::uint64_t model::Accounting::*part) {
  return column(report, [&](const model::Moment& moment) { return moment.accounting.*part; });
}

Json snapshots_of(const model::Report& report, const std::vector<model::Recording>& recordings) {
  using Parts = model::Accounting;
  using model::Moment;
  return {
      {"process", process_numbers(recordings)},
      {"sequence", column(report, [](const Moment& moment) { return moment.sequence; })},
      {"time_s", column(report, [](const Moment& moment) { return moment.time_s; })},
      {"trigger",
       column(report, [](const Moment& moment) { return model::name_of(moment.trigger); })},
      {"mark", column(report, [](const Moment& moment) { return or_null(moment.mark); })},
      {"units", column(report, [](const Moment& moment) { return or_null(moment.units); })},
      {"rss", accounting_column(report, &Parts::rss_bytes)},
      {"tracked", accounting_column(report, &Parts::tracked_live_bytes)},
      {"retained", accounting_column(report, &Parts::allocator_retained_bytes)},
      {"mmap", accounting_column(report, &Parts::mmap_bytes)},
      {"stacks", accounting_column(report, &Parts::stack_bytes)},
      {"files", accounting_column(report, &Parts::file_bytes)},
      {"shared", accounting_column(report, &Parts::shared_bytes)},
      {"tracker", accounting_column(report, &Parts::tracker_bytes)},
      {"other", accounting_column(report, &Parts::other_bytes)},
  };
}

Json totals_of(const model::Totals& totals) {
  return {{"live_bytes", totals.live_bytes},
          {"live_blocks", totals.live_blocks},
          {"growth_bytes_per_s", or_null(totals.growth_bytes_per_s)},
          {"unreachable_bytes", or_null(totals.unreachable_bytes)},
          {"leak_suspects", totals.leak_suspects},
          {"suppressed_suspects", totals.suppressed_suspects},
          {"rows_omitted", totals.rows_omitted},
          {"smallest_leak_seen_bytes_per_h", or_null(totals.smallest_leak_seen_bytes_per_h)}};
}

Json limit_of(const std::optional<model::Limit>& limit) {
  if (!limit) {
    return nullptr;
  }
  return {{"bytes", limit->bytes}, {"source", text_of(limit->source)}};
}

Json losses_of(const model::Report& report) {
  Json losses = Json::object();
  for (const auto& [name, count] : report.losses) {
    if (count != 0) {
      losses[model::printable(name)] = count;
    }
  }
  return losses;
}

// Said in the words of the other printers.
Json lines_of(const model::Report& report) {
  if (report.processes.empty()) {
    return {{"run", ""},  {"explained", ""},    {"limit", ""},
            {"scan", ""}, {"suppressions", ""}, {"shared", Json::array()}};
  }
  // Of a leak the sentence has said how much it explains.
  const bool is_explained = report.totals.leak_suspects == 0 && report.processes.size() == 1;
  Json shared = Json::array();
  for (const model::UserLine& line : report.user_lines) {
    shared.push_back(text_of(report::user_line_text(line)));
  }
  return {{"run", text_of(report::run_text(report))},
          {"explained", is_explained ? text_of(report::explained_share_text(report)) : Json("")},
          {"limit", text_of(report::limit_text(report))},
          {"scan", text_of(report::scan_text(report))},
          {"suppressions", text_of(report::suppressions_text(report))},
          {"shared", shared}};
}

Json containers_of(const model::Report& report) {
  Json containers = Json::array();
  for (const model::Container& container : report.containers) {
    containers.push_back(text_of(report::container_text(container)));
  }
  return containers;
}

Json work_of(const std::optional<model::Work>& work) {
  if (!work) {
    return nullptr;
  }
  return {{"unit", text_of(work->unit)},
          {"counted_by", text_of(work->counted_by)},
          {"done", work->done},
          {"per_s", work->per_s}};
}

// --- What is large: written without a tree of values in between

// The first value and then the differences, without the zeros at the end. Values have 64 bits and
// so have their differences, modulo 2^64: the reader's numbers have 53, which is exact up to 8 PB.
template <typename Value>
void append_series(std::string& text, const std::vector<model::Counters>& at, Value value) {
  std::uint64_t last = 0;
  std::size_t zeros = 0;
  bool is_first = true;
  text += '[';
  for (const model::Counters& counters : at) {
    const auto step = static_cast<std::int64_t>(value(counters) - last);
    last = value(counters);
    if (step == 0) {
      ++zeros;
      continue;
    }
    for (; zeros != 0; --zeros) {
      text += std::exchange(is_first, false) ? "0" : ",0";
    }
    text += std::exchange(is_first, false) ? "" : ",";
    fmt::format_to(std::back_inserter(text), "{}", step);
  }
  text += ']';
}

template <typename Items, typename AppendItem>
void append_array(std::string& text, const Items& items, AppendItem append_item) {
  text += '[';
  bool is_first = true;
  for (const auto& item : items) {
    text += std::exchange(is_first, false) ? "" : ",";
    append_item(item);
  }
  text += ']';
}

template <typename Items, typename Number>
void append_column(std::string& text, const char* name, const Items& items, Number number) {
  fmt::format_to(std::back_inserter(text), "\"{}\":", name);
  append_array(text, items, [&](const auto& item) {
    fmt::format_to(std::back_inserter(text), "{}", number(item));
  });
}

class Writer {
 public:
  Writer(const model::Report& report, const std::vector<model::Recording>& recordings,
         symbolize::Symbolizer& symbolizer, const PageOptions& options)
      : report_(report), recordings_(recordings), options_(options), sources_(options.sysroot) {
    std::vector<Span> spans;
    spans.reserve(recordings.size());
    for (const model::Recording& recording : recordings) {
      spans.push_back({recording.moments.size() - 1, std::nullopt});
    }
    profile_ = build_profile(recordings, spans, symbolizer, Keep::kOfAnyMoment);
  }

  std::string run() {
    text_ = "{\"schema\":\"seep.page/1\"";
    add("seep", Json(options_.seep_version));
    add("lines", lines_of(report_));
    add("conclusion", {{"cause", text_of(report_.conclusion.cause)},
                       {"sentence", text_of(report_.conclusion.sentence)},
                       {"action", text_of(report_.conclusion.action)}});
    add("totals", totals_of(report_.totals));
    add("limit", limit_of(report_.totals.limit));
    add("work", work_of(report_.work));
    add("losses", losses_of(report_));
    add("containers", containers_of(report_));
    add("notes", texts_of(report_.notes));
    add("processes", processes_of(report_));
    add("snapshots", snapshots_of(report_, recordings_));
    add_sites();
    add_suspects();
    add_sources();
    add_tables();
    text_ += "}\n";
    return std::move(text_);
  }

 private:
  void add(const char* name, const Json& value) {
    begin(name);
    text_ += value.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
  }

  void begin(const char* name) { fmt::format_to(std::back_inserter(text_), ",\n\"{}\":", name); }

  // The node of the page for each of the profile's.
  [[nodiscard]] std::vector<std::uint32_t> import_nodes() {
    std::vector<std::vector<std::uint32_t>> frames(profile_.places.size());  // outermost first
    for (std::size_t place = 1; place < profile_.places.size(); ++place) {
      const model::ReportStack& stack = profile_.places[place].frames;
      for (auto outer = stack.rbegin(); outer != stack.rend(); ++outer) {
        frames[place].push_back(tables_.frame(*outer));
      }
    }
    std::vector<std::uint32_t> nodes(profile_.nodes.size());
    for (std::size_t i = 1; i < profile_.nodes.size(); ++i) {
      nodes[i] = nodes[profile_.nodes[i].parent];
      for (const std::uint32_t frame : frames[profile_.nodes[i].place]) {
        nodes[i] = tables_.node(nodes[i], frame);
      }
    }
    return nodes;
  }

  [[nodiscard]] const model::SiteHistory& history_of(const Sample& sample) const {
    return recordings_[sample.process].sites[sample.site];
  }

  void add_sites() {
    const std::vector<std::uint32_t> nodes = import_nodes();
    number_of_site_.resize(recordings_.size());
    for (std::size_t i = 0; i < recordings_.size(); ++i) {
      number_of_site_[i].resize(recordings_[i].sites.size());
    }
    for (std::size_t i = 0; i < profile_.samples.size(); ++i) {
      const Sample& sample = profile_.samples[i];
      number_of_site_[sample.process][sample.site] = static_cast<std::uint32_t>(i + 1);
    }
    begin("sites");
    text_ += '{';
    append_column(text_, "process", profile_.samples,
                  [](const Sample& sample) { return sample.process; });
    text_ += ',';
    append_column(text_, "node", profile_.samples,
                  [&](const Sample& sample) { return nodes[sample.node]; });
    text_ += ',';
    append_column(text_, "kind", profile_.samples,
                  [](const Sample& sample) { return static_cast<unsigned>(sample.kind); });
    text_ += ",\"bytes\":";
    append_array(text_, profile_.samples, [&](const Sample& sample) {
      append_series(text_, history_of(sample).at,
                    [](const model::Counters& counters) { return counters.live_bytes; });
    });
    text_ += ",\"blocks\":";
    append_array(text_, profile_.samples, [&](const Sample& sample) {
      append_series(text_, history_of(sample).at,
                    [](const model::Counters& counters) { return counters.live_blocks; });
    });
    text_ += '}';
  }

  void add_suspects() {
    begin("suspects");
    append_array(text_, report_.suspects, [&](const model::Suspect& suspect) {
      text_ += "\n{";
      append_figures(text_, suspect);
      text_ += ",\"sites\":" + sites_of(suspect).dump();
      text_ += fmt::format(",\"stack\":{}", tables_.stack(suspect.stack));
      text_ += ",\"paths\":" + paths_of(suspect).dump() + '}';
      want_sources(suspect);
    });
  }

  // Numbers of `sites`, from 0 on.
  [[nodiscard]] Json sites_of(const model::Suspect& suspect) const {
    Json numbers = Json::array();
    for (const model::SiteRef& member : suspect.members) {
      const std::uint32_t number = number_of_site_[member.recording][member.site];
      if (number != 0) {
        numbers.push_back(number - 1);
      }
    }
    return numbers;
  }

  // [bytes, blocks, node, blame] of each.
  Json paths_of(const model::Suspect& suspect) {
    Json paths = Json::array();
    for (const model::SuspectPath& path : suspect.paths) {
      paths.push_back({path.live_bytes, path.live_blocks, tables_.stack(path.stack), path.blame});
    }
    return paths;
  }

  // Of leaks around all frames of the largest path, of the others around the blamed one.
  void want_sources(const model::Suspect& suspect) {
    for (std::size_t i = 0; i < suspect.stack.size(); ++i) {
      const model::ReportFrame& frame = suspect.stack[i];
      if (frame.file && frame.line && (suspect.leak || i == suspect.blame)) {
        sources_.want(*frame.file, *frame.line);
      }
    }
  }

  // By the number of the file's name.
  void add_sources() {
    Json sources = Json::object();
    const auto files = options_.source_lines ? sources_.read() : decltype(sources_.read())();
    for (const auto& [file, lines] : files) {
      Json of_file = Json::object();
      for (const auto& [number, line] : lines) {
        of_file[std::to_string(number)] = text_of(line);
      }
      sources[std::to_string(tables_.text(file))] = std::move(of_file);
    }
    add("sources", sources);
  }

  void add_tables() {
    begin("frames");
    text_ += '{';
    append_column(text_, "name", tables_.frames(),
                  [](const PageFrame& frame) { return frame.name; });
    text_ += ',';
    append_column(text_, "file", tables_.frames(),
                  [](const PageFrame& frame) { return frame.file; });
    text_ += ',';
    append_column(text_, "line", tables_.frames(),
                  [](const PageFrame& frame) { return frame.line; });
    text_ += ',';
    append_column(text_, "module", tables_.frames(),
                  [](const PageFrame& frame) { return frame.module; });
    text_ += ',';
    append_column(text_, "language", tables_.frames(),
                  [](const PageFrame& frame) { return frame.language; });
    text_ += ',';
    append_column(text_, "flags", tables_.frames(),
                  [](const PageFrame& frame) { return frame.flags; });
    text_ += '}';
    begin("nodes");
    text_ += '{';
    append_column(text_, "parent", tables_.nodes(),
                  [](const PageNode& node) { return node.parent; });
    text_ += ',';
    append_column(text_, "frame", tables_.nodes(), [](const PageNode& node) { return node.frame; });
    text_ += '}';
    begin("texts");
    append_array(text_, tables_.texts(),
                 [&](const std::string& text) { text_ += json_text(text); });
  }

  const model::Report& report_;
  const std::vector<model::Recording>& recordings_;
  const PageOptions& options_;
  SourceLines sources_;
  Profile profile_;
  PageTables tables_;
  std::vector<std::vector<std::uint32_t>> number_of_site_;  // of each recording; 0: not kept
  std::string text_;
};

}  // namespace

std::string page_data(const model::Report& report, const std::vector<model::Recording>& recordings,
                      symbolize::Symbolizer& symbolizer, const PageOptions& options) {
  return Writer(report, recordings, symbolizer, options).run();
}

}  // namespace seep::exporters
