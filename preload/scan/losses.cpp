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
  nodes_.visit_all(/*marked=*/false, [&](NodeId) { return ++count != 0; });
  if (count == 0) {
    return true;
  }
  if (!lost_.map(count) || !to_follow_.map(count)) {
    return false;
  }
  nodes_.visit_all(/*marked=*/false, [&](NodeId node) {
    add_lost(node, fork_tick);
    return true;
  });
  return true;
}

void LossFinder::add_lost(NodeId node, std::uint32_t fork_tick) {
  table::Block block;
  if (!nodes_.look_up(node, block)) {
    return;
  }
  std::uint64_t bytes = bytes_of(block);
  lost_blocks_ += node.is_object() ? 0 : 1;
  nodes_.visit_objects(node, bytes_of(block), [&](std::uintptr_t start, std::uint64_t extent) {
    const std::uint64_t room = block.address + bytes_of(block) - start;
    bytes -= std::min({extent, room, bytes});
  });
  lost_.add({node, bytes_of(block), bytes, block.site, 0, block.birth >= fork_tick, false, false});
}

bool LossFinder::is_late() {
  if (++blocks_to_look_ < kBlocksPerLook) {
    return false;
  }
  blocks_to_look_ = 0;
  return deadline_.has_passed();
}

LossFinder::Lost* LossFinder::find_lost(NodeId node) {
  Lost* const objects = lost_.begin() + lost_blocks_;
  Lost* const begin = node.is_object() ? objects : lost_.begin();
  Lost* const end = node.is_object() ? lost_.end() : objects;
  Lost* const found = std::lower_bound(
      begin, end, node.start(),
      [](const Lost& lost, std::uintptr_t address) { return lost.node.start() < address; });
  return found != end && found->node == node ? found : nullptr;
}

// The other unreachable nodes that it points to, and the objects in it.
template <typename Visit>
void LossFinder::visit_pointed(const Lost& from, Visit&& visit) {
  const std::uintptr_t start = from.node.start();
  const NodeId arena = nodes_.arena_of(from.node);
  const auto visit_lost = [&](NodeId node, std::uint64_t word) {
    if (!node.exists() || node == from.node || node == arena || nodes_.is_marked(node)) {
      return;
    }
    Lost* const lost = find_lost(node);
    if (lost != nullptr && word - node.start() < lost->size) {
      visit(*lost);
    }
  };
  const auto visit_words = [&](std::uintptr_t begin, std::uintptr_t end) {
    visit_near_words(nodes_, begin, end, [&](std::uintptr_t, std::uint64_t word) {
      visit_lost(nodes_.find_object(word), word);
      visit_lost(nodes_.find_block(word), word);
    });
  };
  memory_.visit_block(start, start + from.size, [&](std::uintptr_t begin, std::uintptr_t end) {
    nodes_.visit_own(from.node, begin, end, visit_words);
  });
  nodes_.visit_objects(from.node, from.size, [&](std::uintptr_t object, std::uint64_t) {
    visit_lost(NodeId::of_object(object), object);
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
  (direct ? tally.direct_bytes : tally.indirect_bytes) += lost.bytes;
}

}  // namespace seep::scan
