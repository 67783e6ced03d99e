// Objects inside memory that the program shares out itself (include/seep.h): each stands in
// Tables::pools, under the call stack that took it from its pool, as a heap block would.
// Context: IN-HOOK, any thread, also inside signal handlers; pool_bytes_within also IN-AGENT,
// walker.
//
//   heap block or map   |  object | object |        | object |      |
//                        counted for the objects     ^ what is left counts for the block
//
// All of them are recorded, in sample mode too: they are the program's own doing, and each counts
// for itself there.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/recorder/caller.h"
#include "preload/recorder/sampler.h"
#include "preload/table/pool_table.h"

namespace seep::recorder {

// AT-INIT, before the first event. Without `track_heap` nothing is recorded.
void start_pools(bool track_heap, bool sampled);

void record_pool_object(const void* object, std::size_t size, const Caller& caller);
void release_pool_object(const void* object);
// All objects that begin in [begin, begin + bytes).
void release_pool_objects(const void* begin, std::size_t bytes);

// What the objects in [begin, end) take of it.
std::uint64_t pool_bytes_within(const table::PoolTable& pools, std::uintptr_t begin,
                                std::uintptr_t end);
// What an object counts for in sums, in the unit of the mode.
Weight weight_of_object(std::uint64_t size);

}  // namespace seep::recorder
