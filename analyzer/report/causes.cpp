#include "analyzer/report/causes.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "analyzer/model/stack_key.h"
#include "analyzer/rank/judge.h"
#include "analyzer/report/grew_together.h"

namespace seep::report {
namespace {

using Indices = std::vector<std::size_t>;

// Frames looked at outward of the innermost one that may be to blame. Farther out, what other
// callers do says nothing of this one.
constexpr std::size_t kMostCulprits = 8;
// Paths without a verdict whose blocks stay: at most this share was released.
constexpr std::uint64_t kFewFreed = 10;

bool is_undecided(const Grouping& input, const Path& path) {
  return !path.leak && input.ranked[path.members.front()].behaviour == model::Behaviour::kUnknown;
}

// Kept: hardly anything was released.
bool is_kept(const Path& path) {
  return path.freed_blocks * kFewFreed <= path.allocated_blocks;
}

// No process has seen enough blocks of it for a verdict (docs/ranking.md, rule 5).
bool is_slow(const Grouping& input, const Path& path) {
  return std::all_of(path.members.begin(), path.members.end(), [&](std::size_t member) {
    const rank::RankedSite& ranked = input.ranked[member];
    const model::SiteHistory& site = input.recordings[ranked.recording].sites[ranked.site];
    const std::uint64_t seen =
        site.estimates.empty() ? site.at.back().live_blocks : site.estimates.back().sampled_blocks;
    return static_cast<double>(seen) < rank::kLeastSurvivors;
  });
}

// A leak because no pointer leads to it, not because it grows.
bool is_lost(const Grouping& input, const Path& path) {
  return std::any_of(path.members.begin(), path.members.end(),
                     [&](std::size_t i) { return input.ranked[i].leak; }) &&
         std::none_of(path.members.begin(), path.members.end(),
                      [&](std::size_t i) { return input.ranked[i].has_growth; });
}

// Together they leak in at least one process.
bool leak_together(const Grouping& input, const std::vector<Path>& paths, const Indices& among) {
  std::map<std::size_t, Indices> sites;  // of each recording
  for (const std::size_t path : among) {
    for (const std::size_t member : paths[path].members) {
      sites[input.ranked[member].recording].push_back(input.ranked[member].site);
    }
  }
  return std::any_of(sites.begin(), sites.end(), [&](const auto& of) {
    return of.second.size() > 1 &&
           rank::rank_together(input.recordings, of.first, of.second, input.rank).leak;
  });
}

// Paths that share their frames from the allocator out to the one under suspicion.
struct Point {
  Indices leaks;
  Indices others;         // that do not leak
  std::size_t level = 0;  // of the suspected frame, among the culprits of each leak
};

class Search {
 public:
  Search(const Grouping& input, std::vector<Path>& paths, NodeNames& names)
      : input_(input), paths_(paths), names_(names), culprits_(paths.size()) {}

  // Paths with their blame; those that leak for one reason are together.
  std::vector<Indices> run() {
    for (Point& point : innermost_points()) {
      join_undecided(point);
      settle(point);
    }
    return causes();
  }

 private:
  struct Place {
    std::size_t recording = 0;
    std::uint32_t node = 0;
  };

  [[nodiscard]] Place place_of(std::size_t path) const {
    const rank::RankedSite& site = input_.ranked[paths_[path].members.front()];
    return {site.recording, input_.recordings[site.recording].sites[site.site].node};
  }

  // A line of a script makes a value and its temporary parts at different places of the
  // interpreter: those are allocations of their own.
  [[nodiscard]] std::uint64_t chain(std::size_t path, std::uint32_t depth) const {
    const Place place = place_of(path);
    const std::uint64_t inner = names_.inner_chain(place.recording, place.node, depth);
    const std::uint64_t what = static_cast<std::uint64_t>(paths_[path].kind) ^
                               names_.interpreter_part(place.recording, place.node);
    return inner == 0 ? 0 : model::combine_keys(inner, paths_[path].program ^ what);
  }

  // A stack of nothing but libraries is blamed at its innermost frame.
  void look_up(std::size_t path) {
    const Place place = place_of(path);
    culprits_[path] = names_.culprits(place.recording, place.node, kMostCulprits);
    if (culprits_[path].empty()) {
      culprits_[path].push_back({1, 0, names_.instruction(place.recording, place.node), false});
    }
  }

  // Points by the chain to the frame at `level` of each leak; `others` go where they share it.
  std::vector<Point> split(const Indices& leaks, const Indices& others, std::size_t level) {
    std::vector<Point> points;
    std::unordered_map<std::uint64_t, std::size_t> found;
    std::set<std::uint32_t> depths;
    for (const std::size_t leak : leaks) {
      const std::uint32_t depth = culprits_[leak][level].depth;
      const auto [entry, is_new] = found.try_emplace(chain(leak, depth), points.size());
      if (is_new) {
        points.push_back({{}, {}, level});
        depths.insert(depth);
      }
      points[entry->second].leaks.push_back(leak);
    }
    for (const std::size_t other : others) {
      for (const std::uint32_t depth : depths) {
        if (const auto entry = found.find(chain(other, depth)); entry != found.end()) {
          points[entry->second].others.push_back(other);
          break;
        }
      }
    }
    return points;
  }

  std::vector<Point> innermost_points() {
    Indices leaks;
    Indices others;
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      if (!paths_[i].leak) {
        others.push_back(i);
        continue;
      }
      look_up(i);
      leaks.push_back(i);
    }
    return leaks.empty() ? std::vector<Point>() : split(leaks, others, 0);
  }

  // What shares the leak's allocation, has no verdict and is kept, is of the leak.
  void join_undecided(Point& point) {
    Indices others;
    for (const std::size_t other : point.others) {
      Path& path = paths_[other];
      if (is_undecided(input_, path) && is_kept(path)) {
        path.leak = true;
        path.joined = true;
        look_up(other);
        point.leaks.push_back(other);
      } else {
        others.push_back(other);
      }
    }
    point.others = std::move(others);
  }

  // Different functions that call the suspected frame.
  std::size_t callers_of(const Point& point) {
    std::set<std::uint64_t> callers;
    for (const Indices* paths : {&point.leaks, &point.others}) {
      for (const std::size_t path : *paths) {
        const Place place = place_of(path);
        const auto culprits = names_.culprits(place.recording, place.node, point.level + 2);
        if (culprits.size() > point.level + 1) {
          callers.insert(culprits[point.level + 1].function);
        }
        if (callers.size() > 1) {
          return callers.size();
        }
      }
    }
    return callers.size();
  }

  // The frame serves callers that release what they get, so these decide and not the frame.
  bool passes_on(const Point& point) {
    std::uint64_t leaked = 0;
    for (const std::size_t leak : point.leaks) {
      leaked += paths_[leak].allocated_blocks;
    }
    std::uint64_t released = 0;
    for (const std::size_t other : point.others) {
      released += paths_[other].freed_blocks;
    }
    const Culprit& culprit = culprits_[point.leaks.front()][point.level];
    return released > leaked || (culprit.may_be_wrapper && callers_of(point) > 1);
  }

  void settle(const Point& point) {
    if (!passes_on(point)) {
      blame(point.leaks, point.level);
      return;
    }
    Indices farther;
    Indices ended;
    for (const std::size_t leak : point.leaks) {
      (point.level + 1 < culprits_[leak].size() ? farther : ended).push_back(leak);
    }
    blame(ended, 0);
    for (const Point& next : split(farther, point.others, point.level + 1)) {
      settle(next);
    }
  }

  void blame(const Indices& leaks, std::size_t level) {
    for (const std::size_t leak : leaks) {
      paths_[leak].blame = culprits_[leak][std::min(level, culprits_[leak].size() - 1)];
    }
  }

  // Paths that share the frames inside of the blamed one are of one allocation, and those of one
  // function of one cause if they grew together.
  std::vector<Indices> causes() {
    std::map<std::tuple<std::uint64_t, std::uint64_t, model::SiteKind, bool>,
             std::map<std::uint64_t, Indices>>
        functions;
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      if (const Path& path = paths_[i]; path.leak) {
        functions[{path.blame.function, path.program, path.kind, is_lost(input_, path)}]
                 [chain(i, path.blame.depth)]
                     .push_back(i);
      }
    }
    std::vector<Indices> causes;
    for (auto& [function, allocations] : functions) {
      std::vector<Indices> parts;
      for (auto& [inner, paths] : allocations) {
        parts.push_back(std::move(paths));
      }
      for (Indices& cause : join_parts(std::move(parts))) {
        causes.push_back(std::move(cause));
      }
    }
    return causes;
  }

  std::vector<Indices> join_parts(std::vector<Indices> parts) {
    const auto live = [&](const Indices& part) {
      std::uint64_t sum = 0;
      for (const std::size_t path : part) {
        sum += paths_[path].live_bytes;
      }
      return sum;
    };
    std::stable_sort(parts.begin(), parts.end(),
                     [&](const Indices& a, const Indices& b) { return live(a) > live(b); });
    std::vector<Indices> causes;
    std::vector<LiveSeries> series;  // of the largest part of each cause
    for (Indices& part : parts) {
      LiveSeries grown = live_series(input_, paths_, part);
      const auto same = std::find_if(series.begin(), series.end(), [&](const LiveSeries& other) {
        return grew_together(grown, other);
      });
      if (same == series.end()) {
        series.push_back(std::move(grown));
        causes.push_back(std::move(part));
      } else {
        Indices& cause = causes[static_cast<std::size_t>(same - series.begin())];
        cause.insert(cause.end(), part.begin(), part.end());
      }
    }
    return causes;
  }

  const Grouping& input_;
  std::vector<Path>& paths_;
  NodeNames& names_;
  std::vector<std::vector<Culprit>> culprits_;  // of the paths that leak
};

}  // namespace

void find_leaks_of_many_paths(const Grouping& input,
                              const std::vector<std::vector<std::size_t>>& alike,
                              std::vector<Path>& paths) {
  for (const Indices& group : alike) {
    Indices slow;
    std::copy_if(group.begin(), group.end(), std::back_inserter(slow), [&](std::size_t i) {
      return is_undecided(input, paths[i]) && is_kept(paths[i]) && is_slow(input, paths[i]);
    });
    if (slow.size() < 2 || !leak_together(input, paths, slow)) {
      continue;
    }
    for (const std::size_t path : slow) {
      paths[path].leak = true;
    }
  }
}

std::vector<Indices> group_leaks(const Grouping& input, std::vector<Path>& paths,
                                 NodeNames& names) {
  return Search(input, paths, names).run();
}

}  // namespace seep::report
