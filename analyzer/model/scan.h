// A scan for unreachable memory as the analyzer thinks of it: plain data, checked, with the sites
// and modules of the snapshot or recording that it belongs to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/snapshot_format.h"

namespace seep::model {

using format::LinkKind;
using format::ScanProblem;
using format::ScanTime;

// Words of the JSON: "exit", "request", "snapshot".
const char* name_of(ScanTime when);
// Why the figures of a scan are missing, as a clause: "other threads could not be stopped".
const char* meaning_of(ScanProblem problem);

// Blocks of a site that no root leads to. Sums of both sorts fit into 64 bits.
struct Unreachable {
  std::uint32_t site = 0;
  std::uint64_t direct_blocks = 0;  // no other unreachable block points to them
  std::uint64_t direct_bytes = 0;
  std::uint64_t indirect_blocks = 0;  // lost with a direct one
  std::uint64_t indirect_bytes = 0;
  std::uint64_t live_blocks = 0;  // of the site, at the scan
  std::uint64_t live_bytes = 0;
  std::uint64_t oldest_ms = 0;  // age of its oldest live block

  [[nodiscard]] std::uint64_t blocks() const { return direct_blocks + indirect_blocks; }
  [[nodiscard]] std::uint64_t bytes() const { return direct_bytes + indirect_bytes; }
};

// Blocks of a site that an interpreter keeps to use them again (format::KeptRecord).
struct Kept {
  std::uint32_t site = 0;
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;
};

// One hop of a chain: a root, or a block that points to the next.
struct Link {
  LinkKind kind = LinkKind::kOther;
  std::uint32_t site = 0;    // of kBlock, and of kMap where it is not 0
  std::uint32_t module = 0;  // of kGlobal
  std::uint32_t thread = 0;  // id, of kStack, kTls and kRegister
  std::uint64_t offset = 0;  // kGlobal: ELF virtual address of the word; kBlock: within the block
  std::string text = {};     // of the kinds of a script: what it is called there

  bool operator==(const Link&) const = default;
};

// Whether it is a value of a script, in the words of its language.
inline bool is_of_script(LinkKind kind) {
  return kind >= LinkKind::kScriptGlobal;
}

// How blocks of a site are held. The first link is a root; where it is a block, the blocks are
// lost with those of that block's site.
struct Chain {
  std::uint32_t site = 0;
  std::uint32_t links_begin = 0;  // into Scan::links; outermost first
  std::uint32_t links_count = 0;  // at least 1
  std::uint64_t blocks = 0;       // held in this way, of `sampled_blocks`
  std::uint64_t sampled_blocks = 0;
};

struct Scan {
  std::string file;
  double time_s = 0;  // since the image began
  ScanTime when = ScanTime::kExit;
  bool complete = false;  // every root was seen: only then are there unreachable figures
  ScanProblem problem = ScanProblem::kNone;
  std::uint32_t threads = 0;  // stopped for it, the calling one not counted
  std::uint64_t pause_ns = 0;
  std::uint64_t fork_ns = 0;
  std::uint64_t scan_ns = 0;
  std::uint64_t blocks = 0;
  std::uint64_t root_bytes = 0;
  std::vector<Unreachable> unreachable;  // ascending by site; empty unless complete
  std::vector<Kept> kept;                // ascending by site
  std::vector<Chain> chains;             // ascending by site
  std::vector<Link> links;
};

}  // namespace seep::model
