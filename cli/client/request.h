// Asks a tracked process to do something, through its control page (format/control_page.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "analyzer/model/result.h"
#include "cli/client/tracked_process.h"
#include "format/control_page.h"

namespace seep::client {

struct Request {
  format::RequestKind kind = format::RequestKind::kSnapshot;
  std::string label;                   // of a mark; at most kMaxLabelBytes
  std::optional<std::uint64_t> units;  // of a mark: units of work done since start
};

inline constexpr std::size_t kMaxLabelBytes = sizeof(format::ControlPage::request_label) - 1;

struct Reply {
  bool pending = false;  // no answer in time; the request stays and will be served later
  format::Answer answer = format::Answer::kDone;
  std::uint32_t snapshot = 0;  // sequence number of the snapshot that was written
  std::string message;         // the process's own words
};

// Sends `request` and waits at most `wait` for the answer. A request of another client that is
// still pending is not overwritten: that is an error, as is a process that ends or cannot answer.
Result<Reply> send_request(const TrackedProcess& process, const Request& request,
                           std::chrono::milliseconds wait);

}  // namespace seep::client
