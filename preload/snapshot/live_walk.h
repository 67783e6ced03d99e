// Live figures, computed: walks the live blocks and maps and sums them by site.
// Context: IN-AGENT, and the walker: raw system calls only, no thread-local storage.
#pragma once

#include <cstddef>
#include <cstdint>

#include "format/snapshot_format.h"
#include "preload/recorder/recorder.h"
#include "preload/recorder/sampler.h"
#include "preload/recorder/thread_cache.h"

namespace seep::snapshot {

struct AgeTally {
  std::uint32_t next;  // index of the site's next class; 0 ends the list
  std::uint32_t age_class;
  std::uint64_t blocks;
  std::uint64_t bytes;
};

struct SiteTally {
  std::uint64_t live_blocks;
  std::uint64_t live_bytes;
  std::uint64_t inherited_blocks;
  std::uint64_t inherited_bytes;
  std::uint32_t oldest_birth;
  std::uint32_t ages;  // index of the first AgeTally; 0 for none
};

// In sample mode, what is uncertain in the sums of a site (recorder/sampler.h).
struct EstimateTally {
  std::uint64_t sampled_blocks;
  recorder::Variance variance;
};

// Memory that a walk may take for its sums, whatever is in it.
struct WalkRoom {
  char* begin = nullptr;  // aligned to 64 bytes
  std::size_t bytes = 0;
};

class LiveWalk {
 public:
  // Blocks born before `fork_tick` count as inherited; ages are taken at `now_tick`. With
  // `sample_bytes`, the mean between samples, heap blocks count by their weights; 0: exact.
  LiveWalk(std::uint32_t now_tick, std::uint32_t fork_tick, std::uint64_t sample_bytes = 0)
      : now_tick_(now_tick), fork_tick_(fork_tick), sample_bytes_(sample_bytes) {}
  ~LiveWalk();
  LiveWalk(const LiveWalk&) = delete;
  LiveWalk& operator=(const LiveWalk&) = delete;

  // False when there was no memory for the sums. They are put in `room` where they fit, which must
  // stay until they have been read, and else in pages of their own.
  bool run(recorder::Tables& tables, const WalkRoom& room = {});

  // Sites whose sums are known; sites made while the walk ran are left to the next one.
  [[nodiscard]] std::uint32_t site_count() const { return site_count_; }
  [[nodiscard]] const SiteTally& tally(std::uint32_t site) const { return tallies_[site]; }
  [[nodiscard]] const AgeTally* ages(std::uint32_t site) const {
    return tallies_[site].ages == 0 ? nullptr : &ages_[tallies_[site].ages];
  }
  [[nodiscard]] const AgeTally* next(const AgeTally& age) const {
    return age.next == 0 ? nullptr : &ages_[age.next];
  }
  // What was ever allocated at a site, by all that was found alive there and more.
  [[nodiscard]] const recorder::Births& births(std::uint32_t site) const { return births_[site]; }
  // Null in exact mode.
  [[nodiscard]] const EstimateTally* estimates() const { return estimates_; }
  // Whether births of a site of this kind are counted in the fixed point of recorder::Weight.
  [[nodiscard]] bool is_estimated(format::SiteKind kind) const {
    return sample_bytes_ != 0 && kind == format::SiteKind::kHeap;
  }
  [[nodiscard]] std::uint64_t live_blocks() const { return live_blocks_; }
  [[nodiscard]] std::uint64_t live_bytes() const { return live_bytes_; }
  [[nodiscard]] std::uint64_t mmap_bytes() const { return mmap_bytes_; }
  [[nodiscard]] std::uint32_t now_tick() const { return now_tick_; }

 private:
  bool walk_ranges(table::RangeTable& ranges);
  bool place_sums(const WalkRoom& room);
  void walk_blocks(const table::AddressTable& blocks);
  void walk_sampled_blocks(const table::AddressTable& blocks);
  void walk_objects();
  [[nodiscard]] std::uint64_t left_by_objects(std::uintptr_t begin, std::uint64_t bytes) const;
  void round_estimates();
  void add(std::uint32_t site, std::uint32_t birth, const recorder::Weight& weight);
  AgeTally* age_of(SiteTally& tally, std::uint32_t age_class);

  std::uint32_t now_tick_;
  std::uint32_t fork_tick_;
  std::uint64_t sample_bytes_;
  const table::PoolTable* pools_ = nullptr;  // null where there never was an object
  std::uint32_t site_count_ = 0;
  SiteTally* tallies_ = nullptr;
  EstimateTally* estimates_ = nullptr;
  recorder::Births* births_ = nullptr;
  AgeTally* ages_ = nullptr;  // room for every class of every site; only what is used is touched
  void* pages_ = nullptr;     // with the sums in it, where they are not in the caller's room
  std::uint32_t ages_used_ = 1;
  std::uint64_t live_blocks_ = 0;
  std::uint64_t live_bytes_ = 0;
  std::uint64_t mmap_bytes_ = 0;
};

}  // namespace seep::snapshot
