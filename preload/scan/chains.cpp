#include "preload/scan/chains.h"

#include <algorithm>

namespace seep::scan {
namespace {

std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  return value ^ (value >> 27);
}

bool is_block(const format::LinkRecord& link) {
  return link.kind == static_cast<std::uint32_t>(format::LinkKind::kBlock);
}

// Blocks are told apart by their site: where in it the pointer lies is that of the first one met.
bool is_same(const format::LinkRecord& a, const format::LinkRecord& b) {
  return a.kind == b.kind && a.site == b.site && a.module == b.module && a.thread == b.thread &&
         (is_block(a) || a.offset == b.offset);
}

std::uint64_t key_of(const format::LinkRecord& link) {
  return link.offset * 0x9E3779B97F4A7C15ULL + link.module * 31ULL + link.thread * 7ULL +
         link.site + link.kind;
}

}  // namespace

bool Ways::map(bool many) {
  if (!ways_.map(kMostWays) || !places_.map(kPlaces)) {
    return false;
  }
  if (many) {
    ways_.prefer_huge_pages();
    places_.prefer_huge_pages();
  }
  return ways_.add({});
}

WayId Ways::find_or_add(WayId holder, const format::LinkRecord& link, std::uint64_t key) {
  WayId& place = places_[mix(key + std::uint64_t{holder} * 0x9E3779B97F4A7C15ULL) & (kPlaces - 1)];
  for (WayId way = place; way != kUnknownWay; way = ways_[way].next) {
    if (ways_[way].holder == holder && is_same(ways_[way].link, link)) {
      return way;
    }
  }
  const auto fresh = static_cast<WayId>(ways_.size());
  if (!ways_.add({link, holder, place, ways_[holder].length + 1, 0, 0})) {
    return kUnknownWay;
  }
  place = fresh;
  return fresh;
}

WayId Ways::begin(const format::LinkRecord& root) {
  return find_or_add(kUnknownWay, root, key_of(root));
}

WayId Ways::extend(WayId holder, std::uint32_t site, std::uint64_t offset) {
  if (holder == kUnknownWay) {
    return kUnknownWay;
  }
  if (holder == last_holder_ && site == last_site_) {
    return last_way_;
  }
  last_holder_ = holder;
  last_site_ = site;
  for (WayId way = holder; way != kUnknownWay; way = ways_[way].holder) {
    if (is_block(ways_[way].link) && ways_[way].link.site == site) {
      return last_way_ = way;
    }
  }
  if (ways_[holder].length == kMostLinks) {
    return last_way_ = holder;  // what is further in is left out
  }
  const format::LinkRecord link{static_cast<std::uint32_t>(format::LinkKind::kBlock), site, 0, 0,
                                offset};
  return last_way_ = find_or_add(holder, link, site);
}

WayId Ways::extend(WayId holder, const format::LinkRecord& link, bool once) {
  if (holder == kUnknownWay) {
    return kUnknownWay;
  }
  for (WayId way = holder; once && way != kUnknownWay; way = ways_[way].holder) {
    if (is_same(ways_[way].link, link)) {
      return way;
    }
  }
  return ways_[holder].length == kMostLinks ? holder : find_or_add(holder, link, key_of(link));
}

unsigned Ways::list(WayId way, format::LinkRecord (&links)[kMostLinks]) const {
  const unsigned count = ways_[way].length;
  for (unsigned i = count; i-- > 0; way = ways_[way].holder) {
    links[i] = ways_[way].link;
  }
  return count;
}

void HolderCounts::add(std::uint32_t site, std::uint32_t holder) {
  std::size_t at = mix(std::uint64_t{site} << 32 | holder);
  for (unsigned i = 0; i < kPlacesToTry; ++i, ++at) {
    std::uint32_t& place = places_[at & (kPlaces - 1)];
    if (place == 0) {
      place = counts_.add({site, holder, 1}) ? static_cast<std::uint32_t>(counts_.size()) : 0;
      return;
    }
    Count& count = counts_[place - 1];
    if (count.site == site && count.holder == holder) {
      ++count.blocks;
      return;
    }
  }
}

const Pages<HolderCounts::Count>& HolderCounts::sort() {
  std::sort(counts_.begin(), counts_.end(), [](const Count& a, const Count& b) {
    if (a.site != b.site) {
      return a.site < b.site;
    }
    return a.blocks != b.blocks ? a.blocks > b.blocks : a.holder < b.holder;
  });
  return counts_;
}

}  // namespace seep::scan
