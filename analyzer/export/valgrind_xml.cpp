#include "analyzer/export/valgrind_xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "analyzer/export/frame_name.h"
#include "analyzer/model/figures.h"
#include "analyzer/model/xml_text.h"
#include "analyzer/report/lines.h"

namespace seep::exporters {
namespace {

using model::xml_text;

// What Valgrind calls it, in <kind> and in its sentence.
struct Kind {
  const char* name;
  const char* words;
};
constexpr Kind kDefinitely{"Leak_DefinitelyLost", "definitely lost"};
constexpr Kind kIndirectly{"Leak_IndirectlyLost", "indirectly lost"};
constexpr Kind kReachable{"Leak_StillReachable", "still reachable"};

struct LossRecord {
  const model::Suspect* suspect;
  Kind kind;
  std::uint64_t blocks;
  std::uint64_t bytes;
  std::uint64_t indirect_bytes;  // behind those, that go with them
};

// Estimates of samples need not add up.
std::uint64_t rest(std::uint64_t all, std::uint64_t part) {
  return all - std::min(all, part);
}

// Of one leak a part may be lost and a part be held.
void add_records(const model::Suspect& suspect, std::vector<LossRecord>& records) {
  const std::uint64_t bytes = suspect.unreachable_bytes.value_or(0);
  const std::uint64_t blocks = suspect.unreachable_blocks.value_or(0);
  const std::uint64_t direct_bytes = suspect.unreachable_direct_bytes.value_or(0);
  const std::uint64_t direct_blocks = suspect.unreachable_direct_blocks.value_or(0);
  if (direct_blocks > 0) {
    records.push_back(
        {&suspect, kDefinitely, direct_blocks, direct_bytes, rest(bytes, direct_bytes)});
  } else if (blocks > 0) {
    records.push_back({&suspect, kIndirectly, blocks, bytes, 0});
  }
  if (suspect.live_blocks > blocks) {
    records.push_back(
        {&suspect, kReachable, suspect.live_blocks - blocks, rest(suspect.live_bytes, bytes), 0});
  }
}

std::vector<LossRecord> records_of(const model::Report& report) {
  std::vector<LossRecord> records;
  for (const model::Suspect& suspect : report.suspects) {
    if (suspect.leak && !suspect.suppressed_by) {
      add_records(suspect, records);
    }
  }
  return records;
}

// "100 (16 direct, 84 indirect) bytes in 1 blocks are definitely lost in loss record 1 of 5"
std::string sentence(const LossRecord& record, std::size_t number, std::size_t of) {
  const std::uint64_t all = record.bytes + record.indirect_bytes;
  const std::string parts =
      record.indirect_bytes == 0
          ? ""
          : fmt::format("({} direct, {} indirect) ", model::format_count(record.bytes),
                        model::format_count(record.indirect_bytes));
  return fmt::format("{} {}bytes in {} blocks are {} in loss record {} of {}",
                     model::format_count(all), parts, model::format_count(record.blocks),
                     record.kind.words, model::format_count(number), model::format_count(of));
}

std::string element(const char* name, const std::string& text) {
  return fmt::format("<{0}>{1}</{0}>", name, xml_text(text));
}

// Valgrind has the directory apart. A script's frame has its file too; an address it has none of.
std::string frame_element(const model::ReportFrame& frame) {
  std::string text = fmt::format("    <frame><ip>0x{:X}</ip>", frame.offset);
  text += element("obj", frame.module);
  text += frame.function ? element("fn", *frame.function) : "";
  if (frame.file) {
    const std::size_t slash = frame.file->rfind('/');
    if (slash != std::string::npos) {
      text += element("dir", slash == 0 ? "/" : frame.file->substr(0, slash));
    }
    text += element("file", frame.file->substr(slash + 1));
    text += frame.line ? element("line", std::to_string(*frame.line)) : "";
  }
  return text + "</frame>\n";
}

std::string error_element(const LossRecord& record, std::size_t number, std::size_t of) {
  const model::Suspect& suspect = *record.suspect;
  std::string text = fmt::format(
      "<error>\n  <unique>0x{:x}</unique>\n  <tid>1</tid>\n  <kind>{}</kind>\n  <xwhat>\n    {}\n"
      "    <leakedbytes>{}</leakedbytes>\n    <leakedblocks>{}</leakedblocks>\n  </xwhat>\n"
      "  <stack>\n",
      number - 1, record.kind.name, element("text", sentence(record, number, of)),
      record.bytes + record.indirect_bytes, record.blocks);
  for (const model::ReportFrame& frame : suspect.stack) {
    text += frame_element(frame);
  }
  text += "  </stack>\n";
  const std::string held = report::held_text(suspect);
  for (const std::string& line : {report::suspect_text(suspect), held, "why: " + suspect.why}) {
    text += line.empty() ? "" : "  " + element("auxwhat", "seep: " + line) + "\n";
  }
  return text + "</error>\n\n";
}

std::string status_element(const char* state, double seconds) {
  const auto ms = static_cast<std::uint64_t>(seconds * 1000);
  return fmt::format(
      "<status>\n  <state>{}</state>\n  <time>{:02}:{:02}:{:02}:{:02}.{:03} </time>\n</status>\n\n",
      state, ms / 86'400'000, ms / 3'600'000 % 24, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

// One document has one process: that which stands for the run; the others are named.
std::string head(const model::Report& report) {
  const model::ReportProcess& process = report::main_process(report);
  std::string text =
      "<?xml version=\"1.0\"?>\n\n<valgrindoutput>\n\n<protocolversion>4</protocolversion>\n"
      "<protocoltool>memcheck</protocoltool>\n\n<preamble>\n";
  text += "  " +
          element("line",
                  "Written by seep in Valgrind's format; <ip> is an address in the file <obj>") +
          "\n";
  text += "  " + element("line", report::run_text(report)) + "\n";
  for (const model::ReportProcess& one : report.processes) {
    text += "  " + element("line", "Recording: " + one.id) + "\n";
  }
  text += fmt::format("</preamble>\n\n<pid>{}</pid>\n<ppid>{}</ppid>\n<tool>memcheck</tool>\n\n",
                      process.info.pid, process.info.parent_pid);
  text += "<args>\n  <vargv>\n    <exe>seep</exe>\n  </vargv>\n  <argv>\n";
  text += "    " + element("exe", process.info.exe) + "\n";
  for (std::size_t i = 1; i < process.info.command.size(); ++i) {
    text += "    " + element("arg", process.info.command[i]) + "\n";
  }
  return text + "  </argv>\n</args>\n\n" + status_element("RUNNING", 0) +
         status_element("FINISHED", process.duration_s);
}

std::string suppressed(const model::Report& report) {
  std::string text = "<suppcounts>\n";
  for (const model::SuppressionUse& use : report.suppressions) {
    if (use.suspects != 0) {
      text += fmt::format("  <pair>\n    <count>{}</count>\n    {}\n  </pair>\n", use.suspects,
                          element("name", use.name));
    }
  }
  return text + "</suppcounts>\n\n";
}

}  // namespace

void write_valgrind_xml(const model::Report& report, const Write& write) {
  const std::vector<LossRecord> records = records_of(report);
  write(head(report));
  for (std::size_t i = 0; i < records.size(); ++i) {
    write(error_element(records[i], i + 1, records.size()));
  }
  write("<errorcounts>\n</errorcounts>\n\n" + suppressed(report) + "</valgrindoutput>\n");
}

}  // namespace seep::exporters
