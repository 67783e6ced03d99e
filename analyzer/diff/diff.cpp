#include "analyzer/diff/diff.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
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

bool has_match(const std::vector<KeyedSite>& sites) {
  return std::adjacent_find(sites.begin(), sites.end(), [](const KeyedSite& a, const KeyedSite& b) {
           return name_of(a) == name_of(b) && a.is_new != b.is_new;
         }) != sites.end();
}

// Empty strings for paths that stand for several files, such as a library that was replaced.
std::map<std::string, std::string> build_ids(const Recording& recording) {
  std::map<std::string, std::string> ids;
  for (const model::Module& module : recording.stacks.modules) {
    if (module.path.empty()) {
      continue;  // module 0 stands for none
    }
    const bool is_program = module.path == recording.process.exe;
    const auto [entry, is_new] = ids.try_emplace(is_program ? "" : module.path, module.build_id);
    if (!is_new && entry->second != module.build_id) {
      entry->second.clear();
    }
  }
  return ids;
}

// The program, wherever its file is, or a library of the same path.
bool was_rebuilt(const Recording& old_side, const Recording& new_side) {
  const std::map<std::string, std::string> before = build_ids(old_side);
  for (const auto& [path, id] : build_ids(new_side)) {
    const auto other = before.find(path);
    if (other != before.end() && !id.empty() && !other->second.empty() && other->second != id) {
      return true;
    }
  }
  return false;
}

// Stacks are named by build-ids and offsets, and another build has others for the same code.
model::MatchedBy match_of(const Recording& old_side, const Recording& new_side,
                          const std::vector<KeyedSite>& sites) {
  const bool two_sides = !old_side.sites.empty() && !new_side.sites.empty();
  return was_rebuilt(old_side, new_side) || (two_sides && !has_match(sites))
             ? model::MatchedBy::kFunction
             : model::MatchedBy::kOffset;
}

// Blocks that come and go make a rate of growth by chance; beyond so many standard deviations it
// is none.
constexpr double kSigmas = 2;

bool is_different(const model::DiffRow& row) {
  const bool by_chance =
      row.variance > 0 && !row.resized && std::abs(row.blocks) <= kSigmas * std::sqrt(row.variance);
  return !by_chance && (row.bytes != 0 || row.blocks != 0);
}

// Largest first; equal rows stay in the order they had.
void sort_rows(std::vector<model::DiffRow>& rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const model::DiffRow& a, const model::DiffRow& b) {
    return std::make_tuple(std::abs(a.bytes), std::abs(a.blocks)) >
           std::make_tuple(std::abs(b.bytes), std::abs(b.blocks));
  });
}

model::Change change_of(bool in_old, bool in_new, const model::DiffRow& row) {
  if (!in_old && in_new) {
    return model::Change::kAppeared;
  }
  if (in_old && !in_new) {
    return model::Change::kVanished;
  }
  const double sign = row.bytes != 0 ? row.bytes : row.blocks;
  return sign > 0 ? model::Change::kGrew : model::Change::kShrank;
}

class Comparer {
 public:
  Comparer(const Recording& old_side, const Recording& new_side, double warmup_s,
           model::MatchedBy matched_by)
      : old_side_(old_side),
        new_side_(new_side),
        comparison_(choose_comparison(old_side, new_side, warmup_s)),
        old_stacks_(diff_.stacks, old_side.stacks),
        new_stacks_(diff_.stacks, new_side.stacks) {
    diff_.old_path = old_side.path;
    diff_.new_path = new_side.path;
    diff_.basis = comparison_.basis;
    diff_.matched_by = matched_by;
  }

  void add(const Match& match) {
    const Figures before = figures_of(old_side_, match.old_sites, comparison_.old_window);
    const Figures after = figures_of(new_side_, match.new_sites, comparison_.new_window);
    model::DiffRow row;
    row.bytes = after.bytes - before.bytes;
    row.blocks = after.blocks - before.blocks;
    row.variance = before.variance + after.variance;
    row.resized = before.resized || after.resized;
    const bool may_merge =
        diff_.matched_by == model::MatchedBy::kFunction && (before.present || after.present);
    if (!is_different(row) && !may_merge) {
      return;
    }
    row.old_bytes = before.bytes;
    row.new_bytes = after.bytes;
    row.change = change_of(before.present, after.present, row);
    const bool is_new = !match.new_sites.empty();
    const model::SiteHistory& history = is_new ? new_side_.sites[match.new_sites.front()]
                                               : old_side_.sites[match.old_sites.front()];
    row.kind = history.kind;
    row.node = (is_new ? new_stacks_ : old_stacks_).import(history.node);
    diff_.rows.push_back(std::move(row));
  }

  // Rows were added in the order of their stacks' keys, which no run changes.
  model::Diff finish() {
    sort_rows(diff_.rows);
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

// `row` is the same code as `into`. The stack of the new side is the one to read.
void add_row(model::DiffRow& into, model::DiffRow& row) {
  using model::Change;
  const bool in_old = into.change != Change::kAppeared || row.change != Change::kAppeared;
  const bool in_new = into.change != Change::kVanished || row.change != Change::kVanished;
  if (into.change == Change::kVanished && row.change != Change::kVanished) {
    into.node = row.node;
    into.stack = std::move(row.stack);
  }
  into.bytes += row.bytes;
  into.blocks += row.blocks;
  into.old_bytes += row.old_bytes;
  into.new_bytes += row.new_bytes;
  into.variance += row.variance;
  into.resized = into.resized || row.resized;
  into.change = change_of(in_old, in_new, into);
}

// Rows of equal name become one; the largest of them gives the stack. Sorted.
template <typename NameOf>
void merge_equal(std::vector<model::DiffRow>& rows, NameOf name_of_row) {
  sort_rows(rows);
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const auto& a, const auto& b) { return name_of_row(a) < name_of_row(b); });
  std::vector<model::DiffRow> merged;
  for (model::DiffRow& row : rows) {
    if (!merged.empty() && name_of_row(merged.back()) == name_of_row(row)) {
      add_row(merged.back(), row);
    } else {
      merged.push_back(std::move(row));
    }
  }
  sort_rows(merged);
  rows = std::move(merged);
}

}  // namespace

model::Diff compare(const Recording& old_side, const Recording& new_side, double warmup_s) {
  const std::vector<KeyedSite> sites = sorted_sites(old_side, new_side);
  Comparer comparer(old_side, new_side, warmup_s, match_of(old_side, new_side, sites));
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

void merge_by_function(model::Diff& diff) {
  merge_equal(diff.rows,
              [](const model::DiffRow& row) { return std::tie(row.path_key, row.kind); });
  merge_equal(diff.rows, [](const model::DiffRow& row) { return std::tie(row.id, row.kind); });
  std::erase_if(diff.rows, [](const model::DiffRow& row) { return !is_different(row); });
}

}  // namespace seep::diff
