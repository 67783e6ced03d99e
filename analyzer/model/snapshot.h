// One snapshot, as the analyzer thinks of it: plain data, checked, independent of the file format.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/model/scan.h"
#include "format/losses.h"
#include "format/snapshot_format.h"

namespace seep::model {

using format::Mode;
using format::SiteKind;
using format::Trigger;

struct Module {
  std::string path;
  std::string build_id;    // lower-case hex; empty when the file has none
  std::uint64_t base = 0;  // load bias
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool unloaded = false;
};

// kJit: compiled while the program ran, and named by its compiler's map.
enum class Language : std::uint8_t { kNative, kPhp, kPython, kJit };

// A frame in the tree of stacks. nodes[0] is the root and no frame; parent < own index.
struct Node {
  std::uint64_t offset = 0;  // ELF virtual address in the module; absolute when module is 0
  std::uint32_t parent = 0;
  std::uint16_t module = 0;  // format::kScriptModule: `offset` is an index of script_frames
  bool exact_pc = false;     // else a return address: look up offset - 1
  bool heuristic = false;
  bool cut = false;
  Language language = Language::kNative;
};

// A line of a script.
struct ScriptFrame {
  std::string function;    // "Pool::run", "{main}"
  std::string file;        // empty: a function of the interpreter or of an extension
  std::uint32_t line = 0;  // 0: unknown
  Language language = Language::kPhp;
};

// Modules and stacks. Within one process image the indices of a later snapshot extend those of an
// earlier one, so a node or a site keeps its number.
struct Stacks {
  std::vector<Module> modules;
  std::vector<Node> nodes;
  std::vector<ScriptFrame> script_frames;
};

// Figures of one site at one moment.
struct Counters {
  std::uint64_t live_bytes = 0;
  std::uint64_t live_blocks = 0;
  std::uint64_t allocated_bytes = 0;
  std::uint64_t allocated_blocks = 0;
};

// In sample mode, what the figures of a heap site rest on.
struct Estimate {
  std::uint64_t sampled_blocks = 0;  // recorded, of those that are alive
  double live_bytes_error = 0;       // standard error of Counters::live_bytes
};

struct AgeCount {
  std::uint32_t age_class = 0;  // format::kAgeClasses
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;
};

struct Site {
  std::uint32_t node = 0;
  SiteKind kind = SiteKind::kHeap;
  Counters counters;
  Estimate estimate;  // all zero in exact mode
  std::uint64_t inherited_bytes = 0;
  std::uint64_t inherited_blocks = 0;
  std::uint64_t oldest_ms = 0;
  std::uint32_t ages_begin = 0;  // into Snapshot::ages
  std::uint32_t ages_count = 0;

  // Allocated by this image and not alive any more.
  [[nodiscard]] std::uint64_t freed_blocks() const {
    return counters.allocated_blocks - (counters.live_blocks - inherited_blocks);
  }
};

using Accounting = format::AccountingRecord;
using Losses = std::array<std::uint64_t, format::kLossCount>;

struct ProcessInfo {
  std::uint64_t run_id = 0;
  std::uint64_t started_unix_ns = 0;
  std::uint64_t start_ticks = 0;
  Mode mode = Mode::kExact;
  std::uint64_t sample_bytes = 0;
  std::uint32_t pid = 0;
  std::uint32_t host_pid = 0;  // 0 unknown
  std::uint32_t parent_pid = 0;
  std::uint32_t uid = 0;
  std::uint32_t image = 1;
  bool forked = false;
  bool started_directly = false;
  bool began_late = false;  // recording did, as of `started`: what was allocated before is unknown
  bool was_paused = false;
  std::string exe;
  std::string host;
  std::string unit;  // what the program calls a unit of work; empty: nothing said
  std::vector<std::string> command;
};

// What one snapshot says about its moment.
struct Moment {
  std::string file;
  std::uint32_t sequence = 0;
  double time_s = 0;  // since the image began
  Trigger trigger = Trigger::kInterval;
  std::optional<std::string> mark;
  std::optional<std::uint64_t> units;
  bool units_are_requests = false;  // that PHP has served, counted by the library
  std::uint64_t live_bytes = 0;     // sums over all sites
  std::uint64_t live_blocks = 0;
  std::optional<double> live_bytes_error;  // standard error, in sample mode
  std::uint64_t walk_ns = 0;
  Accounting accounting{};
};

// How the image ended, as far as this snapshot knows.
struct EndInfo {
  enum class How { kRunning, kExit, kSignal, kExec, kLost };
  How how = How::kRunning;
  std::optional<int> status;
  std::optional<int> signal;
  std::optional<std::string> function;
};

struct Snapshot {
  ProcessInfo process;
  Moment moment;
  EndInfo end;
  Stacks stacks;
  std::vector<Site> sites;
  std::vector<AgeCount> ages;
  Losses losses{};
  std::optional<Scan> scan;  // of the file of a scan
};

}  // namespace seep::model
