#include "preload/scan/losses.h"

#include <algorithm>

namespace seep::scan {
namespace {

constexpr unsigned kBlocksPerLook = 4096;

}  // namespace

LossFinder::End LossFinder::find(std::uint32_t site_count, std::uint32_t fork_tick) {
  if (!tallies_.map(site_count) || !heads_.map() || !list_lost(fork_tick)) {
    return End::kNoMemory;
  }
  if (lost_.size() == 0) {
    return End::kDone;
  }
  if (!note_pointers()) {
    return End::kTooLate;
  }
  if (!follow_all(/*pointed=*/false) || !follow_all(/*pointed=*/true)) {
    return End::kTooLate;
  }
  for (const Lost& lost : lost_) {
    count(lost, site_count);
  }
  return End::kDone;
}

bool LossFinder::follow_all(bool pointed) {
  for (Lost& lost : lost_) {
    if (lost.is_pointed == pointed && !lost.is_met) {
      lost.is_pointed = false;
      if (!follow(lost)) {
        return false;
      }
    }
  }
  return true;
}

bool LossFinder::list_lost(std::uint32_t fork_tick) {
  std::size_t count = 0;
  index_.visit_blocks(/*marked=*/false, [&](std::uintptr_t) {
    ++count;
    return true;
  });
  if (count == 0) {
    return true;
  }
  if (!lost_.map(count) || !to_follow_.map(count)) {
    return false;
  }
  index_.visit_blocks(/*marked=*/false, [&](std::uintptr_t start) {
    table::Block block;
    if (blocks_.look_up(start, block)) {
      lost_.add({start, HeapIndex::bytes_of(block), block.site, 0, block.birth >= fork_tick, false,
                 false});
    }
    return true;
  });
  return true;
}

bool LossFinder::is_late() {
  if (++blocks_to_look_ < kBlocksPerLook) {
    return false;
  }
  blocks_to_look_ = 0;
  return deadline_.has_passed();
}

LossFinder::Lost* LossFinder::find_lost(std::uintptr_t start) {
  Lost* found = std::lower_bound(
      lost_.begin(), lost_.end(), start,
      [](const Lost& lost, std::uintptr_t address) { return lost.start < address; });
  return found != lost_.end() && found->start == start ? found : nullptr;
}

// The other unreachable blocks that it points to.
template <typename Visit>
void LossFinder::visit_pointed(const Lost& from, Visit&& visit) {
  memory_.visit_block(
      from.start, from.start + from.size, [&](std::uintptr_t begin, std::uintptr_t end) {
        visit_near_words(index_, begin, end, [&](std::uintptr_t, std::uint64_t word) {
          const std::uintptr_t start = index_.find_start(word);
          if (start == 0 || start == from.start || index_.is_marked(start)) {
            return;
          }
          Lost* lost = find_lost(start);
          if (lost != nullptr && word - start < lost->size) {
            visit(*lost);
          }
        });
      });
}

bool LossFinder::note_pointers() {
  for (const Lost& lost : lost_) {
    visit_pointed(lost, [](Lost& pointed) { pointed.is_pointed = true; });
    if (is_late()) {
      return false;
    }
  }
  return true;
}

// Meets all that `from` leads to.
bool LossFinder::follow(Lost& from) {
  std::size_t left = 0;
  const auto head = static_cast<std::uint32_t>(&from - lost_.begin());
  from.is_met = true;
  from.head = head;
  to_follow_[left++] = head;
  while (left != 0) {
    visit_pointed(lost_[to_follow_[--left]], [&](Lost& pointed) {
      if (!pointed.is_met) {
        pointed.is_met = true;
        pointed.head = head;
        to_follow_[left++] = static_cast<std::uint32_t>(&pointed - lost_.begin());
      }
    });
    if (is_late()) {
      return false;
    }
  }
  return true;
}

void LossFinder::count(const Lost& lost, std::uint32_t site_count) {
  if (!lost.counts || lost.site >= site_count) {
    return;
  }
  any_ = true;
  const Lost& head = lost_[lost.head];
  const bool direct = &head == &lost;
  if (!direct && head.counts && head.site < site_count) {
    heads_.add(lost.site, head.site);
  }
  LossTally& tally = tallies_[lost.site];
  (direct ? tally.direct_blocks : tally.indirect_blocks) += 1;
  (direct ? tally.direct_bytes : tally.indirect_bytes) += lost.size;
}

}  // namespace seep::scan
