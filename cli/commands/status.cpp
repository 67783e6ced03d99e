// seep status [PID]: what is tracked, and how it is going.
#include <fmt/format.h>

#include <chrono>
#include <initializer_list>
#include <memory>
#include <string>

#include "analyzer/model/figures.h"
#include "analyzer/model/printable.h"
#include "cli/client/control_file.h"
#include "cli/client/tracked_process.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/quantity.h"
#include "format/capture_counts.h"
#include "format/losses.h"

namespace seep::cli {
namespace {

using client::TrackedProcess;
using model::format_count;
using model::printable;

const char* state_of(const TrackedProcess& process) {
  return client::name_of(static_cast<format::AgentState>(process.page.state));
}

std::uint64_t age_ms(const TrackedProcess& process) {
  using std::chrono::duration_cast;
  const auto now =
      duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  const auto started = static_cast<std::int64_t>(process.page.started_unix_ns / 1'000'000);
  return now > started ? static_cast<std::uint64_t>(now - started) : 0;
}

std::string recording_of(const TrackedProcess& process) {
  return process.recording.empty() ? "its recording was removed" : printable(process.recording);
}

void print_losses(const format::ControlPage& page) {
  bool any = false;
  for (const format::LossName& loss : format::kLossNames) {
    const std::uint64_t count = page.losses[static_cast<std::uint32_t>(loss.loss)];
    if (count > 0) {
      fmt::print("lost          {}  {}: {}\n", format_count(count), loss.name, loss.meaning);
      any = true;
    }
  }
  if (!any) {
    fmt::print("lost          nothing\n");
  }
}

using format::CaptureCount;

std::uint64_t captures_of(const format::ControlPage& page,
                          std::initializer_list<CaptureCount> counts) {
  std::uint64_t sum = 0;
  for (const CaptureCount count : counts) {
    sum += page.captures[static_cast<std::uint32_t>(count)];
  }
  return sum;
}

// What a count is a share of: the stacks of blocks, the frames of walks, the stacks compared; 0 for
// those that are a share of nothing.
std::uint64_t whole_of(const format::ControlPage& page, CaptureCount count) {
  switch (count) {
    case CaptureCount::predicted:
    case CaptureCount::first_met:
    case CaptureCount::changed:
    case CaptureCount::unpredictable:
    case CaptureCount::without_cache:
      return captures_of(page, {CaptureCount::predicted, CaptureCount::first_met,
                                CaptureCount::changed, CaptureCount::without_cache});
    case CaptureCount::frames_repeated:
    case CaptureCount::frames_walked:
      return captures_of(page, {CaptureCount::frames_repeated, CaptureCount::frames_walked});
    case CaptureCount::different:
      return captures_of(page, {CaptureCount::compared});
    default:
      return 0;
  }
}

std::string share_of(std::uint64_t count, std::uint64_t whole) {
  return whole == 0 ? ""
                    : fmt::format("{:.2f} %  ",
                                  100 * static_cast<double>(count) / static_cast<double>(whole));
}

void print_captures(const format::ControlPage& page) {
  for (const format::CaptureCountName& name : format::kCaptureCountNames) {
    const std::uint64_t count = captures_of(page, {name.count});
    if (count > 0) {
      fmt::print("captures      {}  {}{}: {}\n", format_count(count),
                 share_of(count, whole_of(page, name.count)), name.name, name.meaning);
    }
  }
}

void print_settings_and_message(const format::ControlPage& page) {
  if (const std::string inactive = client::text_of(page.inactive_settings); !inactive.empty()) {
    fmt::print("not active    {} (given, but this version does nothing with it)\n",
               printable(inactive));
  }
  if (const std::string message = client::text_of(page.message); !message.empty()) {
    fmt::print("message       {}\n", printable(message));
  }
}

bool records_nothing_yet(const format::ControlPage& page) {
  return static_cast<format::AgentState>(page.state) == format::AgentState::kPaused &&
         page.last_sequence == 0;
}

void print_one(const TrackedProcess& process) {
  const format::ControlPage& page = process.page;
  fmt::print("process       {} ({}){}\n", process.pid, printable(process.name),
             static_cast<pid_t>(page.pid) == process.pid
                 ? ""
                 : fmt::format(", {} in its own namespace", page.pid));
  fmt::print("state         {} for {}\n", state_of(process), format_duration_ms(age_ms(process)));
  if (records_nothing_yet(page)) {
    fmt::print("recorded      nothing yet: `seep start {}` begins the recording\n", process.pid);
  }
  fmt::print("run           {:016x}, image {}\n", page.run_id, page.image);
  fmt::print("recording     {}\n", recording_of(process));
  fmt::print("snapshots     {} kept, last number {}, {:.1f} ms spent on all\n", page.snapshots_kept,
             page.last_sequence, static_cast<double>(page.snapshot_ns) / 1e6);
  fmt::print("live          {} in {} blocks, as of the last snapshot, {} after the start\n",
             format_size(page.live_bytes), format_count(page.live_blocks),
             format_duration_ms(page.updated_ms));
  fmt::print("sites         {}, {} stack nodes\n", format_count(page.sites),
             format_count(page.stack_nodes));
  fmt::print("tracker       {}\n", format_size(page.tracker_bytes));
  print_losses(page);
  print_captures(page);
  print_settings_and_message(page);
}

void print_row(const TrackedProcess& process) {
  const format::ControlPage& page = process.page;
  fmt::print("{:>8} {:<16} {:<10} {:>10} {:>9} {:>10} {:>13}  {}\n", process.pid,
             printable(process.name), state_of(process), format_duration_ms(age_ms(process)),
             page.snapshots_kept, format_size(page.live_bytes), format_count(page.live_blocks),
             recording_of(process));
}

int list_all() {
  const client::Survey survey = client::find_all_tracked();
  if (survey.processes.empty()) {
    fmt::print("no tracked process can be seen\n");
  } else {
    fmt::print("{:>8} {:<16} {:<10} {:>10} {:>9} {:>10} {:>13}  {}\n", "PID", "PROGRAM", "STATE",
               "FOR", "SNAPSHOTS", "LIVE", "BLOCKS", "RECORDING");
  }
  for (const TrackedProcess& process : survey.processes) {
    print_row(process);
  }
  if (survey.not_permitted > 0) {
    fmt::print(stderr, "seep: {} {} could not be looked at by this user\n", survey.not_permitted,
               survey.not_permitted == 1 ? "process" : "processes");
  }
  return kDone;
}

int status_verb(pid_t pid) {
  if (pid == 0) {
    return list_all();
  }
  const Result<TrackedProcess> process = client::find_tracked(pid);
  if (!process) {
    return fail(process.error());
  }
  print_one(*process);
  return kDone;
}

}  // namespace

Action describe_status(Arguments& arguments) {
  const auto pid = std::make_shared<pid_t>(0);
  arguments.option("PID", *pid, "One process in full; without it, all that can be seen").positive();
  return [pid](const auto&) { return status_verb(*pid); };
}

}  // namespace seep::cli
