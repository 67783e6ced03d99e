#include "analyzer/diff/diff.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "analyzer/diff/growth.h"
#include "analyzer/model/stack_import.h"
#include "analyzer/model/stack_key.h"

namespace seep::diff {
namespace {

using model::Recording;

// A site of one side under the name that both sides share.
struct KeyedSite {
  std::uint64_t key = 0;  // of its stack
  model::SiteKind kind = model::SiteKind::kHeap;
  bool is_new = false;
  std::uint32_t site = 0;
};

auto name_of(const KeyedSite& site) {
  return std::tie(site.key, site.kind);
}

void add_sites(const Recording& recording, bool is_new, std::vector<KeyedSite>& sites) {
  const std::vector<std::uint64_t> keys = model::stack_keys(recording.stacks);
  for (std::size_t i = 0; i < recording.sites.size(); ++i) {
    const model::SiteHistory& history = recording.sites[i];
    sites.push_back({keys[history.node], history.kind, is_new, static_cast<std::uint32_t>(i)});
  }
}

// The sites of both sides; those of one stack and kind stand together, old before new.
std::vector<KeyedSite> sorted_sites(const Recording& old_side, const Recording& new_side) {
  std::vector<KeyedSite> sites;
  sites.reserve(old_side.sites.size() + new_side.sites.size());
  add_sites(old_side, false, sites);
  add_sites(new_side, true, sites);
  std::sort(sites.begin(), sites.end(), [](const KeyedSite& a, const KeyedSite& b) {
    return std::tie(a.key, a.kind, a.is_new, a.site) < std::tie(b.key, b.kind, b.is_new, b.site);
  });
  return sites;
}

// One stack on both sides. A side may hold it more than once: a library that was loaded again has
// another module index there.
struct Match {
  std::vector<std::size_t> old_sites;
  std::vector<std::size_t> new_sites;
};

model::Change change_of(const Figures& before, const Figures& after, const model::DiffRow& row) {
  if (!before.present && after.present) {
    return model::Change::kAppeared;
  }
  if (before.present && !after.present) {
    return model::Change::kVanished;
  }
  const double sign = row.bytes != 0 ? row.bytes : row.blocks;
  return sign > 0 ? model::Change::kGrew : model::Change::kShrank;
}

class Comparer {
 public:
  Comparer(const Recording& old_side, const Recording& new_side, double warmup_s)
      : old_side_(old_side),
        new_side_(new_side),
        comparison_(choose_comparison(old_side, new_side, warmup_s)),
        old_stacks_(diff_.stacks, old_side.stacks),
        new_stacks_(diff_.stacks, new_side.stacks) {
    diff_.old_path = old_side.path;
    diff_.new_path = new_side.path;
    diff_.basis = comparison_.basis;
  }

  void add(const Match& match) {
    const Figures before = figures_of(old_side_, match.old_sites, comparison_.old_window);
    const Figures after = figures_of(new_side_, match.new_sites, comparison_.new_window);
    model::DiffRow row;
    row.bytes = after.bytes - before.bytes;
    row.blocks = after.blocks - before.blocks;
    if (row.bytes == 0 && row.blocks == 0) {
      return;
    }
    row.old_bytes = before.bytes;
    row.new_bytes = after.bytes;
    row.change = change_of(before, after, row);
    const bool is_new = !match.new_sites.empty();
    const model::SiteHistory& history = is_new ? new_side_.sites[match.new_sites.front()]
                                               : old_side_.sites[match.old_sites.front()];
    row.kind = history.kind;
    row.node = (is_new ? new_stacks_ : old_stacks_).import(history.node);
    diff_.rows.push_back(std::move(row));
  }

  // Largest first; equal rows stay in the order of their stacks' keys, which no run changes.
  model::Diff finish() {
    std::stable_sort(diff_.rows.begin(), diff_.rows.end(),
                     [](const model::DiffRow& a, const model::DiffRow& b) {
                       return std::make_tuple(std::abs(a.bytes), std::abs(a.blocks)) >
                              std::make_tuple(std::abs(b.bytes), std::abs(b.blocks));
                     });
    return std::move(diff_);
  }

 private:
  const Recording& old_side_;
  const Recording& new_side_;
  const Comparison comparison_;
  model::Diff diff_;
  model::StackImporter old_stacks_;
  model::StackImporter new_stacks_;
};

}  // namespace

model::Diff compare(const Recording& old_side, const Recording& new_side, double warmup_s) {
  const std::vector<KeyedSite> sites = sorted_sites(old_side, new_side);
  Comparer comparer(old_side, new_side, warmup_s);
  Match match;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    (sites[i].is_new ? match.new_sites : match.old_sites).push_back(sites[i].site);
    if (i + 1 == sites.size() || name_of(sites[i]) != name_of(sites[i + 1])) {
      comparer.add(match);
      match.old_sites.clear();
      match.new_sites.clear();
    }
  }
  return comparer.finish();
}

}  // namespace seep::diff
