#include "analyzer/export/openmetrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyzer/export/frame_name.h"
#include "analyzer/model/printable.h"

namespace seep::exporters {
namespace {

using Labels = std::vector<std::pair<const char*, std::string>>;

// {name="value"}; printable() leaves no new lines.
std::string labels_text(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    text += fmt::format("{}{}=\"", text.empty() ? "{" : ",", name);
    for (const char c : model::printable(value)) {
      text += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
    text += '"';
  }
  return text.empty() ? text : text + '}';
}

// The lines of one name, which stand together.
class Family {
 public:
  Family(std::string_view name, std::string_view type, std::string_view help)
      : name_(name), suffix_(type == "counter" ? "_total" : "") {
    head_ = fmt::format("# TYPE {} {}\n", name, type);
    head_ += name.ends_with("_bytes") ? fmt::format("# UNIT {} bytes\n", name) : "";
    head_ += fmt::format("# HELP {} {}\n", name, help);
  }

  template <typename Number>
  Family& add(const Labels& labels, Number value) {
    lines_ += fmt::format("{}{}{} {}\n", name_, suffix_, labels_text(labels), value);
    return *this;
  }

  template <typename Number>
  Family& add_known(const Labels& labels, const std::optional<Number>& value) {
    return value ? add(labels, *value) : *this;
  }

  [[nodiscard]] std::string text() const { return lines_.empty() ? "" : head_ + lines_; }

 private:
  std::string name_;
  std::string suffix_;
  std::string head_;
  std::string lines_;
};

void write_processes(const model::Report& report, const Write& write) {
  Family family("seep_process", "gauge", "Processes that were recorded: 1 each.");
  for (const model::ReportProcess& process : report.processes) {
    family.add({{"process", process.id},
                {"run", fmt::format("{:016x}", process.info.run_id)},
                {"pid", std::to_string(process.info.pid)},
                {"exe", process.info.exe},
                {"host", process.info.host},
                {"mode", model::name_of(process.info.mode)}},
               1);
  }
  write(family.text());
}

void write_totals(const model::Report& report, const Write& write) {
  const model::Totals& totals = report.totals;
  const auto gauge = [&](const char* name, const char* help, const auto& value) {
    write(Family(name, "gauge", help).add_known({}, std::optional(value)).text());
  };
  const auto known = [&](const char* name, const char* help, const auto& value) {
    write(Family(name, "gauge", help).add_known({}, value).text());
  };
  gauge("seep_live_bytes", "Bytes that are alive.", totals.live_bytes);
  gauge("seep_live_blocks", "Blocks that are alive.", totals.live_blocks);
  known("seep_growth_bytes_per_second", "Growth of what is alive.", totals.growth_bytes_per_s);
  known("seep_unreachable_bytes", "Bytes that nothing points to.", totals.unreachable_bytes);
  gauge("seep_leak_suspects", "Leaks that nothing suppresses.", totals.leak_suspects);
  gauge("seep_suppressed_suspects", "Leaks that are suppressed.", totals.suppressed_suspects);
}

void write_accounting(const model::Report& report, const Write& write) {
  const model::Accounting& accounting = report.accounting;
  write(Family("seep_rss_bytes", "gauge", "Resident size of the main process at the last snapshot.")
            .add({}, accounting.rss_bytes)
            .text());
  write(Family("seep_memory_bytes", "gauge", "What the memory of the main process is used for.")
            .add({{"part", "tracked_live"}}, accounting.tracked_live_bytes)
            .add({{"part", "allocator_retained"}}, accounting.allocator_retained_bytes)
            .add({{"part", "mmap"}}, accounting.mmap_bytes)
            .add({{"part", "stack"}}, accounting.stack_bytes)
            .add({{"part", "file"}}, accounting.file_bytes)
            .add({{"part", "shared"}}, accounting.shared_bytes)
            .add({{"part", "tracker"}}, accounting.tracker_bytes)
            .add({{"part", "other"}}, accounting.other_bytes)
            .text());
}

Labels labels_of(const model::Suspect& suspect) {
  model::ReportFrame frame;
  std::string function;
  if (!suspect.stack.empty()) {
    frame = suspect.stack[std::min<std::size_t>(suspect.blame, suspect.stack.size() - 1)];
    function = frame_name(frame);
  }
  return {{"id", suspect.id},
          {"function", function},
          {"file", frame.file.value_or("")},
          {"line", frame.line ? std::to_string(*frame.line) : ""},
          {"kind", model::name_of(suspect.kind)},
          {"verdict", suspect.verdict},
          {"leak", suspect.leak ? "true" : "false"},
          {"suppressed", suspect.suppressed_by ? "true" : "false"}};
}

void write_suspects(const model::Report& report, const Write& write) {
  const auto family = [&](const char* name, const char* help, const auto& value_of) {
    Family lines(name, "gauge", help);
    for (const model::Suspect& suspect : report.suspects) {
      lines.add_known(labels_of(suspect), value_of(suspect));
    }
    write(lines.text());
  };
  using model::Suspect;
  family("seep_suspect_live_bytes", "Bytes of a suspect that are alive.",
         [](const Suspect& suspect) { return std::optional(suspect.live_bytes); });
  family("seep_suspect_live_blocks", "Blocks of a suspect that are alive.",
         [](const Suspect& suspect) { return std::optional(suspect.live_blocks); });
  family("seep_suspect_growth_bytes_per_second", "Growth of a suspect.",
         [](const Suspect& suspect) { return suspect.growth_bytes_per_s; });
  family("seep_suspect_growth_bytes_per_unit", "Growth of a suspect for each unit of work.",
         [](const Suspect& suspect) { return suspect.growth_bytes_per_unit; });
  family("seep_suspect_unreachable_bytes", "Bytes of a suspect that nothing points to.",
         [](const Suspect& suspect) { return suspect.unreachable_bytes; });
  family("seep_suspect_confidence", "Probability that the verdict is right.",
         [](const Suspect& suspect) { return suspect.confidence; });
}

void write_losses(const model::Report& report, const Write& write) {
  Family family("seep_lost_events", "counter", "What could not be recorded, by reason.");
  for (const auto& [reason, count] : report.losses) {
    family.add({{"reason", reason}}, count);
  }
  write(family.text());
}

}  // namespace

void write_openmetrics(const model::Report& report, const Write& write) {
  write_processes(report, write);
  write_totals(report, write);
  write_accounting(report, write);
  write_suspects(report, write);
  write_losses(report, write);
  write("# EOF\n");
}

}  // namespace seep::exporters
