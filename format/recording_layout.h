// Names of files and variables that libseep.so and `seep` agree on.
//
//   SEEP_DIR/
//     index                       one line for each process image that ended (fields below)
//     seep.log                    messages
//     <exe>.<pid>[.<n>]/          one recording: a process image
//       control                   ControlPage (control_page.h)
//       snapshot-NNNNNN.seep      NNNNNN is the sequence number
//       scan-NNNNNN.seep          a scan for unreachable memory: a snapshot with kScan
//       suppressions              what the program gave to LeakSanitizer
//                                 (__lsan_default_suppressions); written with the first scan
//       perf.map                  what the process wrote to /tmp/perf-PID.map, the names of code
//                                 that it made (JIT compilers); copied as it ended
//       ended                     written by `seep run` about the process it started: "exit 0" or
//                                 "signal 9", for ends that the process could not record itself
//
// A line of `index`, tab separated:
//   unix seconds, run id (16 hex digits), pid, parent pid, image, how (exit, exec or signal),
//   status, lifetime in ms, live bytes, live blocks, recording (directory name; "-" when the
//   process was too young for one, kNeverRecorded when SEEP_START held recording back to the end),
//   path of the program
#pragma once

#include <cstddef>

namespace seep::format {

inline constexpr char kSnapshotPrefix[] = "snapshot-";
inline constexpr char kScanPrefix[] = "scan-";
inline constexpr char kSnapshotSuffix[] = ".seep";
inline constexpr char kIndexFileName[] = "index";
inline constexpr char kLogFileName[] = "seep.log";
inline constexpr char kEndedFileName[] = "ended";
inline constexpr char kSuppressionsFileName[] = "suppressions";
inline constexpr char kJitMapFileName[] = "perf.map";

// Of a map of code, copied and read; what is beyond has no names.
inline constexpr std::size_t kMostJitMapBytes = std::size_t{64} << 20;

// No name of a recording: those end in a process id.
inline constexpr char kNeverRecorded[] = "never-recorded";

// Recordings of a process that can write neither SEEP_DIR nor $TMPDIR: this and its user id.
inline constexpr char kFallbackPrefix[] = "/tmp/seep-";

// "<run id, 16 hex digits>.<pid of the process started directly>". Set by `seep run` in the child
// just before exec; without it the first process makes it up and hands it to its children.
inline constexpr char kRunVariable[] = "SEEP_RUN";

}  // namespace seep::format
