// System call filters (seccomp): whether a call of ours would harm the program.
// Context: IN-HOOK, any thread. A filter may answer a call that the program never makes by killing
// it, by a signal, or by leaving it to another process; raw_syscall asks here first, and gives
// -EPERM instead. The filters of all threads count for every thread. Filters are never taken back,
// neither by the kernel nor here.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace seep::runtime {

struct Call {
  long number = 0;
  long arguments[6] = {};
};

// One instruction of a filter: struct sock_filter.
struct FilterStep {
  std::uint16_t code;
  std::uint8_t if_true;
  std::uint8_t if_false;
  std::uint32_t value;
};

struct FilterText {
  const FilterStep* steps = nullptr;
  std::uint32_t count = 0;
};

// What the kernel would do with a call: SECCOMP_RET_* without its data. A filter that asks where
// the call comes from, or is none, counts as one that kills.
std::uint32_t filter_action(const FilterText& filter, const Call& call);

// A copy of a struct sock_fprog of the program's, in memory of ours that is never given back.
// kUnreadable: the kernel will refuse it too. kNoMemory: it must be taken for the worst.
enum class CopyFilter : std::uint8_t { kDone, kUnreadable, kNoMemory };
CopyFilter copy_filter(const void* program, FilterText& copy);

// From now on calls are asked for. Before the program installs it.
void add_filter(const FilterText& filter);
// Only read, write, exit and the return from a signal handler are left (SECCOMP_MODE_STRICT), or
// nothing is known: no call is made.
void refuse_all_calls();

// Finds out by trial what filters of unknown text leave: those that were there when the image
// began. A short-lived child makes each call of ours with harmless arguments; those that it does
// not live through are refused from then on. AT-INIT, or with all signals blocked.
void try_calls_if_filtered();
// Whether no child lived through this call.
bool was_deadly(long number);

// Whether the filter lets through what a snapshot cannot do without.
bool allows_snapshots(const FilterText& filter);
// The same of all that is known.
bool snapshots_are_allowed();

// True once a filter is known. Release in what sets it, acquire in raw_syscall.
extern std::atomic<bool> g_calls_are_filtered;
bool is_harmless(const Call& call);

}  // namespace seep::runtime
