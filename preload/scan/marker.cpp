#include "preload/scan/marker.h"

namespace seep::scan {

void Marker::add_root(std::uintptr_t begin, std::uintptr_t end, const Root& root) {
  visit_near_words(nodes_, begin, end, [&](std::uintptr_t place, std::uint64_t word) {
    add_candidate({word, NodeId(), place, &root, kUnknownWay, 0, false});
  });
}

void Marker::add_address(std::uintptr_t address, const Root& root) {
  if (nodes_.is_near(address)) {
    add_candidate({address, NodeId(), 0, &root, kUnknownWay, 0, false});
  }
}

// The oldest one is settled when there is no room: by then the processor has fetched what it needs,
// in two steps, since the second needs what the first has brought.
void Marker::add_candidate(const Candidate& candidate) {
  nodes_.prefetch(candidate.word);
  if (candidates_behind_ - candidates_first_ == kCandidates) {
    settle(candidates_[candidates_first_++ % kCandidates]);
  }
  candidates_[candidates_behind_++ % kCandidates] = candidate;
  if (candidates_behind_ - candidates_first_ > kHalfWay) {
    Candidate& half_way = candidates_[(candidates_behind_ - kHalfWay) % kCandidates];
    half_way.node = nodes_.find_unmarked(half_way.word);
    half_way.is_looked_up = true;
  }
}

void Marker::settle_all() {
  while (candidates_first_ != candidates_behind_) {
    settle(candidates_[candidates_first_++ % kCandidates]);
  }
}

void Marker::settle(const Candidate& candidate) {
  const NodeId found =
      candidate.is_looked_up ? candidate.node : nodes_.find_unmarked(candidate.word);
  if (!found.exists()) {
    return;
  }
  nodes_.mark(candidate.word, found, [&](NodeId node, const table::Block& block) {
    const WayId way = way_of(candidate);
    counts_.count(block.site, way);
    push(node, block, way);
  });
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

void Marker::push(NodeId node, const table::Block& block, WayId way) {
  if (behind_ - first_ == kQueueEntries) {
    overflowed_ = true;
    return;
  }
  const std::uint64_t size = block.size < kUnknownSize ? block.size : kUnknownSize;
  queue_[behind_++ % kQueueEntries] = {
      node, size << kSizeShift | std::uint64_t{block.site} << kWayBits | way};
}

void Marker::scan(const Entry& entry) {
  const std::uintptr_t start = entry.node.start();
  const WayId way = entry.way();
  const std::uint32_t site = entry.site();
  std::uint64_t size = entry.size();
  table::Block block;
  if (size == kUnknownSize && nodes_.look_up(entry.node, block)) {
    size = block.size;
  }
  const auto visit = [&](std::uintptr_t begin, std::uintptr_t end) {
    visit_near_words(nodes_, begin, end, [&](std::uintptr_t place, std::uint64_t word) {
      if (!nodes_.is_settled(word)) {
        add_candidate({word, NodeId(), place - start, nullptr, way, site, false});
      }
    });
  };
  memory_.visit_block(start, start + size, [&](std::uintptr_t begin, std::uintptr_t end) {
    nodes_.visit_own(entry.node, begin, end, visit);
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
      const auto* bytes = reinterpret_cast<const char*>(next.node.start());
      __builtin_prefetch(bytes);
      if (next.size() > kLineBytes) {
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

// Some marked nodes were not scanned: all are, by a way that is not known. To scan one twice does
// no harm.
void Marker::scan_again() {
  overflowed_ = false;
  nodes_.visit_all(/*marked=*/true, [&](NodeId node) {
    table::Block block;
    if (nodes_.look_up(node, block)) {
      if (behind_ - first_ == kQueueEntries) {
        drain();
      }
      push(node, block, kUnknownWay);
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
