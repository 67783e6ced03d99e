#include "cli/client/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "cli/client/control_file.h"
#include "cli/client/proc.h"

namespace seep::client {
namespace {

using format::ControlPage;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPollInterval{2};

Error problem(const TrackedProcess& process, const std::string& what, std::string advice) {
  return Error{ErrorKind::kBadInput,
               {},
               {},
               {},
               fmt::format("process {} ({}) {}", process.pid, process.name, what),
               std::move(advice)};
}

bool is_answered(const ControlPage& page) {
  return __atomic_load_n(&page.answer_sequence, __ATOMIC_ACQUIRE) ==
         __atomic_load_n(&page.request_sequence, __ATOMIC_RELAXED);
}

bool is_alive(const TrackedProcess& process) {
  return start_ticks(process.pid) == process.page.start_ticks;
}

// Until `done`, the process's end or the deadline; what `done` said last.
template <typename Condition>
bool poll_until(Clock::time_point deadline, const TrackedProcess& process, Condition done) {
  while (!done()) {
    if (Clock::now() >= deadline || !is_alive(process)) {
      return done();
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  return true;
}

void write_request(ControlPage& page, const Request& request) {
  __atomic_store_n(&page.request_kind, static_cast<std::uint32_t>(request.kind), __ATOMIC_RELAXED);
  __atomic_store_n(&page.request_units, request.units.value_or(0), __ATOMIC_RELAXED);
  __atomic_store_n(&page.request_has_units, request.units ? 1U : 0U, __ATOMIC_RELAXED);
  std::memset(page.request_label, 0, sizeof(page.request_label));
  std::memcpy(page.request_label, request.label.data(),
              std::min(request.label.size(), kMaxLabelBytes));
  // Pairs with the process's acquire load: it sees the fields above with the new number.
  const std::uint32_t next = __atomic_load_n(&page.request_sequence, __ATOMIC_RELAXED) + 1;
  __atomic_store_n(&page.request_sequence, next, __ATOMIC_RELEASE);
}

Reply read_reply(const ControlPage& page) {
  Reply reply;
  reply.answer = static_cast<format::Answer>(__atomic_load_n(&page.answer, __ATOMIC_RELAXED));
  reply.snapshot = __atomic_load_n(&page.answer_snapshot, __ATOMIC_RELAXED);
  reply.message = text_of(page.message);
  return reply;
}

std::optional<Error> why_it_cannot_answer(const TrackedProcess& process, const ControlPage& page) {
  const auto state =
      static_cast<format::AgentState>(__atomic_load_n(&page.state, __ATOMIC_ACQUIRE));
  if (state == format::AgentState::kEnded) {
    return problem(process, "is ending and has written its last snapshot",
                   "read it with `seep report " + process.recording + "`");
  }
  if (state == format::AgentState::kDisabled) {
    return problem(process, "is not recording any more: " + text_of(page.message),
                   "start it again to track it");
  }
  return std::nullopt;
}

Error why_not_opened(const TrackedProcess& process) {
  if (errno == EACCES || errno == EPERM || errno == EROFS) {
    return problem(process, "does not let this user write to its control page",
                   "run this as its user or as root");
  }
  return problem(process,
                 fmt::format("has a control page that cannot be opened ({})", std::strerror(errno)),
                 "`seep status` says whether it still runs");
}

}  // namespace

Result<Reply> send_request(const TrackedProcess& process, const Request& request,
                           std::chrono::milliseconds wait) {
  const Clock::time_point deadline = Clock::now() + wait;
  const SharedControlPage shared(process.control_path);
  if (shared.page() == nullptr) {
    return why_not_opened(process);
  }
  ControlPage& page = *shared.page();
  if (auto error = why_it_cannot_answer(process, page)) {
    return *error;
  }
  const auto is_free = [&] { return shared.try_lock() && is_answered(page); };
  if (!poll_until(deadline, process, is_free)) {
    return problem(process, "has not served an earlier request yet, so nothing was sent",
                   "it serves it at its next allocation or release; try again then");
  }
  write_request(page, request);
  const bool answered = poll_until(deadline, process, [&] { return is_answered(page); });
  if (!answered && !is_alive(process)) {
    return problem(process, "ended before it answered",
                   "read what it left with `seep report " + process.recording + "`");
  }
  Reply reply = answered ? read_reply(page) : Reply{};
  reply.pending = !answered;
  return reply;
}

}  // namespace seep::client
