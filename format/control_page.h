// <recording>/control: 4096 bytes that a tracked process shares with `seep snapshot`, `mark` and
// `status`. The process maps it; a client opens it through /proc/PID/root and maps it too.
//
// A request: the client takes `client_lock` with flock(2) on the file, fills request_*, and stores
// request_sequence (release). The process sees it at its next look at the clock (acquire), acts,
// fills answer_* and stores answer_sequence = request_sequence (release). Nothing is signalled.
// All fields that both sides touch are accessed with the __atomic builtins.
#pragma once

#include <cstdint>

#include "format/capture_counts.h"
#include "format/losses.h"

namespace seep::format {

inline constexpr char kControlMagic[8] = {'S', 'E', 'E', 'P', 'C', 'T', 'R', 'L'};
inline constexpr std::uint32_t kControlVersion = 1;
inline constexpr char kControlFileName[] = "control";

enum class AgentState : std::uint32_t {
  kStarting = 0,
  kRecording = 1,
  kPaused = 2,    // nothing is added to the recording, which may not have begun (last_sequence 0)
  kDisabled = 3,  // gave up; `message` says why
  kEnded = 4,     // its last snapshot is written
};

enum class RequestKind : std::uint32_t {
  kNone = 0,
  kSnapshot = 1,
  kMark = 2,
  kScan = 3,
  kStart = 4,
  kPause = 5
};
enum class Answer : std::uint32_t {
  kDone = 0,
  kFailed = 1,
  kNotActive = 2,
  kNotStarted = 3,  // a snapshot of a process whose recording has not begun
};

struct ControlPage {
  char magic[8];
  std::uint32_t version;
  std::uint32_t page_bytes;
  // Who this is; written once, but for the time when recording begins later than the process.
  std::uint32_t pid;
  std::uint32_t image;
  std::uint64_t start_ticks;  // /proc/PID/stat field 22
  std::uint64_t run_id;
  std::uint64_t started_unix_ns;
  std::uint64_t pid_namespace;  // inode of /proc/self/ns/pid, where `pid` counts; 0 unknown
  // Request, written by a client.
  std::uint32_t request_sequence;
  std::uint32_t request_kind;  // RequestKind
  std::uint64_t request_units;
  std::uint32_t request_has_units;
  char request_label[124];  // NUL terminated
  // Answer, written by the process.
  std::uint32_t answer_sequence;
  std::uint32_t answer;           // Answer
  std::uint32_t answer_snapshot;  // sequence number of the snapshot that was written; 0 when a
                                  // start or pause found it done already
  std::uint32_t state;            // AgentState
  // Status, refreshed at each snapshot.
  std::uint64_t updated_ms;  // since start
  std::uint32_t last_sequence;
  std::uint32_t snapshots_kept;
  std::uint64_t live_blocks;
  std::uint64_t live_bytes;
  std::uint64_t sites;
  std::uint64_t stack_nodes;
  std::uint64_t tracker_bytes;
  std::uint64_t snapshot_ns;    // time all snapshots took together
  std::uint64_t losses[64];     // by Loss
  char inactive_settings[512];  // settings that were given and do nothing yet, comma separated
  char message[512];            // the last thing worth telling; NUL terminated
  std::uint64_t captures[64];   // by CaptureCount
  char reserved[1768];
};
static_assert(sizeof(ControlPage) == 4096);
static_assert(kLossCount <= 64 && kCaptureCountCount <= 64);

}  // namespace seep::format
