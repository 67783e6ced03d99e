#include "analyzer/export/junit.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <string>

#include "analyzer/export/frame_name.h"
#include "analyzer/model/xml_text.h"
#include "analyzer/report/frame_kind.h"
#include "analyzer/report/lines.h"

namespace seep::exporters {
namespace {

using model::xml_text;

using Ids = std::set<std::string>;

// Why nothing is said of it; unset where it was judged.
std::optional<std::string> why_skipped(const model::Suspect& suspect, const Ids& not_judged) {
  if (suspect.suppressed_by) {
    return "suppressed by " + *suspect.suppressed_by;
  }
  if (suspect.leak && not_judged.contains(suspect.id)) {
    return "not judged, on too few snapshots or at too low a confidence: " + suspect.why;
  }
  const bool is_unknown = !suspect.leak && suspect.behaviour == model::Behaviour::kUnknown;
  return is_unknown ? std::optional(suspect.why) : std::nullopt;
}

const model::ReportFrame* blamed(const model::Suspect& suspect) {
  return suspect.stack.empty()
             ? nullptr
             : &suspect.stack[std::min<std::size_t>(suspect.blame, suspect.stack.size() - 1)];
}

std::string stack_text(const model::Suspect& suspect) {
  std::string text;
  for (const model::ReportFrame& frame : suspect.stack) {
    text += xml_text("   " + report::frame_text(frame)) + "\n";
  }
  return text;
}

std::string failure(const model::Suspect& suspect) {
  const std::string held = report::held_text(suspect);
  return fmt::format("<failure type=\"{}\" message=\"{}\">{}\n{}{}why: {}\n</failure>",
                     xml_text(suspect.verdict), xml_text(report::suspect_text(suspect)),
                     xml_text(report::suspect_text(suspect)), stack_text(suspect),
                     held.empty() ? "" : xml_text(held) + "\n", xml_text(suspect.why));
}

// The id makes the name one that stays and that no other case has.
std::string test_case(const model::Suspect& suspect, const std::string& program,
                      const Ids& not_judged) {
  const model::ReportFrame* frame = blamed(suspect);
  std::string text = fmt::format("<testcase classname=\"seep.{}\" name=\"{} [{}]\"", program,
                                 frame == nullptr ? "no stack" : xml_text(frame_name(*frame)),
                                 xml_text(suspect.id));
  if (frame != nullptr && frame->file) {
    text += fmt::format(" file=\"{}\"", xml_text(*frame->file));
    text += frame->line ? fmt::format(" line=\"{}\"", *frame->line) : "";
  }
  text += " time=\"0\"";
  if (const auto why = why_skipped(suspect, not_judged)) {
    return text + fmt::format("><skipped message=\"{}\"/></testcase>\n", xml_text(*why));
  }
  return text + (suspect.leak ? ">" + failure(suspect) + "</testcase>\n" : "/>\n");
}

std::string counts(const model::Report& report, const Ids& not_judged) {
  unsigned failures = 0;
  unsigned skipped = 0;
  for (const model::Suspect& suspect : report.suspects) {
    const bool is_skipped = why_skipped(suspect, not_judged).has_value();
    skipped += is_skipped ? 1 : 0;
    failures += suspect.leak && !is_skipped ? 1 : 0;
  }
  return fmt::format("tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\"",
                     report.suspects.size(), failures, skipped);
}

// Name, machine and time of the process that stands for the run.
std::string suite_attributes(const model::Report& report) {
  const model::ReportProcess& process = report::main_process(report);
  const auto seconds = static_cast<std::time_t>(process.info.started_unix_ns / 1'000'000'000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format(
      "name=\"{}\" hostname=\"{}\" timestamp=\"{:%Y-%m-%dT%H:%M:%S}\" time=\"{:.3f}\"",
      xml_text(process.id), xml_text(process.info.host), utc, process.duration_s);
}

std::string properties(const model::Report& report) {
  std::string text = "<properties>\n";
  for (const model::ReportProcess& process : report.processes) {
    text += fmt::format("<property name=\"process\" value=\"{}\"/>\n", xml_text(process.id));
  }
  return text + fmt::format("<property name=\"conclusion\" value=\"{}\"/>\n</properties>\n",
                            xml_text(report.conclusion.sentence));
}

}  // namespace

void write_junit(const model::Report& report, const Ids& not_judged, const Write& write) {
  const std::string program = xml_text(report::base_name(report::main_process(report).info.exe));
  write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
  write(fmt::format("<testsuites name=\"seep\" {}>\n<testsuite {} {}>\n",
                    counts(report, not_judged), suite_attributes(report),
                    counts(report, not_judged)));
  write(properties(report));
  for (const model::Suspect& suspect : report.suspects) {
    write(test_case(suspect, program, not_judged));
  }
  write("</testsuite>\n</testsuites>\n");
}

}  // namespace seep::exporters
