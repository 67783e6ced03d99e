// seep scan PID: unreachable memory of a running process, and who holds the rest.
#include <fmt/format.h>

#include <memory>

#include "analyzer/model/printable.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/output.h"

namespace seep::cli {
namespace {

constexpr std::uint64_t kWaitMs = 10000;  // a scan of ten million blocks takes some seconds

int scan_verb(const AskOptions& options) {
  client::Request request;
  request.kind = format::RequestKind::kScan;
  const Result<Served> served = ask(options, request);
  if (!served) {
    return fail(served.error());
  }
  fmt::print("{}\n", model::printable(served->file));
  return kDone;
}

}  // namespace

Action describe_scan(Arguments& arguments) {
  const auto options = std::make_shared<AskOptions>();
  options->wait_ms = kWaitMs;
  add_ask(arguments, *options);
  arguments.footer(
      "The process is stopped by ptrace while its threads' registers are read and a copy of it is\n"
      "made; the copy is scanned. That makes epoll_wait, sigtimedwait and the like return early, "
      "once.\n"
      "The file is printed; `seep report` of the recording shows what it found.");
  return [options](const auto&) { return scan_verb(*options); };
}

}  // namespace seep::cli
