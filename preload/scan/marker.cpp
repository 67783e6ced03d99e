#include "preload/scan/marker.h"

namespace seep::scan {

void Marker::add_root(std::uintptr_t begin, std::uintptr_t end, const Root& root) {
  visit_near_words(index_, begin, end, [&](std::uintptr_t place, std::uint64_t word) {
    add_candidate({word, kNotLookedUp, place, &root, kUnknownWay, 0});
  });
}

void Marker::add_block(std::uintptr_t address, const Root& root) {
  if (index_.is_near(address)) {
    add_candidate({address, kNotLookedUp, 0, &root, kUnknownWay, 0});
  }
}

// The oldest one is settled when there is no room: by then the processor has fetched what it needs,
// in two steps, since the second needs what the first has brought.
void Marker::add_candidate(const Candidate& candidate) {
  index_.prefetch(candidate.word);
  if (candidates_behind_ - candidates_first_ == kCandidates) {
    settle(candidates_[candidates_first_++ % kCandidates]);
  }
  candidates_[candidates_behind_++ % kCandidates] = candidate;
  if (candidates_behind_ - candidates_first_ > kHalfWay) {
    Candidate& half_way = candidates_[(candidates_behind_ - kHalfWay) % kCandidates];
    half_way.start = index_.find_unmarked(half_way.word);
  }
}

void Marker::settle_all() {
  while (candidates_first_ != candidates_behind_) {
    settle(candidates_[candidates_first_++ % kCandidates]);
  }
}

void Marker::settle(const Candidate& candidate) {
  const std::uintptr_t start =
      candidate.start != kNotLookedUp ? candidate.start : index_.find_unmarked(candidate.word);
  if (start == 0 || index_.is_marked(start)) {
    return;
  }
  table::Block block;
  if (!blocks_.look_up(start, block) || candidate.word - start >= HeapIndex::bytes_of(block)) {
    return;
  }
  index_.settle(block);
  const WayId way = way_of(candidate);
  counts_.count(block.site, way);
  push(block, way);
}

WayId Marker::way_of(const Candidate& candidate) {
  if (candidate.root == nullptr) {
    return ways_.extend(candidate.holder, candidate.site, candidate.place);
  }
  format::LinkRecord link = candidate.root->link;
  if (link.kind == static_cast<std::uint32_t>(format::LinkKind::kGlobal)) {
    link.offset = candidate.place - candidate.root->bias;
  }
  return ways_.begin(link);
}

void Marker::push(const table::Block& block, WayId way) {
  if (behind_ - first_ == kQueueEntries) {
    overflowed_ = true;
    return;
  }
  const std::uint32_t size =
      block.size < kUnknownSize ? static_cast<std::uint32_t>(block.size) : kUnknownSize;
  queue_[behind_++ % kQueueEntries] = {std::uint64_t{block.address >> 4} << kWayBits | way, size,
                                       block.site};
}

void Marker::scan(const Entry& entry) {
  const std::uintptr_t start = entry.start_and_way >> kWayBits << 4;
  const auto way = static_cast<WayId>(entry.start_and_way & ((1U << kWayBits) - 1));
  std::uint64_t size = entry.size;
  table::Block block;
  if (size == kUnknownSize && blocks_.look_up(start, block)) {
    size = block.size;
  }
  memory_.visit_block(start, start + size, [&](std::uintptr_t begin, std::uintptr_t end) {
    visit_near_words(index_, begin, end, [&](std::uintptr_t place, std::uint64_t word) {
      if (!index_.is_settled(word)) {
        add_candidate({word, kNotLookedUp, place - start, nullptr, way, entry.site});
      }
    });
  });
}

bool Marker::drain() {
  unsigned to_look = kBlocksPerLook;
  while (true) {
    if (first_ == behind_) {
      settle_all();
      if (first_ == behind_) {
        return true;
      }
    }
    const std::size_t ahead = first_ + kFetchAhead;
    if (ahead < behind_) {
      const Entry& next = queue_[ahead % kQueueEntries];
      const auto* bytes = reinterpret_cast<const char*>(next.start_and_way >> kWayBits << 4);
      __builtin_prefetch(bytes);
      if (next.size > kLineBytes) {
        __builtin_prefetch(bytes + kLineBytes);
      }
    }
    scan(queue_[first_++ % kQueueEntries]);
    if (--to_look == 0) {
      to_look = kBlocksPerLook;
      if (deadline_.has_passed()) {
        return false;
      }
    }
  }
}

// Some marked blocks were not scanned: all are, by a way that is not known. To scan one twice does
// no harm.
void Marker::scan_again() {
  overflowed_ = false;
  index_.visit_blocks(/*marked=*/true, [&](std::uintptr_t start) {
    table::Block block;
    if (blocks_.look_up(start, block)) {
      if (behind_ - first_ == kQueueEntries) {
        drain();
      }
      push(block, kUnknownWay);
    }
    return true;
  });
}

bool Marker::run() {
  bool in_time = drain();
  while (in_time && overflowed_) {
    scan_again();
    in_time = drain();
  }
  return in_time;
}

}  // namespace seep::scan
