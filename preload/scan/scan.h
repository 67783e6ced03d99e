// One look for memory that no pointer leads to, in a copy of the process that nobody else changes.
// Context: IN-FORK-CHILD. docs/reachability.md says what counts as a root and why.
//
//   nodes     every live block and object of a pool, by address         nodes.h, heap_index.h
//   roots     what is mapped, cut into what holds pointers and what not  roots.h
//   marks     breadth first from the roots, counting ways                marker.h, chains.h
//   losses    what is left: direct, and indirect                         losses.h
//   script    the same from the roots of an interpreter, by its values   script_walk.h
#pragma once

#include <cstddef>
#include <cstdint>

#include "format/snapshot_format.h"
#include "preload/runtime/arena.h"
#include "preload/scan/pages.h"
#include "preload/scan/thread_image.h"
#include "preload/script/graph.h"
#include "preload/table/address_table.h"
#include "preload/table/kept_blocks.h"
#include "preload/table/pool_table.h"
#include "preload/table/range_table.h"

namespace seep::scan {

using runtime::MemoryRange;

// What the process knows and the copy cannot find out.
struct Question {
  table::AddressTable* blocks = nullptr;
  table::PoolTable* pools = nullptr;
  bool pools_have_ended = false;  // what stands there is not in memory any more
  table::RangeTable* ranges = nullptr;
  std::uint32_t site_count = 0;
  std::uint32_t fork_tick = 0;  // blocks born earlier are the parent's: none of them is lost here
  std::uint32_t process = 0;    // id of the first thread
  const ThreadImage* threads = nullptr;
  std::size_t thread_count = 0;
  bool knows_all_threads = true;  // else stacks count from end to end
  // Every block has a record: then heap bytes without one are free, and what they hold is stale.
  bool knows_all_blocks = true;
  bool libc_allocator = true;
  MemoryRange own_image{};          // of libseep.so
  std::int64_t own_tls_offset = 0;  // of its thread-local storage from the thread pointer
  std::size_t own_tls_bytes = 0;
  const MemoryRange* root_regions = nullptr;  // that the program named
  std::size_t root_region_count = 0;
  const table::KeptBlocks* kept_blocks = nullptr;
  const table::KeptBlocks* kept_objects = nullptr;
  const script::Graph* script = nullptr;  // of the interpreter that runs here; null: none
  std::uint64_t deadline_ns = 0;          // monotonic
};

// What lives of a site.
struct SiteFigures {
  std::uint64_t bytes;
  std::uint64_t blocks;
};

struct Answer {
  format::ScanRecord record{};  // when, threads, pause_ns and fork_ns are the caller's to fill
  Pages<format::UnreachableRecord> unreachable;
  Pages<format::ChainRecord> chains;
  Pages<format::LinkRecord> links;
  Pages<char> holder_texts;
  Pages<format::KeptRecord> kept;
};

// Looks, and fills `answer`. record.complete and record.problem say how far it got; the lists are
// empty where it could not come to an end.
void run(const Question& question, Answer& answer);

}  // namespace seep::scan
