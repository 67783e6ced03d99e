#include "preload/snapshot/live_walk.h"

#include <bit>

#include "preload/runtime/arena.h"

namespace seep::snapshot {
namespace {

std::uint32_t age_class_of(std::uint64_t age_ms) {
  const auto age_class =
      static_cast<std::uint32_t>(std::bit_width(age_ms >> format::kAgeClassZeroShift));
  return age_class < format::kAgeClasses ? age_class : format::kAgeClasses - 1;
}

constexpr unsigned kMostAttempts = 20;  // each waits for a few hundred microseconds

std::size_t tally_bytes(std::uint32_t sites) {
  return sites * sizeof(SiteTally);
}
std::size_t age_bytes(std::uint32_t sites) {
  return (std::size_t{sites} * format::kAgeClasses + 1) * sizeof(AgeTally);
}

}  // namespace

LiveWalk::~LiveWalk() {
  if (tallies_ != nullptr) {
    runtime::unmap_pages(tallies_, tally_bytes(site_count_));
  }
  if (ages_ != nullptr) {
    runtime::unmap_pages(ages_, age_bytes(site_count_));
  }
}

bool LiveWalk::run(recorder::Tables& tables) {
  site_count_ = tables.sites.count();
  tallies_ = static_cast<SiteTally*>(runtime::map_pages(tally_bytes(site_count_)));
  ages_ = static_cast<AgeTally*>(runtime::map_pages(age_bytes(site_count_)));
  if (tallies_ == nullptr || ages_ == nullptr) {
    return false;
  }
  tables.blocks.walk(
      [this](const table::Block& block) { add(block.site, block.birth, block.size); });
  const std::uint64_t heap_bytes = live_bytes_;
  if (!walk_ranges(tables.ranges)) {
    recorder::count_loss(format::Loss::maps_not_recorded);
  }
  mmap_bytes_ = live_bytes_ - heap_bytes;
  return true;
}

// Another thread may hold the table just now; one that is stopped may hold it for long.
bool LiveWalk::walk_ranges(table::RangeTable& ranges) {
  for (unsigned attempt = 0; attempt < kMostAttempts; ++attempt) {
    if (ranges.walk([this](const table::Range& range) {
          add(range.site, range.birth, range.end - range.begin);
        })) {
      return true;
    }
  }
  return false;
}

void LiveWalk::add(std::uint32_t site, std::uint32_t birth, std::uint64_t bytes) {
  if (site >= site_count_) {
    return;
  }
  SiteTally& tally = tallies_[site];
  if (tally.live_blocks == 0 || birth < tally.oldest_birth) {
    tally.oldest_birth = birth;
  }
  ++tally.live_blocks;
  tally.live_bytes += bytes;
  ++live_blocks_;
  live_bytes_ += bytes;
  if (birth < fork_tick_) {
    ++tally.inherited_blocks;
    tally.inherited_bytes += bytes;
  }
  const std::uint64_t age_ticks = birth < now_tick_ ? now_tick_ - birth : 0;
  AgeTally* age = age_of(tally, age_class_of(age_ticks << recorder::kTickShift));
  ++age->blocks;
  age->bytes += bytes;
}

// The list is ascending in age class, and short: most blocks of a site are of a few ages.
AgeTally* LiveWalk::age_of(SiteTally& tally, std::uint32_t age_class) {
  std::uint32_t* link = &tally.ages;
  while (*link != 0 && ages_[*link].age_class < age_class) {
    link = &ages_[*link].next;
  }
  if (*link == 0 || ages_[*link].age_class != age_class) {
    const std::uint32_t fresh = ages_used_++;
    ages_[fresh] = {*link, age_class, 0, 0};
    *link = fresh;
  }
  return &ages_[*link];
}

}  // namespace seep::snapshot
