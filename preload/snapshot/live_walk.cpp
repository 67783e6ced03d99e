#include "preload/snapshot/live_walk.h"

#include <bit>
#include <cstring>

#include "preload/recorder/pools.h"
#include "preload/runtime/arena.h"
#include "preload/runtime/real_math.h"

namespace seep::snapshot {
namespace {

std::uint32_t age_class_of(std::uint64_t age_ms) {
  const auto age_class =
      static_cast<std::uint32_t>(std::bit_width(age_ms >> format::kAgeClassZeroShift));
  return age_class < format::kAgeClasses ? age_class : format::kAgeClasses - 1;
}

// Where the sums of each kind stand: those that must begin at zero in front, the ages behind them.
struct SumLayout {
  std::size_t births;
  std::size_t estimates;
  std::size_t ages;
  std::size_t end;
};

SumLayout layout_of(std::size_t sites, bool sampled) {
  SumLayout layout{};
  layout.births = sites * sizeof(SiteTally);
  layout.estimates = layout.births + sites * sizeof(recorder::Births);
  layout.ages = layout.estimates + (sampled ? sites * sizeof(EstimateTally) : 0);
  layout.end = layout.ages + (sites * format::kAgeClasses + 1) * sizeof(AgeTally);
  return layout;
}
static_assert(sizeof(SiteTally) % 8 == 0 && sizeof(recorder::Births) % 8 == 0 &&
              sizeof(EstimateTally) % 8 == 0 && alignof(AgeTally) == 8);

}  // namespace

LiveWalk::~LiveWalk() {
  if (pages_ != nullptr) {
    runtime::unmap_pages(pages_, layout_of(site_count_, sample_bytes_ != 0).end);
  }
}

bool LiveWalk::place_sums(const WalkRoom& room) {
  const SumLayout layout = layout_of(site_count_, sample_bytes_ != 0);
  char* begin = room.begin;
  if (layout.end <= room.bytes) {
    std::memset(begin, 0, layout.ages);
  } else {
    pages_ = runtime::map_pages(layout.end);
    begin = static_cast<char*>(pages_);
  }
  if (begin == nullptr) {
    return false;
  }
  tallies_ = reinterpret_cast<SiteTally*>(begin);
  births_ = reinterpret_cast<recorder::Births*>(begin + layout.births);
  estimates_ =
      sample_bytes_ != 0 ? reinterpret_cast<EstimateTally*>(begin + layout.estimates) : nullptr;
  ages_ = reinterpret_cast<AgeTally*>(begin + layout.ages);
  return true;
}

bool LiveWalk::run(recorder::Tables& tables, const WalkRoom& room) {
  site_count_ = tables.sites.count();
  if (!place_sums(room)) {
    return false;
  }
  pools_ = tables.pools.was_used() ? &tables.pools : nullptr;
  if (sample_bytes_ == 0) {
    walk_blocks(tables.blocks);
    walk_objects();
  } else {
    walk_sampled_blocks(tables.blocks);
    walk_objects();
    round_estimates();
  }
  const std::uint64_t heap_bytes = live_bytes_;
  if (!walk_ranges(tables.ranges)) {
    recorder::count_loss(format::Loss::maps_not_recorded);
  }
  mmap_bytes_ = live_bytes_ - heap_bytes;
  recorder::births_of_sites(tables.sites, births_, site_count_);  // last: see there
  return true;
}

void LiveWalk::walk_blocks(const table::AddressTable& blocks) {
  if (pools_ == nullptr) {
    blocks.walk([this](const table::Block& block) {
      add(block.site, block.birth, {1, block.size});
    });
    return;
  }
  blocks.walk([this](const table::Block& block) {
    add(block.site, block.birth, {1, left_by_objects(block.address, block.size)});
  });
}

// Of a block or map that holds objects of a pool: they count for themselves.
std::uint64_t LiveWalk::left_by_objects(std::uintptr_t begin, std::uint64_t bytes) const {
  return pools_ == nullptr ? bytes
                           : bytes - recorder::pool_bytes_within(*pools_, begin, begin + bytes);
}

void LiveWalk::walk_objects() {
  if (pools_ == nullptr) {
    return;
  }
  pools_->walk([this](const table::Block& object, bool /*gone*/) {
    add(object.site, object.birth, recorder::weight_of_object(object.size));
    if (estimates_ != nullptr && object.site < site_count_) {
      ++estimates_[object.site].sampled_blocks;
    }
  });
}

// Sums are in fixed point until round_estimates.
void LiveWalk::walk_sampled_blocks(const table::AddressTable& blocks) {
  const runtime::FloatEnvironment environment;
  blocks.walk([this](const table::Block& block) {
    if (block.site < site_count_) {
      recorder::Weight weight = recorder::weight_of(block.size, sample_bytes_);
      if (pools_ != nullptr && block.size != 0) {
        const std::uint64_t left = left_by_objects(block.address, block.size);
        weight.bytes -= weight.bytes / block.size * (block.size - left);
      }
      add(block.site, block.birth, weight);
      const recorder::Variance variance = recorder::variance_of(block.size, sample_bytes_);
      EstimateTally& estimate = estimates_[block.site];
      ++estimate.sampled_blocks;
      estimate.variance.blocks += variance.blocks;
      estimate.variance.bytes += variance.bytes;
    }
  });
}

// Only heap sites have sums yet. What was born at a site is rounded in the same way, so that what
// nothing was freed of has as much alive as was born.
void LiveWalk::round_estimates() {
  live_blocks_ = 0;
  live_bytes_ = 0;
  for (std::uint32_t site = 0; site < site_count_; ++site) {
    SiteTally& tally = tallies_[site];
    tally.live_blocks = recorder::whole_blocks(tally.live_blocks);
    tally.live_bytes = recorder::whole_bytes(tally.live_bytes);
    tally.inherited_blocks = recorder::whole_blocks(tally.inherited_blocks);
    tally.inherited_bytes = recorder::whole_bytes(tally.inherited_bytes);
    live_blocks_ += tally.live_blocks;
    live_bytes_ += tally.live_bytes;
    for (std::uint32_t age = tally.ages; age != 0; age = ages_[age].next) {
      ages_[age].blocks = recorder::whole_blocks(ages_[age].blocks);
      ages_[age].bytes = recorder::whole_bytes(ages_[age].bytes);
    }
  }
}

// False where a thread that is stopped holds the table.
bool LiveWalk::walk_ranges(table::RangeTable& ranges) {
  return ranges.walk([this](const table::Range& range) {
    add(range.site, range.birth, {1, left_by_objects(range.begin, range.end - range.begin)});
  });
}

void LiveWalk::add(std::uint32_t site, std::uint32_t birth, const recorder::Weight& weight) {
  if (site >= site_count_) {
    return;
  }
  SiteTally& tally = tallies_[site];
  if (tally.live_blocks == 0 || birth < tally.oldest_birth) {
    tally.oldest_birth = birth;
  }
  tally.live_blocks += weight.blocks;
  tally.live_bytes += weight.bytes;
  live_blocks_ += weight.blocks;
  live_bytes_ += weight.bytes;
  if (birth < fork_tick_) {
    tally.inherited_blocks += weight.blocks;
    tally.inherited_bytes += weight.bytes;
  }
  const std::uint64_t age_ticks = birth < now_tick_ ? now_tick_ - birth : 0;
  AgeTally* age = age_of(tally, age_class_of(age_ticks << recorder::kTickShift));
  age->blocks += weight.blocks;
  age->bytes += weight.bytes;
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
