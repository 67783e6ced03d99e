#include "preload/agent/scanner.h"

#include <linux/futex.h>
#include <linux/prctl.h>
#include <time.h>

#include "preload/intercept/filter_hooks.h"
#include "preload/recorder/recorder.h"
#include "preload/runtime/clocks.h"
#include "preload/runtime/syscall.h"
#include "preload/runtime/thread_pointer.h"
#include "preload/scan/process_copy.h"

namespace seep::agent {
namespace {

using format::ScanProblem;
using runtime::as_argument;
using runtime::raw_syscall;
using scan::StoppedThreads;

constexpr std::uint64_t kWriteNs = 500000000;  // beyond the limit, to write the file

std::uint64_t now_ns() {
  return runtime::clock_ns(CLOCK_MONOTONIC);
}

}  // namespace

struct Scanner::Shared {
  format::ScanRecord record;
  std::uint64_t direct_blocks;
  std::uint64_t pause_ns;  // written when the threads go on, before pause_is_known
  std::uint64_t fork_ns;
  std::uint32_t pause_is_known;  // release in copy_process, acquire in scan_and_write
  std::uint32_t written;
};

// ---- the thread that asks -------------------------------------------------------------------

void Scanner::prepare(const ScanOrder& order) {
  order_ = order;
  caller_.id = static_cast<std::uint32_t>(raw_syscall(__NR_gettid));
  caller_.is_caller = true;
  caller_.thread_pointer = runtime::thread_pointer();
  step_.store(kBegun, std::memory_order_relaxed);
}

// Yama lets a process be traced by whom it names. The name that the program gave is put back when
// the threads go on.
void Scanner::give_permission() {
  raw_syscall(__NR_prctl, PR_SET_PTRACER, tracer_);
  go_to(kHasPermission);
}

bool Scanner::await_copy() {
  if (step_.load(std::memory_order_acquire) == kAsksPermission) {
    give_permission();
  }
  if (!await(kCopyMade)) {
    return false;
  }
  if (tracer_ != 0) {
    tracer_ = 0;
    raw_syscall(__NR_prctl, PR_SET_PTRACER, intercept::chosen_tracer());
  }
  return true;
}

bool Scanner::await_end() {
  return await(kEnded);
}

// ---- both sides -----------------------------------------------------------------------------

void Scanner::go_to(Step step) {
  step_.store(step, std::memory_order_release);
  raw_syscall(__NR_futex, as_argument(&step_), FUTEX_WAKE_PRIVATE, 1);
}

// For another step to come, at least `step`.
bool Scanner::await(Step step) {
  constexpr timespec kPatience{0, 2000000};
  const std::uint32_t seen = step_.load(std::memory_order_acquire);
  if (seen < step) {
    raw_syscall(__NR_futex, as_argument(&step_), FUTEX_WAIT_PRIVATE, seen, as_argument(&kPatience));
  }
  return step_.load(std::memory_order_acquire) >= step;
}

// ---- the walker -----------------------------------------------------------------------------

ScanOutcome Scanner::run(int directory, bool beside) {
  directory_ = directory;
  shared_ = static_cast<Shared*>(scan::map_shared(sizeof(Shared)));
  if (shared_ == nullptr || directory == -1) {
    go_to(kEnded);
    return {};
  }
  if (order_.problem == ScanProblem::kSampled || !order_.has_room) {
    go_to(kCopyMade);
    write_without_look(order_.has_room ? order_.problem : ScanProblem::kNoFork);
    return finish();
  }
  StoppedThreads threads;
  const long copy = copy_process(threads, beside);
  go_to(kCopyMade);
  if (copy > 0) {
    await_end_of(copy, threads);
  } else {
    write_without_look(ScanProblem::kNoFork);
  }
  return finish();
}

// The copy is not waited for when the program wants to end, and what it finds is not wanted.
void Scanner::await_end_of(long copy, StoppedThreads& threads) {
  scan::CopyWait wait(copy, now_ns() + order_.limit_ns + kWriteNs);
  while (!wait.has_ended()) {
    threads.release_late();
    if (order_.gives_up != nullptr && order_.gives_up->load(std::memory_order_relaxed)) {
      wait.end_it();
    }
    wait.nap();
  }
}

ScanOutcome Scanner::finish() {
  const ScanOutcome outcome{shared_->written != 0, shared_->record, shared_->direct_blocks};
  scan::unmap_shared(shared_, sizeof(Shared));
  shared_ = nullptr;
  go_to(kEnded);
  return outcome;
}

// What the process is now, without a look at its memory.
void Scanner::write_without_look(ScanProblem problem) {
  scan::Answer answer;
  answer.record.when = static_cast<std::uint32_t>(order_.when);
  answer.record.problem = static_cast<std::uint32_t>(problem);
  const snapshot::Outcome outcome =
      snapshot::write(directory_, order_.name, *order_.description, recorder::g_tables, &answer);
  shared_->record = answer.record;
  shared_->written = outcome.error == 0 ? 1 : 0;
}

// True when there is none but the one that asks, or all are stopped.
bool Scanner::stop_threads(StoppedThreads& threads) {
  StoppedThreads::Outcome outcome = threads.stop(order_.question.process, caller_.id);
  if (outcome == StoppedThreads::Outcome::kRefused) {
    const scan::ProcReadable readable;  // the memory is that of the program
    outcome = ask_permission() ? threads.stop(order_.question.process, caller_.id) : outcome;
  }
  return outcome == StoppedThreads::Outcome::kDone;
}

bool Scanner::ask_permission() {
  tracer_ = static_cast<std::uint32_t>(raw_syscall(__NR_getpid));
  go_to(kAsksPermission);
  for (unsigned waits = 0; waits < 100; ++waits) {
    if (await(kHasPermission)) {
      return true;
    }
  }
  return false;
}

long Scanner::copy_process(StoppedThreads& threads, bool beside) {
  scan::Question& question = order_.question;
  question.knows_all_threads =
      beside ? stop_threads(threads)
             : StoppedThreads::count_others(question.process, caller_.id) == 0;
  if (question.knows_all_threads && beside) {
    threads.add(caller_);
    question.threads = threads.images();
    question.thread_count = threads.count();
  } else {
    question.threads = &caller_;
    question.thread_count = 1;
  }
  const std::uint64_t before_fork = now_ns();
  question.deadline_ns = before_fork + order_.limit_ns;
  const long copy = scan::make_copy(scan_in_copy, this);
  shared_->fork_ns = now_ns() - before_fork;
  threads.release();
  shared_->pause_ns = now_ns() - order_.begun_ns;
  __atomic_store_n(&shared_->pause_is_known, 1, __ATOMIC_RELEASE);
  return copy;
}

// ---- the copy -------------------------------------------------------------------------------

// A thread that is stopped may have the table of maps.
void Scanner::scan_in_copy(void* scanner) {
  recorder::g_tables.ranges.free_after_fork();
  static_cast<Scanner*>(scanner)->scan_and_write();
}

void Scanner::scan_and_write() {
  scan::Answer answer;
  order_.question.site_count = recorder::g_tables.sites.count();
  scan::run(order_.question, answer);
  ScanProblem problem = order_.problem;
  if (problem == ScanProblem::kNone && !order_.question.knows_all_threads) {
    problem = ScanProblem::kNoRegisters;
  }
  if (answer.record.complete != 0 && problem != ScanProblem::kNone) {
    answer.record.complete = 0;
    answer.record.problem = static_cast<std::uint32_t>(problem);
    answer.unreachable.unmap();
  }
  if (answer.record.problem == static_cast<std::uint32_t>(ScanProblem::kTimeLimit)) {
    recorder::count_loss(format::Loss::scans_failed);  // as the process will: for this file
  }
  while (__atomic_load_n(&shared_->pause_is_known, __ATOMIC_ACQUIRE) == 0) {
    raw_syscall(__NR_sched_yield);
  }
  answer.record.when = static_cast<std::uint32_t>(order_.when);
  answer.record.threads = static_cast<std::uint32_t>(order_.question.thread_count - 1);
  answer.record.pause_ns = shared_->pause_ns;
  answer.record.fork_ns = shared_->fork_ns;
  for (const format::UnreachableRecord& site : answer.unreachable) {
    shared_->direct_blocks += site.direct_blocks;
  }
  const snapshot::Outcome outcome =
      snapshot::write(directory_, order_.name, *order_.description, recorder::g_tables, &answer);
  shared_->record = answer.record;
  shared_->written = outcome.error == 0 ? 1 : 0;
}

}  // namespace seep::agent
