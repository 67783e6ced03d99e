#include "cli/ask.h"

#include <fmt/format.h>

#include "cli/options.h"
#include "cli/quantity.h"
#include "format/recording_layout.h"

namespace seep::cli {
namespace {

std::string who(const client::TrackedProcess& process) {
  return fmt::format("process {} ({})", process.pid, process.name);
}

Error idle(const client::TrackedProcess& process, std::uint64_t wait_ms) {
  return Error{
      ErrorKind::kBadInput,
      {},
      {},
      {},
      fmt::format("{} is idle: it allocated and released nothing within {}, so it has not "
                  "seen the request",
                  who(process), format_duration_ms(wait_ms)),
      "the request stays pending and is served at its next allocation; give it work, or wait "
      "longer with --wait"};
}

Error refused(const client::TrackedProcess& process, const client::Reply& reply) {
  if (reply.answer == format::Answer::kNotStarted) {
    return Error{ErrorKind::kBadInput,
                 {},
                 {},
                 {},
                 who(process) + " records nothing yet, so there is nothing to write",
                 fmt::format("`seep start {}` begins the recording", process.pid)};
  }
  const char* what = reply.answer == format::Answer::kNotActive ? "cannot do that in this version"
                                                                : "could not write the file";
  const std::string said = reply.message.empty() ? "" : " (" + reply.message + ")";
  return Error{ErrorKind::kBadInput,
               {},
               {},
               {},
               fmt::format("{} {}{}", who(process), what, said),
               fmt::format("`seep status {}` says more", process.pid)};
}

}  // namespace

void add_ask(Arguments& arguments, AskOptions& options) {
  arguments.option("PID", options.pid, "The process, as `seep status` shows it")
      .required()
      .positive();
  add_duration(arguments, "--wait", options.wait_ms,
               fmt::format("Wait this long for its answer (default {})",
                           format_duration_ms(options.wait_ms)));
}

Result<Served> ask(const AskOptions& options, const client::Request& request) {
  const Result<client::TrackedProcess> process = client::find_tracked(options.pid);
  if (!process) {
    return process.error();
  }
  const Result<client::Reply> reply =
      client::send_request(*process, request, std::chrono::milliseconds(options.wait_ms));
  if (!reply) {
    return reply.error();
  }
  if (reply->pending) {
    return idle(*process, options.wait_ms);
  }
  if (reply->answer != format::Answer::kDone) {
    return refused(*process, *reply);
  }
  if (reply->snapshot == 0) {
    return Served{who(*process), {}};
  }
  const char* prefix =
      request.kind == format::RequestKind::kScan ? format::kScanPrefix : format::kSnapshotPrefix;
  return Served{who(*process), fmt::format("{}/{}{:06}{}", process->recording, prefix,
                                           reply->snapshot, format::kSnapshotSuffix)};
}

}  // namespace seep::cli
