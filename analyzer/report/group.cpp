#include "analyzer/report/group.h"

#include <algorithm>
#include <functional>
#include <string>
#include <tuple>
#include <unordered_map>

#include "analyzer/model/stack_key.h"

namespace seep::report {
namespace {

struct Key {
  std::uint64_t stack = 0;
  std::uint64_t program = 0;
  model::SiteKind kind = model::SiteKind::kHeap;

  bool operator==(const Key&) const = default;
};

struct KeyHash {
  std::size_t operator()(const Key& key) const {
    return key.stack ^ (key.program * 0x9E3779B97F4A7C15ULL) ^ static_cast<std::size_t>(key.kind);
  }
};

std::vector<Key> keys_of(const std::vector<model::Recording>& recordings,
                         const std::vector<rank::RankedSite>& ranked) {
  std::vector<std::vector<std::uint64_t>> stacks;
  stacks.reserve(recordings.size());
  for (const model::Recording& recording : recordings) {
    stacks.push_back(model::stack_keys(recording.stacks));
  }
  std::vector<Key> keys;
  keys.reserve(ranked.size());
  for (const rank::RankedSite& site : ranked) {
    const model::Recording& recording = recordings[site.recording];
    const model::SiteHistory& history = recording.sites[site.site];
    keys.push_back({stacks[site.recording][history.node],
                    std::hash<std::string>()(recording.process.exe), history.kind});
  }
  return keys;
}

}  // namespace

std::vector<Group> group_sites(const std::vector<model::Recording>& recordings,
                               const std::vector<rank::RankedSite>& ranked, bool by_site) {
  const std::vector<Key> keys = keys_of(recordings, ranked);
  std::unordered_map<Key, std::size_t, KeyHash> found;
  std::vector<Group> groups;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    const auto [entry, is_new] = found.try_emplace(keys[i], groups.size());
    const std::size_t index = is_new || by_site ? groups.size() : entry->second;
    if (index == groups.size()) {
      groups.emplace_back().key = keys[i].stack;
    }
    Group& group = groups[index];
    group.members.push_back(i);
    group.leak = group.leak || ranked[i].leak;
    group.growth_low += ranked[i].leak ? ranked[i].growth_range.low : 0;
    group.lost_bytes =
        rank::add_capped(group.lost_bytes, ranked[i].lost ? ranked[i].lost->bytes : 0);
    group.live_bytes += recordings[ranked[i].recording].sites[ranked[i].site].at.back().live_bytes;
  }
  const auto order = [](const Group& group) {
    return std::tuple(!group.leak, -group.growth_low, ~group.lost_bytes, ~group.live_bytes,
                      group.key);
  };
  std::stable_sort(groups.begin(), groups.end(),
                   [&](const Group& a, const Group& b) { return order(a) < order(b); });
  return groups;
}

}  // namespace seep::report
