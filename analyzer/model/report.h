// What `seep report` says, as plain data: design §2.3, field by field. Printing is elsewhere.
// rank fills everything but names; symbolize turns frames into functions, files and lines.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analyzer/model/snapshot.h"

namespace seep::model {

enum class Behaviour { kGrowing, kPlateau, kSawtooth, kOneTime, kSteady, kUnknown };
const char* name_of(Behaviour behaviour);  // "growing", "plateau", "sawtooth", "one-time", …
const char* name_of(SiteKind kind);
const char* name_of(Trigger trigger);
const char* name_of(Mode mode);
const char* name_of(Language language);
const char* name_of(EndInfo::How how);

struct ReportFrame {
  std::optional<std::string> function;  // demangled
  std::optional<std::string> file;      // as the debug information gives it, absolute if it can be
  std::optional<unsigned> line;
  std::string linkage_name;  // mangled, where it was asked for and differs; else empty
  std::string module;        // path
  std::optional<std::string> build_id;
  std::uint64_t offset = 0;  // ELF virtual address
  bool inlined = false;
  bool heuristic = false;
  bool nearest_symbol = false;  // no debug information: the nearest exported symbol before it
  Language language = Language::kNative;
};

using ReportStack = std::vector<ReportFrame>;  // innermost first

struct SuspectPath {
  std::uint64_t live_bytes = 0;
  std::uint64_t live_blocks = 0;
  ReportStack stack;
  unsigned blame = 0;                    // index into stack
  std::optional<unsigned> user_frame{};  // as Suspect::user_frame
  bool of_pool = false;                  // objects of a pool of the program's own (seep_pool_alloc)
};

// A site of one of the recordings that the report is of.
struct SiteRef {
  std::size_t recording = 0;
  std::size_t site = 0;  // into Recording::sites
};

// A line of the user's own scripts, and what is alive of what it had others allocate.
struct UserLine {
  std::string function;
  std::string file;
  std::optional<unsigned> line;
  Language language = Language::kPhp;
  std::uint64_t live_bytes = 0;
  std::uint64_t live_blocks = 0;
  std::vector<unsigned> suspects;  // ranks of those that it is of
};

struct Range {
  double low = 0;
  double high = 0;
};

// One hop from a root to the blocks of a suspect: the root, or a block on the way.
struct Holder {
  std::string text;  // "g_sessions (server)", "std::map node from add_session session.cpp:88"
  double share = 0;  // of the suspect's blocks that were followed, held in this way
  std::optional<std::string> root;      // "global", "stack", "tls", "register"; null for a block
  std::optional<std::string> function;  // of a block: the frame that made it
  std::optional<std::string> file;
  std::optional<unsigned> line;
};

struct Suspect {
  unsigned rank = 0;
  std::string id;  // 16 hex digits from function and file names, outward from the blamed frame
  bool leak = false;
  Behaviour behaviour = Behaviour::kUnknown;
  std::string verdict;  // "unreachable", or the behaviour's name
  bool recurring = false;
  std::optional<double> confidence;
  std::string why;
  SiteKind kind = SiteKind::kHeap;
  std::uint64_t live_bytes = 0;
  std::optional<double> live_bytes_error;  // standard error; null where nothing was sampled
  std::uint64_t live_blocks = 0;
  std::uint64_t allocated_blocks = 0;
  std::uint64_t freed_blocks = 0;
  std::optional<double> growth_bytes_per_s;
  std::optional<Range> growth_range;
  std::optional<double> growth_from_s;          // where the window begins that it was judged in
  std::optional<double> growth_bytes_per_unit;  // of work done; see Report::work
  std::optional<Range> growth_per_unit_range;   // 95 %; null where two marks are all there is
  std::optional<double> growth_blocks_per_unit;
  std::string unit;  // what a unit is called, such as "request"
  std::optional<std::uint64_t> unreachable_bytes;
  std::optional<std::uint64_t> unreachable_blocks;
  std::optional<std::uint64_t> unreachable_direct_bytes;
  std::optional<std::uint64_t> unreachable_direct_blocks;
  // The commonest chain, outermost first; empty where nothing holds the blocks, null where no scan
  // tells.
  std::optional<std::vector<Holder>> held_by;
  double oldest_s = 0;
  std::optional<std::string> suppressed_by;
  std::vector<std::uint64_t> repetition_bytes;  // aligned with Report::repetitions; else empty
  unsigned workers_seen = 1;
  unsigned workers_of = 1;
  std::vector<std::uint64_t> series_bytes;  // aligned with Report::snapshots
  std::vector<std::uint64_t> series_blocks;
  unsigned blame = 0;  // index into stack
  // Index into stack of the first frame of the user's own scripts from `blame` outward, which may
  // be the same; null without script frames, and where all are of packages.
  std::optional<unsigned> user_frame;
  std::vector<std::size_t> containers;  // into Report::containers
  std::vector<UserLine> user_lines;     // of a leak: those frames of all its paths
  unsigned sites = 1;                   // call stacks; in several processes one stack is one
  std::vector<SiteRef> members;         // the sites that `series_bytes` is the sum of
  ReportStack stack;                    // of the largest path
  std::vector<SuspectPath> paths;       // largest first; none when each site is a row of its own
  unsigned paths_omitted = 0;           // smaller ones that are not in `paths`
  std::uint64_t stack_key = 0;  // of `stack` and the program: no two suspects of a kind share it
};

// One block that doubled again and again: that of a vector, a hash table, a script's array.
struct Container {
  ReportFrame frame;    // where it is enlarged
  std::string process;  // ReportProcess::id
  std::uint64_t block_bytes = 0;
  unsigned doublings = 0;
  bool still_grows = false;  // became larger in the second half of the recording
};

struct ReportProcess {
  std::string id;
  ProcessInfo info;
  EndInfo end;
  double duration_s = 0;
};

struct ReportSnapshot {
  std::string process;  // ReportProcess::id
  Moment moment;
};

// The scan that the unreachable figures are from; of the main process.
struct ReportScan {
  ScanTime when = ScanTime::kExit;
  bool complete = false;  // of all processes: otherwise figures are missing
  std::optional<std::string> why_not;
};

// What the report takes for a unit of work.
struct Work {
  std::string unit = "unit";  // its name, such as "request"
  std::string counted_by;     // one sentence: who counted
  double done = 0;            // over all processes, between their first and last count
  double per_s = 0;           // the same by Theil–Sen's slope
};

struct Conclusion {
  std::string cause;  // leak, retention, mmap, stacks, file, shared, none, unknown
  std::string sentence;
  std::string action;
};

// What ends the growth, and when that is at the rate of the run.
struct Limit {
  std::uint64_t bytes = 0;
  std::string source;                // option, cgroup, rlimit, memory_limit
  std::string process;               // id of the one that it holds for; empty: all of them
  double level_bytes = 0;            // what it is compared with, at the end
  std::optional<Range> seconds;      // until it is reached, 95 %
  std::optional<double> expected_s;  // within `seconds`
  std::optional<Range> units;        // of work: of that process, or of all
  std::optional<double> expected_units;
};

struct Totals {
  std::uint64_t live_bytes = 0;
  std::uint64_t live_blocks = 0;
  std::optional<double> live_bytes_error;  // standard error; null where nothing was sampled
  std::optional<double> growth_bytes_per_s;
  std::optional<std::uint64_t> unreachable_bytes;
  unsigned leak_suspects = 0;        // those that nothing suppresses
  unsigned suppressed_suspects = 0;  // leaks as well, but accepted
  unsigned rows_omitted = 0;
  std::optional<double> smallest_leak_seen_bytes_per_h;
  std::optional<Limit> limit;
};

// A suppression and what it silenced.
struct SuppressionUse {
  std::string name;
  std::string file;   // that it stands in; empty for one that is built in
  unsigned line = 0;  // there, from 1 on
  unsigned suspects = 0;
  std::uint64_t live_bytes = 0;
};

struct Report {
  std::vector<ReportProcess> processes;
  std::vector<ReportSnapshot> snapshots;
  Accounting accounting{};
  std::map<std::string, std::uint64_t>
      losses;  // every name of format/losses.inc, over all processes
  Totals totals;
  std::optional<ReportScan> scan;  // null where none was made
  std::optional<Work> work;        // null where nothing counted
  Conclusion conclusion;
  std::vector<Suspect> suspects;
  std::vector<Container> containers;  // largest first
  std::vector<UserLine> user_lines;   // that several leaks among `suspects` share, largest first
  std::vector<SuppressionUse> suppressions;  // in the order they were given
  std::vector<double> repetitions;           // how much work each did; empty without any
  std::vector<std::string>
      notes;  // said first in the text: damaged files left out, little tracked, …
};

}  // namespace seep::model
