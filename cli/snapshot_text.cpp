#include "cli/snapshot_text.h"

#include <fmt/format.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "analyzer/model/figures.h"
#include "analyzer/model/printable.h"
#include "analyzer/model/report.h"
#include "cli/quantity.h"
#include "format/losses.h"

namespace seep::cli {
namespace {

using model::format_count;
using model::printable;
using nlohmann::ordered_json;

std::string rfc3339(std::uint64_t unix_ns) {
  const auto seconds = static_cast<std::time_t>(unix_ns / 1'000'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string command_line(const model::ProcessInfo& process) {
  std::string text;
  for (const std::string& word : process.command) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

std::string process_text(const model::ProcessInfo& process) {
  std::string text;
  text += fmt::format("program       {}\n", printable(process.exe));
  text += fmt::format("command       {}\n", printable(command_line(process)));
  text += fmt::format("process       {} on {}, parent {}, uid {}, image {}{}{}\n", process.pid,
                      printable(process.host), process.parent_pid, process.uid, process.image,
                      process.forked ? ", a fork" : "",
                      process.started_directly ? ", started directly" : "");
  text += fmt::format("run           {:016x}, started {}\n", process.run_id,
                      rfc3339(process.started_unix_ns));
  return text;
}

std::string moment_text(const model::Snapshot& snapshot) {
  const model::Moment& moment = snapshot.moment;
  std::string text =
      fmt::format("snapshot      {}, {} after the start, trigger {}", moment.sequence,
                  format_duration_ms(static_cast<std::uint64_t>(moment.time_s * 1000)),
                  model::name_of(moment.trigger));
  text += moment.mark ? fmt::format(", mark \"{}\"", printable(*moment.mark)) : "";
  text += moment.units ? fmt::format(", {} units", format_count(*moment.units)) : "";
  text += fmt::format(
      "\nlive          {} in {} blocks from {} sites\n",
      model::format_estimate(static_cast<double>(moment.live_bytes), moment.live_bytes_error),
      format_count(moment.live_blocks), format_count(snapshot.sites.size()));
  text += fmt::format(
      "holds         {} stack nodes, {} modules; walking the blocks took {:.2f} ms\n",
      format_count(snapshot.stacks.nodes.size()), format_count(snapshot.stacks.modules.size()),
      static_cast<double>(moment.walk_ns) / 1e6);
  text += fmt::format(
      "mode          {}{}, end {}\n", model::name_of(snapshot.process.mode),
      snapshot.process.mode == model::Mode::kSample
          ? fmt::format(" every {} bytes on average", format_count(snapshot.process.sample_bytes))
          : "",
      model::name_of(snapshot.end.how));
  return text;
}

std::string accounting_text(const model::Accounting& memory) {
  return fmt::format(
      "memory        RSS {}: tracked {}, allocator retained {}, mmap {}, stacks {}, files {}, "
      "shared {}, "
      "tracker {}, other {}\n",
      format_size(memory.rss_bytes), format_size(memory.tracked_live_bytes),
      format_size(memory.allocator_retained_bytes), format_size(memory.mmap_bytes),
      format_size(memory.stack_bytes), format_size(memory.file_bytes),
      format_size(memory.shared_bytes), format_size(memory.tracker_bytes),
      format_size(memory.other_bytes));
}

// PHP's allocator, and the limit that PHP has for it.
std::string php_memory_text(const model::Accounting& memory) {
  if (memory.script_real_bytes == 0) {
    return {};
  }
  return fmt::format(
      "PHP's memory  {} taken (at most {}), {} in use, memory_limit {}\n",
      format_size(memory.script_real_bytes), format_size(memory.script_peak_bytes),
      format_size(memory.script_used_bytes),
      memory.script_limit_bytes == 0 ? "none" : format_size(memory.script_limit_bytes));
}

ordered_json php_memory_json(const model::Accounting& memory) {
  if (memory.script_real_bytes == 0) {
    return nullptr;
  }
  return {{"limit_bytes", memory.script_limit_bytes == 0 ? ordered_json(nullptr)
                                                         : ordered_json(memory.script_limit_bytes)},
          {"real_bytes", memory.script_real_bytes},
          {"peak_bytes", memory.script_peak_bytes},
          {"used_bytes", memory.script_used_bytes}};
}

std::string losses_text(const model::Losses& losses) {
  std::string text;
  for (const format::LossName& loss : format::kLossNames) {
    if (const std::uint64_t count = losses[static_cast<std::size_t>(loss.loss)]; count > 0) {
      text +=
          fmt::format("lost          {}  {}: {}\n", format_count(count), loss.name, loss.meaning);
    }
  }
  return text.empty() ? "lost          nothing\n" : text;
}

struct Unreachable {
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;
  std::uint64_t direct_blocks = 0;
  std::uint64_t direct_bytes = 0;
};

// What a hostile file may make of these sums is only text.
Unreachable sum_of(const model::Scan& scan) {
  Unreachable sum;
  for (const model::Unreachable& entry : scan.unreachable) {
    sum.blocks += entry.blocks();
    sum.bytes += entry.bytes();
    sum.direct_blocks += entry.direct_blocks;
    sum.direct_bytes += entry.direct_bytes;
  }
  return sum;
}

std::string scan_text(const model::Scan& scan) {
  const auto ms = [](std::uint64_t ns) { return static_cast<double>(ns) / 1e6; };
  std::string text =
      fmt::format("scan          {}, {}\n",
                  scan.when == model::ScanTime::kSnapshot ? "with a snapshot"
                  : scan.when == model::ScanTime::kExit   ? "at exit"
                                                          : "on request",
                  scan.complete ? "complete"
                                : fmt::format("not complete: {}", model::meaning_of(scan.problem)));
  text += fmt::format(
      "cost          {} threads stopped for {:.2f} ms ({:.2f} ms of it the fork), scanned for "
      "{:.2f} ms\n",
      format_count(scan.threads), ms(scan.pause_ns), ms(scan.fork_ns), ms(scan.scan_ns));
  text += fmt::format("looked at     {} blocks from {} of roots\n", format_count(scan.blocks),
                      format_size(scan.root_bytes));
  if (scan.complete) {
    const Unreachable sum = sum_of(scan);
    text +=
        fmt::format("unreachable   {} in {} blocks, {} in {} of them direct\n",
                    model::format_bytes(static_cast<double>(sum.bytes)), format_count(sum.blocks),
                    model::format_bytes(static_cast<double>(sum.direct_bytes)),
                    format_count(sum.direct_blocks));
  }
  return text;
}

template <typename T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json process_json(const model::ProcessInfo& process) {
  return {
      {"pid", process.pid},
      {"host_pid", process.host_pid == 0 ? ordered_json(nullptr) : ordered_json(process.host_pid)},
      {"parent_pid", process.parent_pid},
      {"uid", process.uid},
      {"host", process.host},
      {"run", fmt::format("{:016x}", process.run_id)},
      {"image", process.image},
      {"exe", process.exe},
      {"command", process.command},
      {"started", rfc3339(process.started_unix_ns)},
      {"mode", model::name_of(process.mode)},
      {"sample_bytes", process.mode == model::Mode::kSample ? ordered_json(process.sample_bytes)
                                                            : ordered_json(nullptr)}};
}

ordered_json accounting_json(const model::Accounting& memory) {
  return {{"rss_bytes", memory.rss_bytes},
          {"tracked_live_bytes", memory.tracked_live_bytes},
          {"allocator_retained_bytes", memory.allocator_retained_bytes},
          {"mmap_bytes", memory.mmap_bytes},
          {"stack_bytes", memory.stack_bytes},
          {"file_bytes", memory.file_bytes},
          {"shared_bytes", memory.shared_bytes},
          {"tracker_bytes", memory.tracker_bytes},
          {"other_bytes", memory.other_bytes}};
}

ordered_json losses_json(const model::Losses& losses) {
  ordered_json json = ordered_json::object();
  for (const format::LossName& loss : format::kLossNames) {
    json[loss.name] = losses[static_cast<std::size_t>(loss.loss)];
  }
  return json;
}

ordered_json modules_json(const std::vector<model::Module>& modules) {
  ordered_json json = ordered_json::array();
  for (std::size_t i = 1; i < modules.size(); ++i) {  // 0 means "no module"
    const model::Module& module = modules[i];
    json.push_back({{"path", module.path},
                    {"build_id", module.build_id.empty() ? ordered_json(nullptr)
                                                         : ordered_json(module.build_id)},
                    {"unloaded", module.unloaded}});
  }
  return json;
}

ordered_json scan_json(const std::optional<model::Scan>& scan) {
  if (!scan) {
    return nullptr;
  }
  const Unreachable sum = sum_of(*scan);
  const auto known = [&](std::uint64_t figure) {
    return scan->complete ? ordered_json(figure) : ordered_json(nullptr);
  };
  return {{"when", model::name_of(scan->when)},
          {"complete", scan->complete},
          {"why_not",
           scan->complete ? ordered_json(nullptr) : ordered_json(model::meaning_of(scan->problem))},
          {"threads", scan->threads},
          {"pause_ns", scan->pause_ns},
          {"fork_ns", scan->fork_ns},
          {"scan_ns", scan->scan_ns},
          {"blocks", scan->blocks},
          {"root_bytes", scan->root_bytes},
          {"unreachable_bytes", known(sum.bytes)},
          {"unreachable_blocks", known(sum.blocks)},
          {"unreachable_direct_bytes", known(sum.direct_bytes)},
          {"unreachable_direct_blocks", known(sum.direct_blocks)}};
}

std::string file_text(const read::FileInfo& file) {
  std::string text =
      fmt::format("file          {}, {} bytes, format {}.{}\n", printable(file.file),
                  format_count(file.file_bytes), file.version_major, file.version_minor);
  for (const read::SectionInfo& section : file.sections) {
    text += fmt::format("section       {:<12} {:>10} entries {:>12} bytes at {:#x}{}\n",
                        section.name, format_count(section.entries), format_count(section.bytes),
                        section.offset, section.crc_ok ? "" : "  DAMAGED");
  }
  return text;
}

ordered_json sections_json(const std::vector<read::SectionInfo>& sections) {
  ordered_json json = ordered_json::array();
  for (const read::SectionInfo& section : sections) {
    json.push_back({{"name", section.name},
                    {"offset", section.offset},
                    {"bytes", section.bytes},
                    {"entries", section.entries},
                    {"crc_ok", section.crc_ok}});
  }
  return json;
}

ordered_json content_json(const model::Snapshot& snapshot) {
  const model::Moment& moment = snapshot.moment;
  return {{"process", process_json(snapshot.process)},
          {"sequence", moment.sequence},
          {"time_s", moment.time_s},
          {"trigger", model::name_of(moment.trigger)},
          {"mark", or_null(moment.mark)},
          {"units", or_null(moment.units)},
          {"live_bytes", moment.live_bytes},
          {"live_bytes_error", or_null(moment.live_bytes_error)},
          {"live_blocks", moment.live_blocks},
          {"sites", snapshot.sites.size()},
          {"nodes", snapshot.stacks.nodes.size()},
          {"walk_ns", moment.walk_ns},
          {"accounting", accounting_json(moment.accounting)},
          {"php_memory", php_memory_json(moment.accounting)},
          {"losses", losses_json(snapshot.losses)},
          {"scan", scan_json(snapshot.scan)},
          {"modules", modules_json(snapshot.stacks.modules)}};
}

}  // namespace

std::string snapshot_text(const read::FileInfo& file,
                          const std::optional<model::Snapshot>& content) {
  std::string text;
  if (content) {
    text = process_text(content->process) + moment_text(*content) +
           accounting_text(content->moment.accounting) +
           php_memory_text(content->moment.accounting) + losses_text(content->losses) +
           (content->scan ? scan_text(*content->scan) : "");
  }
  return text + file_text(file);
}

std::string snapshot_json(const read::FileInfo& file,
                          const std::optional<model::Snapshot>& content) {
  const ordered_json json = {
      {"schema", "seep.info/1"},
      {"file", file.file},
      {"file_bytes", file.file_bytes},
      {"version", fmt::format("{}.{}", file.version_major, file.version_minor)},
      {"intact", file.intact()},
      {"sections", sections_json(file.sections)},
      {"snapshot", content ? content_json(*content) : ordered_json(nullptr)}};
  // Names of files are bytes: what is no UTF-8 is replaced, not refused.
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace seep::cli
