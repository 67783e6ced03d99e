#include "preload/scan/marker.h"

#include <algorithm>
#include <utility>

namespace seep::scan {

bool Marker::map(bool many) {
  if (!queue_.map() || !roots_.map(kMostRoots) || !batch_.map(kBatch) || !sorted_.map(kBatch) ||
      !piece_ends_.map(kPieces)) {
    return false;
  }
  if (many) {
    batch_.prefer_huge_pages();
    sorted_.prefer_huge_pages();
  }
  return true;
}

void Marker::begin_kind() {
  settle_batch();
  rank_ += rank_ + 1 < kRanks ? 1 : 0;
}

void Marker::add_root(std::uintptr_t begin, std::uintptr_t end, const Root& root) {
  if (roots_.size() == 0 || roots_[roots_.size() - 1] != &root) {
    roots_.add(&root);  // where there is no room, the last one stands for the rest
  }
  const std::uint32_t site = kFromRoot + static_cast<std::uint32_t>(roots_.size() - 1);
  visit_near_words(nodes_, begin, end, [&](std::uintptr_t place, std::uint64_t word) {
    add_candidate({word, place, kUnknownWay, site});
  });
}

void Marker::add_address(std::uintptr_t address, const Root& root) {
  const auto word = reinterpret_cast<std::uintptr_t>(&address);
  add_root(word, word + sizeof(address), root);
}

void Marker::add_candidate(const Candidate& candidate) {
  if (batched_ == kBatch) {
    settle_batch();
  }
  batch_[batched_++] = candidate;
}

// Those of one piece stay in their order.
const Marker::Candidate* Marker::sort_batch(std::size_t count) {
  const auto piece_of = [](const Candidate& candidate) {
    return candidate.word >> kPieceShift & (kPieces - 1);
  };
  std::fill_n(&piece_ends_[0], kPieces, 0);
  for (std::size_t i = 0; i < count; ++i) {
    ++piece_ends_[piece_of(batch_[i])];
  }
  std::uint32_t end = 0;
  for (std::size_t piece = 0; piece < kPieces; ++piece) {
    end += std::exchange(piece_ends_[piece], end);
  }
  for (std::size_t i = 0; i < count; ++i) {
    sorted_[piece_ends_[piece_of(batch_[i])]++] = batch_[i];
  }
  return &sorted_[0];
}

// In three steps, so that what each needs has been fetched by the one before.
void Marker::settle_batch() {
  constexpr std::size_t kFirstWait = 16;
  constexpr std::size_t kSecondWait = 32;
  const std::size_t count = std::exchange(batched_, 0);
  const Candidate* const words = count < kWorthSorting ? &batch_[0] : sort_batch(count);
  NodeId found[kSecondWait];
  for (std::size_t i = 0; count != 0 && i < count + kSecondWait; ++i) {
    if (i >= kSecondWait) {
      settle(words[i - kSecondWait], found[i % kSecondWait]);
    }
    if (i < count) {
      nodes_.prefetch(words[i].word);
    }
    if (i >= kFirstWait && i - kFirstWait < count) {
      const Candidate& looked_at = words[i - kFirstWait];
      found[(i - kFirstWait) % kSecondWait] = nodes_.find_unmarked(looked_at.word);
      ways_.prefetch(looked_at.holder);
    }
  }
}

void Marker::settle(const Candidate& candidate, NodeId found) {
  if (!found.exists()) {
    return;
  }
  nodes_.mark(candidate.word, found, [&](NodeId node, const NodeInfo& info) {
    const WayId way = way_of(candidate);
    counts_.count(info.site(), way);
    overflowed_ = !push({node, info.with(way)}) || overflowed_;
  });
}

WayId Marker::way_of(const Candidate& candidate) {
  if (candidate.site < kFromRoot) {
    return ways_.extend(candidate.holder, candidate.site, candidate.place);
  }
  const Root& root = *roots_[candidate.site - kFromRoot];
  format::LinkRecord link = root.link;
  if (link.kind == static_cast<std::uint32_t>(format::LinkKind::kGlobal)) {
    link.offset = candidate.place - root.bias;
  }
  return ways_.begin(link);
}

bool Marker::push(const Entry& entry) {
  const bool done = queue_.push(entry);
  queued_[rank_] += done ? 1 : 0;
  return done;
}

void Marker::scan(const Entry& entry) {
  const std::uintptr_t start = entry.node.start();
  const WayId way = entry.info.value();
  const std::uint32_t site = entry.info.site();
  const auto visit = [&](std::uintptr_t begin, std::uintptr_t end) {
    visit_near_words(nodes_, begin, end, [&](std::uintptr_t place, std::uint64_t word) {
      if (!nodes_.is_settled(word)) {
        add_candidate({word, place - start, way, site});
      }
    });
  };
  memory_.visit_block(start, start + nodes_.extent_of(entry.node, entry.info),
                      [&](std::uintptr_t begin, std::uintptr_t end) {
                        nodes_.visit_own(entry.node, begin, end, visit);
                      });
}

void Marker::fetch_ahead() {
  if (const Entry* next = queue_.peek(kFetchAhead); next != nullptr) {
    const std::uintptr_t start = next->node.start();
    const std::uintptr_t end = start + std::min(next->info.size(), kMostFetched);
    for (std::uintptr_t line = start & ~(kLineBytes - 1); line < end; line += kLineBytes) {
      __builtin_prefetch(reinterpret_cast<const void*>(line));
    }
  }
}

// The next `count` nodes of the queue, all of one rank. False when the deadline passed.
bool Marker::scan_rank(unsigned rank, std::size_t count) {
  rank_ = rank;
  for (; count != 0; --count) {
    fetch_ahead();
    scan(queue_.pop());
    if (--to_look_ == 0) {
      to_look_ = kBlocksPerLook;
      if (deadline_.has_passed()) {
        return false;
      }
    }
  }
  settle_batch();
  return true;
}

// Scans what is in the queue, and marks what it leads to: the next level.
bool Marker::scan_level() {
  std::size_t level[kRanks];
  std::copy_n(queued_, kRanks, level);
  std::fill_n(queued_, kRanks, 0);
  bool in_time = true;
  for (unsigned rank = 0; in_time && rank < kRanks; ++rank) {
    in_time = scan_rank(rank, level[rank]);
  }
  return in_time;
}

bool Marker::drain() {
  settle_batch();
  while (!queue_.empty()) {
    if (!scan_level()) {
      return false;
    }
  }
  return true;
}

// Some marked nodes were not scanned: all are, by a way that is not known. To scan one twice does
// no harm.
bool Marker::scan_again() {
  overflowed_ = false;
  bool in_time = true;
  nodes_.visit_all(/*marked=*/true, [&](NodeId node) {
    rank_ = kRanks - 1;
    const Entry entry{node, nodes_.info_of(node).with(kUnknownWay)};
    if (!push(entry)) {
      in_time = drain();
      rank_ = kRanks - 1;
      push(entry);
    }
    return in_time;
  });
  return in_time;
}

bool Marker::run() {
  bool in_time = drain();
  while (in_time && overflowed_) {
    in_time = scan_again() && drain();
  }
  return in_time;
}

}  // namespace seep::scan
