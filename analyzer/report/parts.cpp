#include "analyzer/report/parts.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "analyzer/model/stack_key.h"

namespace seep::report {
namespace {

using Indices = std::vector<std::size_t>;
using Births = std::map<std::size_t, std::vector<double>>;  // of each recording, at its moments

// Comparing each cause with each other is for reports that somebody reads.
constexpr std::size_t kMostCauses = 200;
constexpr std::size_t kMostCulprits = 8;
// What chance may add to a ratio of births: calls that a snapshot falls into, lost and late ones.
constexpr double kLeastBirths = 18;
constexpr double kSlack = 0.03;
constexpr double kCalls = 2;

class Parts {
 public:
  Parts(const Grouping& input, NodeNames& names, std::vector<Path>& paths)
      : input_(input), names_(names), paths_(paths) {}

  // The frames of the owner's function on the part's paths, if the part is called by it.
  std::optional<std::vector<Culprit>> called_by(const Indices& part, const Indices& owner) {
    const Path& first = paths_[owner.front()];
    const Path& other = paths_[part.front()];
    if (first.kind != other.kind || first.program != other.program ||
        first.blame.function == other.blame.function) {
      return std::nullopt;
    }
    std::set<std::uint64_t> calls;
    for (const std::size_t path : owner) {
      if (!has_caller(path)) {
        return std::nullopt;
      }
      calls.insert(outward(path, paths_[path].blame.depth));
    }
    std::vector<Culprit> frames;
    for (const std::size_t path : part) {
      const auto frame = frame_of(path, first.blame.function);
      if (!frame || !calls.contains(outward(path, frame->depth))) {
        return std::nullopt;
      }
      frames.push_back(*frame);
    }
    return frames;
  }

  // Each block of the owner came with as many blocks of the part.
  bool births_match(const Indices& part, const Indices& owner) {
    const Births of_part = births_of(part);
    const Births of_owner = births_of(owner);
    return of_part.size() == of_owner.size() &&
           std::all_of(of_part.begin(), of_part.end(), [&](const auto& one) {
             const auto other = of_owner.find(one.first);
             return other != of_owner.end() && in_ratio(one.second, other->second);
           });
  }

 private:
  [[nodiscard]] std::pair<std::size_t, std::uint32_t> place_of(std::size_t path) const {
    const rank::RankedSite& site = input_.ranked[paths_[path].members.front()];
    return {site.recording, input_.recordings[site.recording].sites[site.site].node};
  }

  std::vector<Culprit> culprits_of(std::size_t path) {
    const auto [recording, node] = place_of(path);
    return names_.culprits(recording, node, 2 * kMostCulprits);
  }

  bool has_caller(std::size_t path) {
    const std::vector<Culprit> culprits = culprits_of(path);
    return !culprits.empty() && culprits.back().depth > paths_[path].blame.depth;
  }

  // The outermost frame of the function, outward of the one that is blamed so far.
  std::optional<Culprit> frame_of(std::size_t path, std::uint64_t function) {
    std::optional<Culprit> found;
    for (const Culprit& culprit : culprits_of(path)) {
      if (culprit.function == function && culprit.depth >= paths_[path].blame.depth) {
        found = culprit;
      }
    }
    return found;
  }

  // The call stack outward of a node: equal for all that one call of its function does.
  [[nodiscard]] std::uint64_t outward(std::size_t path, std::uint32_t depth) const {
    auto [recording, node] = place_of(path);
    const std::vector<model::Node>& nodes = input_.recordings[recording].stacks.nodes;
    for (; depth > 0 && node != 0; --depth) {
      node = nodes[node].parent;
    }
    std::uint64_t key = 0;
    for (; node != 0; node = nodes[node].parent) {
      key = model::combine_keys(key, names_.instruction(recording, node));
    }
    return key;
  }

  [[nodiscard]] Births births_of(const Indices& cause) const {
    Births births;
    for (const std::size_t path : cause) {
      for (const std::size_t member : paths_[path].members) {
        const rank::RankedSite& ranked = input_.ranked[member];
        const auto& at = input_.recordings[ranked.recording].sites[ranked.site].at;
        std::vector<double>& sum = births[ranked.recording];
        sum.resize(at.size());
        for (std::size_t i = 0; i < at.size(); ++i) {
          sum[i] += static_cast<double>(at[i].allocated_blocks - at.front().allocated_blocks);
        }
      }
    }
    return births;
  }

  static bool in_ratio(const std::vector<double>& part, const std::vector<double>& owner) {
    if (owner.back() < kLeastBirths) {
      return false;
    }
    const double ratio = std::round(part.back() / owner.back());
    for (std::size_t i = 0; i < part.size(); ++i) {
      const double allowed = ratio * (kCalls + kSlack * owner[i]);
      if (ratio < 1 || std::abs(part[i] - ratio * owner[i]) > allowed) {
        return false;
      }
    }
    return true;
  }

  const Grouping& input_;
  NodeNames& names_;
  std::vector<Path>& paths_;
};

}  // namespace

void join_parts(const Grouping& input, NodeNames& names, std::vector<Path>& paths,
                std::vector<Indices>& causes) {
  if (causes.size() > kMostCauses) {
    return;
  }
  Parts parts(input, names, paths);
  for (Indices& part : causes) {
    for (Indices& owner : causes) {
      if (&owner == &part || owner.empty() || part.empty()) {
        continue;
      }
      const auto frames = parts.called_by(part, owner);
      if (!frames || !parts.births_match(part, owner)) {
        continue;
      }
      for (std::size_t i = 0; i < part.size(); ++i) {
        paths[part[i]].blame = (*frames)[i];
      }
      owner.insert(owner.end(), part.begin(), part.end());
      part.clear();
    }
  }
  std::erase_if(causes, [](const Indices& cause) { return cause.empty(); });
}

}  // namespace seep::report
