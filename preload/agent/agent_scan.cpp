// How the agent looks for unreachable memory. All of it runs as the agent's holder, but
// scan_at_exit.
#include <fcntl.h>
#include <string.h>

#include <algorithm>
#include <iterator>

#include "format/recording_layout.h"
#include "preload/agent/agent.h"
#include "preload/intercept/lsan_hooks.h"
#include "preload/intercept/real_functions.h"
#include "preload/recorder/recorder.h"
#include "preload/recorder/script_objects.h"
#include "preload/runtime/arena.h"
#include "preload/runtime/clocks.h"
#include "preload/runtime/file.h"
#include "preload/runtime/syscall.h"
#include "preload/runtime/thread_pointer.h"
#include "preload/script/graph.h"
#include "preload/snapshot/cgroup.h"
#include "preload/stack/modules.h"

namespace seep::agent {
namespace {

using format::Loss;
using format::ScanProblem;
using format::ScanTime;
using recorder::g_clock;
using recorder::g_tables;

constexpr std::uint64_t kNsPerMs = 1000000;
// Of a scan beside the program, which nobody waits for.
constexpr std::uint64_t kLongestScanMs = 60000;

constexpr std::uint64_t kCopyBytes = std::uint64_t{64} << 20;  // of a small process
constexpr std::uint64_t kBytesOfBlock = 24;  // 8 for what is known of it, 16 to wait

// What the copy needs for itself, and for pages that the program writes meanwhile. An estimate: the
// heap counts for a thirtieth, and a quarter more where the program goes on.
bool has_room_for_copy(std::uint64_t live_blocks, std::uint64_t live_bytes, ScanTime when) {
  const std::uint64_t need = kCopyBytes + live_blocks * kBytesOfBlock + live_bytes / 30 +
                             (when == ScanTime::kExit ? 0 : live_bytes / 4);
  return snapshot::cgroup_headroom() >= need;
}

// Of a scan of a heap as it is: an estimate, from 10 million small blocks, and from the 138 MB of a
// compiler, most of them pointers.
std::uint64_t expected_scan_ns(std::uint64_t blocks, std::uint64_t bytes) {
  return blocks * 400 + bytes;
}

// Not by its name, which may be that of a script; but of a program that the loader was asked to run
// the kernel knows the loader only.
bool is_python(const Identity& identity) {
  const auto begins_with = [](std::string_view name, std::string_view begin) {
    return name.substr(0, begin.size()) == begin;
  };
  std::string_view exe = identity.exe.view();
  exe.remove_prefix(exe.rfind('/') + 1);
  return begins_with(begins_with(exe, "ld-") ? identity.name.view() : exe, "python");
}

std::uint64_t losses(Loss loss) {
  return recorder::g_losses[static_cast<std::uint32_t>(loss)].load(std::memory_order_relaxed);
}

}  // namespace

bool Agent::can_scan() const {
  return active_ && !is_dormant() && !confined_.load(std::memory_order_relaxed);
}

// As LeakSanitizer asks for them, before main; a copy, since the program may release what it
// returns before the last scan.
void Agent::copy_suppressions() {
  constexpr std::size_t kMostBytes = std::size_t{1} << 20;
  const char* const text = intercept::suppressions_of_program();
  const std::string_view given =
      text != nullptr ? runtime::view_of(text).substr(0, kMostBytes) : std::string_view{};
  if (given.empty()) {
    return;
  }
  if (void* const copy = runtime::map_pages(given.size()); copy != nullptr) {
    memcpy(copy, given.data(), given.size());
    suppressions_ = {static_cast<const char*>(copy), given.size()};
  }
}

// Once in each recording.
void Agent::write_suppressions() {
  if (suppressions_.empty()) {
    return;
  }
  const int fd =
      runtime::open_file(target_, format::kSuppressionsFileName, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (fd >= 0) {
    runtime::write_all(fd, suppressions_.data(), suppressions_.size());
    runtime::close_file(fd);
  }
}

// A child that ends young has no recording, and is not looked at: it would take longer to look than
// many of them live. Not as the holder: it asks the program.
bool Agent::wants_scan_at_exit() const {
  return can_scan() && settings_.scan != ScanWhen::kOff && !scans_are_over_ &&
         directory_.is_open() && !intercept::is_turned_off_by_program();
}

// Destructors release what global containers hold, and with it the answer to who held it: what
// lives is looked at before the first of them runs. Only where that leaves SEEP_SCAN_LIMIT enough
// for the scan at exit, which tells what is lost, and where it takes a small share of the time that
// the process lived: a compiler's whole heap is not gone through twice.
void Agent::ask_for_holders(const Request& request) {
  constexpr std::uint64_t kYoungMs = 1000;
  constexpr std::uint64_t kShare = 50;
  const std::uint64_t limit_ns = std::min(look_limit_ns(), age_ms() * kNsPerMs / kShare);
  if (settings_.sample || age_ms() < kYoungMs || live_blocks_ == 0 ||
      expected_scan_ns(live_blocks_, live_bytes_) > limit_ns) {
    return;
  }
  is_looking_ = true;
  scan(ScanTime::kSnapshot, request);
  is_looking_ = false;
  const format::ScanRecord& record = scan_outcome_.record;
  holders_look_ns_ +=
      scan_outcome_.written ? std::min(record.pause_ns + record.scan_ns, limit_ns) : limit_ns;
}

// As destructors, the end of a script releases what it held.
void Agent::on_script_shutdown() {
  if (ended_.load(std::memory_order_acquire) || !is_own_process() || !wants_scan_at_exit() ||
      !enter_patiently()) {
    return;
  }
  scanner_.note_caller();
  act([this] {
    Request request;
    request.trigger = format::Trigger::kExit;
    request.wait = true;
    ask_for_holders(request);
  });
}

// After the last destructor and the last handler of the program: what libc runs last of all, since
// it was registered first.
void Agent::scan_at_exit() {
  if (!ended_.load(std::memory_order_acquire) || !is_own_process() || !wants_scan_at_exit() ||
      !enter_patiently()) {
    return;
  }
  scanner_.note_caller();
  act([this] {
    Request request;
    request.trigger = format::Trigger::kExit;
    request.end = format::End::kExit;
    request.end_status = description_.process.end_status;
    request.end_function = description_.end_function;
    request.wait = true;
    scan(ScanTime::kExit, request);
    publish_status(format::AgentState::kEnded);
  });
}

// What is lost is looked for now: what is freed from here on is not seen. A program that only has
// an interpreter in it goes on, and so does its recording.
bool Agent::on_script_end() {
  if (!is_python(identity_) || !can_scan() || ended_.load(std::memory_order_acquire) ||
      !is_own_process() || !enter_patiently()) {
    return false;
  }
  scanner_.note_caller();
  act([this] {
    if (wants_scan_at_exit()) {
      Request request;
      request.trigger = format::Trigger::kExit;
      request.wait = true;
      scan(ScanTime::kExit, request);
    }
    scans_are_over_ = true;
  });
  recorder::set_mode(recorder::Mode::kDormant);
  return true;
}

bool Agent::check_for_losses(bool is_last) {
  if (!can_scan() || scans_are_over_ || !is_own_process() || !enter_patiently()) {
    return false;
  }
  scanner_.note_caller();
  scans_are_over_ = is_last;
  act([this] {
    Request request;
    request.trigger = format::Trigger::kApi;
    request.wait = true;
    scan(ScanTime::kRequest, request);
  });
  return scan_outcome_.direct_blocks != 0;
}

// Why what is found cannot be trusted: blocks without a record may hold others.
ScanProblem Agent::problem_of_history() const {
  if (settings_.sample) {
    return ScanProblem::kSampled;
  }
  const bool whole = gaps_ == 0 && settings_.track_heap && losses(Loss::blocks_not_recorded) == 0 &&
                     losses(Loss::address_out_of_range) == 0 &&
                     losses(Loss::allocators_unseen) == 0;
  return whole ? ScanProblem::kNone : ScanProblem::kPartHistory;
}

// Looks for holders and the scan at exit share SEEP_SCAN_LIMIT: the first have half of it, so that
// the second, which rarely has more to look at, is not short of time for it.
std::uint64_t Agent::look_limit_ns() const {
  const std::uint64_t limit_ns = settings_.scan_limit_ms * kNsPerMs / 2;
  return limit_ns - std::min(limit_ns, holders_look_ns_);
}

std::uint64_t Agent::scan_limit_ns(ScanTime when) const {
  const std::uint64_t limit_ns = settings_.scan_limit_ms * kNsPerMs;
  if (when == ScanTime::kExit) {
    return limit_ns - holders_look_ns_;
  }
  return is_looking_ ? look_limit_ns() : kLongestScanMs * kNsPerMs;
}

ScanOrder Agent::make_order(ScanTime when) {
  ScanOrder order;
  order.when = when;
  order.problem = problem_of_history();
  order.has_room = has_room_for_copy(live_blocks_, live_bytes_, when);
  // What the program asks for as it ends is wanted.
  order.gives_up = ended_.load(std::memory_order_relaxed) ? nullptr : &ended_;
  order.limit_ns = scan_limit_ns(when);
  order.name = scan_name_.c_str();
  order.description = &description_;
  scan::Question& question = order.question;
  question.blocks = &g_tables.blocks;
  question.pools = &g_tables.pools;
  question.pools_have_ended =
      recorder::script_objects_may_be_gone() ||
      (ended_.load(std::memory_order_relaxed) && recorder::script_objects_end_with_program());
  question.ranges = &g_tables.ranges;
  question.script = script::graph();
  question.fork_tick = fork_tick_;
  question.process = identity_.pid;
  // A release of a block without a record tells that there are such blocks.
  question.knows_all_blocks =
      order.problem == ScanProblem::kNone && losses(Loss::foreign_free) == 0;
  question.libc_allocator = intercept::g_real.libc_allocator;
  question.kept_blocks = &recorder::g_kept_blocks;
  question.kept_objects = &recorder::g_kept_objects;
  question.root_regions = intercept::root_regions();
  question.root_region_count = intercept::kMostRootRegions;
  const stack::Place own = stack::find_place(reinterpret_cast<std::uint64_t>(&scan_beside));
  if (own.load != nullptr) {
    question.own_image = {own.load->image.begin, own.load->image.end};
  }
  question.own_tls_offset = static_cast<std::int64_t>(
      reinterpret_cast<std::uintptr_t>(&recorder::t_thread) - runtime::thread_pointer());
  question.own_tls_bytes = sizeof(recorder::t_thread);
  return order;
}

// Beside the program in a walker. Where none can be made, other threads cannot be stopped: then
// only the end of the program is looked at.
void Agent::scan(ScanTime when, const Request& request) {
  const std::uint64_t begin = runtime::clock_ns(CLOCK_MONOTONIC);
  scan_outcome_ = {};
  target_ = open_recording() ? directory_.descriptor() : -1;
  if (target_ < 0) {
    return settle_scan({});
  }
  stack::refresh_changed_modules();
  prepare(request, state() == RecordingState::kPaused ? paused_ms_ : g_clock.look());
  if (!start_scan(when, begin, scan_beside)) {
    settle_scan(when == ScanTime::kExit ? scanner_.run(target_, /*beside=*/false) : ScanOutcome{});
  }
  while (request.wait && walker_.running()) {
    scanner_.await_end();
  }
}

// Returns when the copy is made; false where no walker can be.
bool Agent::start_scan(ScanTime when, std::uint64_t begun_ns, Walker::Run run) {
  scan_name_ = scan_name(sequence_);
  write_suppressions();
  ScanOrder order = make_order(when);
  order.begun_ns = begun_ns;
  scanner_.prepare(order);
  while (walker_.running()) {  // it has left the agent already
    runtime::raw_syscall(__NR_sched_yield);
  }
  holders_.fetch_add(1, std::memory_order_relaxed);
  if (!walker_.start(run, this, target_)) {
    leave();
    return false;
  }
  while (!scanner_.await_copy() && walker_.running()) {
  }
  return true;
}

// SEEP_SCAN=always: the snapshot that is prepared, and the scan that goes with it. Its cost is that
// of both, so that it puts off the next one.
bool Agent::take_with_scan(std::uint64_t begin_ns) {
  if (settings_.scan != ScanWhen::kAlways || settings_.sample) {
    return false;
  }
  thread_cost_ns_ = runtime::thread_cpu_ns() - begin_ns;
  return start_scan(ScanTime::kSnapshot, runtime::clock_ns(CLOCK_MONOTONIC), scan_and_walk_beside);
}

void Agent::scan_beside(void* agent, int directory) {
  auto* self = static_cast<Agent*>(agent);
  self->settle_scan(self->scanner_.run(directory, /*beside=*/true));
  if (!self->ended_.load(std::memory_order_relaxed)) {
    self->publish_status(self->published_state());
  }
  self->answer(self->scan_outcome_.written ? format::Answer::kDone : format::Answer::kFailed,
               self->sequence_);
  self->leave();
}

void Agent::scan_and_walk_beside(void* agent, int directory) {
  auto* self = static_cast<Agent*>(agent);
  self->settle_scan(self->scanner_.run(directory, /*beside=*/true));
  const format::ScanRecord& record = self->scan_outcome_.record;
  self->thread_cost_ns_ += record.pause_ns + record.scan_ns;
  self->target_ = directory;
  self->write_prepared(runtime::thread_cpu_ns());
  self->leave();
}

void Agent::settle_scan(const ScanOutcome& outcome) {
  scan_outcome_ = outcome;
  const auto problem = static_cast<ScanProblem>(outcome.record.problem);
  if (!outcome.written || problem == ScanProblem::kTimeLimit || problem == ScanProblem::kNoFork ||
      problem == ScanProblem::kNoMemory) {
    recorder::count_loss(Loss::scans_failed);
  }
  log_problem(problem);
}

// Each once.
void Agent::log_problem(ScanProblem problem) {
  static constexpr std::string_view kWhy[] = {
      "",
      "SEEP_SCAN_LIMIT passed before its end",
      "threads could not be stopped (ptrace is refused, or a debugger is there)",
      "no copy of the process could be made (fork, or the memory limit)",
      "no memory",
      "",
      "recording began late, was paused or lost blocks",
      "/proc/self/maps cannot be read"};
  const auto number = static_cast<std::uint32_t>(problem);
  if (number >= std::size(kWhy) || kWhy[number].empty() || (scan_problems_ >> number & 1) != 0) {
    return;
  }
  scan_problems_ |= 1U << number;
  runtime::Text<256> line;
  directory_.log(line.add("scan: no unreachable memory is claimed: ").add(kWhy[number]).view());
}

}  // namespace seep::agent
