#include "analyzer/report/group.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "analyzer/model/stack_key.h"
#include "analyzer/report/causes.h"
#include "analyzer/report/parts.h"

namespace seep::report {
namespace {

using model::Behaviour;
using rank::RankedSite;

// Paths that are alike in all of it are one row.
struct Key {
  std::uint64_t place = 0;  // stack or function
  std::uint64_t program = 0;
  model::SiteKind kind = model::SiteKind::kHeap;
  Behaviour behaviour = Behaviour::kUnknown;

  bool operator==(const Key&) const = default;
};

struct KeyHash {
  std::size_t operator()(const Key& key) const {
    const auto kinds =
        static_cast<std::uint64_t>(key.kind) * 16 + static_cast<std::uint64_t>(key.behaviour);
    return model::combine_keys(model::combine_keys(key.place, key.program), kinds);
  }
};

using Groups = std::vector<std::vector<std::size_t>>;

// Indices of equal keys together, in the order in which each key was met first.
Groups group_equal(const std::vector<Key>& keys) {
  std::unordered_map<Key, std::size_t, KeyHash> found;
  Groups groups;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto [entry, is_new] = found.try_emplace(keys[i], groups.size());
    if (is_new) {
      groups.emplace_back();
    }
    groups[entry->second].push_back(i);
  }
  return groups;
}

const model::SiteHistory& history_of(const Grouping& input, std::size_t member) {
  const RankedSite& site = input.ranked[member];
  return input.recordings[site.recording].sites[site.site];
}

void add_member(Path& path, const Grouping& input, std::size_t member) {
  const model::SiteHistory& history = history_of(input, member);
  const model::Counters& last = history.at.back();
  const auto most =
      std::max_element(history.at.begin(), history.at.end(),
                       [](const auto& a, const auto& b) { return a.live_bytes < b.live_bytes; });
  path.members.push_back(member);
  path.leak = path.leak || input.ranked[member].leak;
  path.live_bytes += last.live_bytes;
  path.most_bytes += most->live_bytes;
  path.live_blocks += last.live_blocks;
  path.allocated_blocks += last.allocated_blocks;
  path.freed_blocks += last.allocated_blocks + history.inherited_blocks - last.live_blocks;
}

std::vector<Key> keys_of_stacks(const Grouping& input) {
  std::vector<std::vector<std::uint64_t>> stacks;
  std::vector<std::uint64_t> programs;
  for (const model::Recording& recording : input.recordings) {
    stacks.push_back(model::stack_keys(recording.stacks));
    programs.push_back(model::key_of_text(recording.process.exe));
  }
  std::vector<Key> keys;
  keys.reserve(input.ranked.size());
  for (std::size_t i = 0; i < input.ranked.size(); ++i) {
    const std::size_t recording = input.ranked[i].recording;
    const model::SiteHistory& history = history_of(input, i);
    keys.push_back({stacks[recording][history.node], programs[recording], history.kind, {}});
  }
  return keys;
}

Path path_of(const Grouping& input, const Key& key, const std::vector<std::size_t>& members) {
  Path path;
  path.key = key.place;
  path.program = key.program;
  path.kind = key.kind;
  for (const std::size_t member : members) {
    add_member(path, input, member);
  }
  return path;
}

std::vector<Path> paths_of(const Grouping& input) {
  const std::vector<Key> keys = keys_of_stacks(input);
  std::vector<Path> paths;
  for (const std::vector<std::size_t>& members : group_equal(keys)) {
    paths.push_back(path_of(input, keys[members.front()], members));
  }
  return paths;
}

// The sites of each process whose growth counts: those that leak, or all where the path does so
// only together with others.
std::map<std::size_t, std::vector<std::size_t>> leaking_sites(const Group& group,
                                                              const Grouping& input) {
  std::map<std::size_t, std::vector<std::size_t>> sites;
  for (const Path& path : group.paths) {
    const bool alone = std::any_of(path.members.begin(), path.members.end(),
                                   [&](std::size_t i) { return input.ranked[i].leak; });
    for (const std::size_t member : path.members) {
      if (input.ranked[member].leak || !alone) {
        sites[input.ranked[member].recording].push_back(member);
      }
    }
  }
  return sites;
}

// What `members`, sites of one process, do together; unset if that is no leak. Without a growth of
// their sum, the sum of their growths: they may have been judged in different windows.
std::optional<RankedSite> verdict_of(const Grouping& input,
                                     const std::vector<std::size_t>& members) {
  std::vector<std::size_t> sites;
  sites.reserve(members.size());
  for (const std::size_t member : members) {
    sites.push_back(input.ranked[member].site);
  }
  const std::size_t recording = input.ranked[members.front()].recording;
  if (members.size() > 1) {
    RankedSite together = rank::rank_together(input.recordings, recording, sites, input.rank);
    if (together.leak && together.has_growth) {
      return together;
    }
  }
  std::optional<RankedSite> sum;
  for (const std::size_t member : members) {
    const RankedSite& site = input.ranked[member];
    if (!sum && site.leak) {
      sum = site;
    } else if (site.leak) {
      sum->growth_bytes_per_s += site.growth_bytes_per_s;
      sum->growth_range = {sum->growth_range.low + site.growth_range.low,
                           sum->growth_range.high + site.growth_range.high};
    }
  }
  return sum;
}

void judge_leak(Group& group, const Grouping& input) {
  for (const auto& [recording, members] : leaking_sites(group, input)) {
    if (const auto verdict = verdict_of(input, members)) {
      group.verdicts.push_back(*verdict);
      group.growth_low += verdict->growth_range.low;
    }
  }
  std::stable_sort(group.verdicts.begin(), group.verdicts.end(), [](const auto& a, const auto& b) {
    return a.growth_range.low > b.growth_range.low;
  });
}

Group group_of(const Grouping& input, std::vector<Path> paths) {
  Group group;
  group.paths = std::move(paths);
  std::stable_sort(group.paths.begin(), group.paths.end(), [](const Path& a, const Path& b) {
    return std::tuple(a.live_bytes, a.most_bytes, b.key) >
           std::tuple(b.live_bytes, b.most_bytes, a.key);
  });
  group.leak = std::any_of(group.paths.begin(), group.paths.end(),
                           [](const Path& path) { return path.leak && !path.joined; });
  for (const Path& path : group.paths) {
    group.live_bytes += path.live_bytes;
    group.members.insert(group.members.end(), path.members.begin(), path.members.end());
  }
  std::sort(group.members.begin(), group.members.end());
  for (const std::size_t member : group.members) {
    const auto& lost = input.ranked[member].lost;
    group.lost_bytes = rank::add_capped(group.lost_bytes, lost ? lost->bytes : 0);
  }
  if (group.leak) {
    judge_leak(group, input);
  }
  return group;
}

void sort_groups(std::vector<Group>& groups) {
  const auto order = [](const Group& group) {
    return std::tuple(!group.leak, -group.growth_low, ~group.lost_bytes, ~group.live_bytes,
                      group.paths.front().key);
  };
  std::stable_sort(groups.begin(), groups.end(),
                   [&](const Group& a, const Group& b) { return order(a) < order(b); });
}

}  // namespace

// What does not leak behaves alike in all its sites; the figures of the sentence are those of all
// in one process, if together they still do.
rank::RankedSite leading_verdict(const Group& group, const Grouping& input) {
  if (!group.verdicts.empty()) {
    return group.verdicts.front();
  }
  const RankedSite& lead = input.ranked[group.members.front()];
  std::vector<std::size_t> sites;
  for (const std::size_t member : group.members) {
    if (input.ranked[member].recording == lead.recording) {
      sites.push_back(input.ranked[member].site);
    }
  }
  RankedSite together = rank::rank_together(input.recordings, lead.recording, sites, input.rank);
  return together.behaviour == lead.behaviour ? together : lead;
}

std::vector<Group> group_sites(const Grouping& input, NodeNames& names) {
  std::vector<Path> paths = paths_of(input);
  std::vector<Key> keys;
  keys.reserve(paths.size());
  for (const Path& path : paths) {
    const RankedSite& site = input.ranked[path.members.front()];
    const std::uint64_t function =
        names.innermost_function(site.recording, history_of(input, path.members.front()).node);
    keys.push_back({function, path.program, path.kind, site.behaviour});
  }
  const Groups alike = group_equal(keys);
  find_leaks_of_many_paths(input, alike, paths);
  std::vector<Group> groups;
  std::vector<std::vector<std::size_t>> causes = group_leaks(input, paths, names);
  join_parts(input, names, paths, causes);
  for (const std::vector<std::size_t>& cause : causes) {
    std::vector<Path> together;
    together.reserve(cause.size());
    for (const std::size_t path : cause) {
      together.push_back(std::move(paths[path]));
    }
    groups.push_back(group_of(input, std::move(together)));
  }
  for (const std::vector<std::size_t>& members : alike) {
    std::vector<Path> together;
    for (const std::size_t path : members) {
      if (!paths[path].members.empty() && !paths[path].leak) {
        together.push_back(std::move(paths[path]));
      }
    }
    if (!together.empty()) {
      groups.push_back(group_of(input, std::move(together)));
    }
  }
  sort_groups(groups);
  return groups;
}

std::vector<Group> each_site(const Grouping& input) {
  const std::vector<Key> keys = keys_of_stacks(input);
  std::vector<Group> groups;
  groups.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    groups.push_back(group_of(input, {path_of(input, keys[i], {i})}));
  }
  sort_groups(groups);
  return groups;
}

}  // namespace seep::report
