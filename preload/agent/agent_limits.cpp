// What is looked at again and again beside the heap: the resident size against its limits
// (SEEP_RSS_LIMIT), and the figures for Prometheus (SEEP_METRICS). All of it runs as the agent's
// holder, but size_look_is_due.
#include "preload/agent/agent.h"
#include "preload/recorder/recorder.h"
#include "preload/runtime/arena.h"
#include "preload/runtime/clocks.h"
#include "preload/snapshot/accounting.h"
#include "preload/snapshot/cgroup.h"

namespace seep::agent {
namespace {

using recorder::Clock;

constexpr std::uint64_t kSizeLookMs = 200;
// Where there is nothing to hold the size against: the cgroup may get a limit.
constexpr std::uint64_t kIdleSizeLookMs = 5000;
constexpr std::uint64_t kGroupLookMs = 2000;
constexpr std::uint64_t kMetricsMs = 15000;
constexpr std::uint64_t kNsPerS = 1000000000;

}  // namespace

// AT-INIT.
void Agent::start_watching(const char* const* environment) {
  limit_watch_.configure(settings_.rss_limits);
  look_at_group(Clock::monotonic_ms());
  copy_limit_settings(environment);
  watches_size_ = limit_watch_.is_active() || metrics_directory_.size() != 0;
}

// The program may write where its environment was (setproctitle).
void Agent::copy_limit_settings(const char* const* environment) {
  metrics_directory_.add(settings_.METRICS);
  const std::string_view text = settings_.ON_LIMIT;
  if (text.empty() || !limit_watch_.is_active()) {
    return;
  }
  auto* copy = static_cast<char*>(runtime::map_pages(text.size() + 1));
  if (copy != nullptr && command_environment_.copy(environment)) {
    runtime::copy_text(copy, text.size() + 1, text);
    limit_command_text_ = copy;
  }
}

bool Agent::size_look_is_due(std::uint64_t now_ms) const {
  return watches_size_ && now_ms >= next_size_check_ms_.load(std::memory_order_relaxed);
}

// The limit may be changed while the process runs.
void Agent::look_at_group(std::uint64_t time_ms) {
  limit_bytes_ = snapshot::cgroup_limit();
  group_look_ms_ = time_ms;
}

void Agent::look_at_size(std::uint64_t now_ms) {
  const std::uint64_t time_ms = Clock::monotonic_ms();
  if (limit_watch_.needs_group() && time_ms - group_look_ms_ >= kGroupLookMs) {
    look_at_group(time_ms);
  }
  limit_watch_.look(snapshot::resident_set_bytes(), limit_bytes_, time_ms);
  limit_is_passed_.store(limit_watch_.is_pending(), std::memory_order_relaxed);
  for (LimitCommand& command : limit_commands_) {
    command.is_running();  // takes its exit status
  }
  if (metrics_directory_.size() != 0 && (!metrics_.is_written || limit_watch_.is_pending() ||
                                         time_ms - metrics_.time_ms >= kMetricsMs)) {
    write_figures(time_ms);
  }
  const bool is_near = limit_watch_.limit_bytes(0) != 0 || limit_watch_.limit_bytes(1) != 0;
  next_size_check_ms_.store(now_ms + (is_near ? kSizeLookMs : kIdleSizeLookMs),
                            std::memory_order_relaxed);
}

// One limit at a time: each has a snapshot of its own.
void Agent::pass_limit(std::uint64_t now_ms) {
  LimitName which;
  const bool is_passed = limit_watch_.take(which);
  limit_is_passed_.store(limit_watch_.is_pending(), std::memory_order_relaxed);
  if (!is_passed) {
    return;
  }
  const std::uint32_t settles_at = settles_.load(std::memory_order_relaxed) + 1;
  Request request;
  request.trigger = format::Trigger::kLimit;
  untold_limit_ = {true, which};
  const bool has_snapshot = !is_dormant() && take(request, now_ms);
  if (is_dormant()) {
    is_unreachable_ = !open_recording();
    settles_.store(settles_at, std::memory_order_release);
  }
  if (!has_snapshot) {
    tell_limit(false);
  }
  if (limit_command_text_ != nullptr) {
    runtime::Text<64> snapshot;
    snapshot.add(has_snapshot ? snapshot_name(sequence_).view() : std::string_view{});
    start_command(which, snapshot.view(), settles_at);
  }
}

// As the holder: the thread that took the snapshot, or the walker that wrote it.
void Agent::tell_limit(bool has_snapshot) {
  if (!untold_limit_.is_due) {
    return;
  }
  untold_limit_.is_due = false;
  const auto number = static_cast<unsigned>(untold_limit_.which);
  runtime::Text<256> line;
  line.add("resident size ").add_decimal(limit_watch_.rss_bytes()).add(" has passed the ");
  line.add(kLimitNames[number]).add(" limit ").add_decimal(limit_watch_.limit_bytes(number));
  line.add(": ").add(has_snapshot ? snapshot_name(sequence_).view() : "no snapshot");
  directory_.log(line.view());
}

void Agent::start_command(LimitName which, std::string_view snapshot, std::uint32_t settles_at) {
  const auto number = static_cast<unsigned>(which);
  runtime::Path path;
  if (!snapshot.empty()) {
    path.add(directory_.path()).add("/").add(snapshot);
  }
  LimitEvent event;
  event.which = which;
  event.pid = identity_.pid;
  event.rss_bytes = limit_watch_.rss_bytes();
  event.limit_bytes = limit_watch_.limit_bytes(number);
  event.recording = directory_.is_open() ? directory_.path() : std::string_view{};
  event.snapshot = path.view();
  event.settles = &settles_;
  event.settles_at = settles_at;
  event.failed = &failed_settle_;
  event.has_ended = &ended_;
  event.log = directory_.log_place();
  LimitCommand& command = limit_commands_[number];
  const bool is_busy = command.is_running();
  if (is_busy ||
      !command.start(limit_command_text_, command_environment_, event, directory_.descriptor())) {
    runtime::Text<128> line;
    line.add("SEEP_ON_LIMIT, ").add(kLimitNames[number]).add(" limit: ");
    directory_.log(line.add(is_busy ? "not started: the last one still runs"
                                    : "not started: no task can be made for it")
                       .view());
  }
}

// In a fork's child: a process of its own, with the limits of its parent.
void Agent::watch_again() {
  for (LimitCommand& command : limit_commands_) {
    command.forget();
  }
  limit_watch_.begin_as_child();
  limit_is_passed_.store(false, std::memory_order_relaxed);
  next_size_check_ms_.store(0, std::memory_order_relaxed);
  metrics_ = {};
}

bool Agent::commands_have_left() const {
  return limit_commands_[0].has_left() && limit_commands_[1].has_left();
}

// ---- figures --------------------------------------------------------------------------------

void Agent::write_figures(std::uint64_t time_ms) {
  if (is_short_lived()) {
    return;
  }
  identify();
  Figures figures;
  figures.updated_s = runtime::unix_ns() / kNsPerS;
  figures.rss_bytes = snapshot::resident_set_bytes();
  figures.is_recording = state() == RecordingState::kRecording;
  figures.snapshots = sequence_;
  figures.live_bytes = live_bytes_;
  figures.live_blocks = live_blocks_;
  figures.growth_is_known = schedule_.later_growth(figures.growth_milli);
  for (const auto& loss : recorder::g_losses) {
    figures.lost_events += loss.load(std::memory_order_relaxed);
  }
  for (unsigned i = 0; i < kLimitCount; ++i) {
    figures.limits[i] = {limit_watch_.limit_bytes(i), limit_watch_.is_passed(i),
                         limit_watch_.crossings(i)};
  }
  MetricsText text;
  format_metrics(figures, identity_, text);
  const runtime::Path path = metrics_path(metrics_directory_.view(), identity_);
  const int error = write_metrics(path, text);
  if (error != 0 && !metrics_.is_told) {
    metrics_.is_told = true;
    runtime::Path line;
    line.add(path.view()).add(" cannot be written: error ");
    directory_.log(line.add_decimal(static_cast<std::uint64_t>(-error)).view());
  }
  metrics_.is_written = true;
  metrics_.time_ms = time_ms;
}

void Agent::remove_figures() {
  if (metrics_.is_written) {
    remove_metrics(metrics_path(metrics_directory_.view(), identity_));
    metrics_.is_written = false;
  }
}

}  // namespace seep::agent
