#include "analyzer/read/history.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "analyzer/model/stack_import.h"
#include "analyzer/model/stack_key.h"

namespace seep::read {
namespace {

using model::SiteHistory;

template <typename T, typename U, typename Same>
bool is_prefix(const std::vector<T>& shorter, const std::vector<U>& longer, Same same) {
  return shorter.size() <= longer.size() &&
         std::equal(shorter.begin(), shorter.end(), longer.begin(), same);
}

// One number for (stack, kind); as unlikely to collide as the keys of the stacks.
std::uint64_t site_key(std::uint64_t stack_key, model::SiteKind kind) {
  return stack_key + static_cast<std::uint64_t>(kind);
}

void add_moment(SiteHistory& history, const model::Site& site, const model::Snapshot& snapshot) {
  history.node = site.node;
  history.kind = site.kind;
  history.oldest_ms = site.oldest_ms;
  history.inherited_blocks = site.inherited_blocks;
  history.inherited_bytes = site.inherited_bytes;
  const auto first = snapshot.ages.begin() + site.ages_begin;
  history.ages.assign(first, first + site.ages_count);
  history.at.push_back(site.counters);
}

// A recording has estimates for all moments or for none.
void add_estimate(SiteHistory& history, const model::Estimate& estimate, model::Mode mode) {
  if (mode == model::Mode::kSample || !history.estimates.empty()) {
    history.estimates.resize(history.at.size() - 1);
    history.estimates.push_back(estimate);
  }
}

// The snapshot does not know the site any more: nothing of it is alive.
void add_moment_without(SiteHistory& history) {
  const model::Counters before = history.at.back();
  history.oldest_ms = 0;
  history.inherited_blocks = 0;
  history.inherited_bytes = 0;
  history.ages.clear();
  history.at.push_back({0, 0, before.allocated_bytes, before.allocated_blocks});
}

}  // namespace

bool same_frame(const model::Node& a, const model::Node& b) {
  return a.offset == b.offset && a.parent == b.parent && a.module == b.module;
}

bool same_script_frame(const model::ScriptFrame& a, const model::ScriptFrame& b) {
  return a.line == b.line && a.function == b.function && a.file == b.file &&
         a.language == b.language;
}

bool same_file(const model::Module& a, const model::Module& b) {
  return a.path == b.path && a.build_id == b.build_id;
}

bool same_image(const model::ProcessInfo& a, const model::ProcessInfo& b) {
  const auto identity = [](const model::ProcessInfo& process) {
    return std::tie(process.pid, process.start_ticks, process.image, process.run_id);
  };
  return identity(a) == identity(b);
}

bool HistoryBuilder::add(model::Snapshot snapshot) {
  if (!empty()) {
    const model::Moment& last = recording_.moments.back();
    if (!same_image(recording_.process, snapshot.process) ||
        snapshot.moment.sequence <= last.sequence || snapshot.moment.time_s < last.time_s) {
      return false;
    }
  }
  if (extended_by(snapshot)) {
    recording_.stacks = std::move(snapshot.stacks);
  } else {
    rematch(snapshot);
  }
  append_figures(snapshot);
  recording_.moments.push_back(std::move(snapshot.moment));
  recording_.process = std::move(snapshot.process);
  recording_.end = std::move(snapshot.end);
  recording_.losses = snapshot.losses;
  return true;
}

// Requests that the library counted are the units of work where the program counts none and nobody
// has marked any.
model::Recording HistoryBuilder::take() {
  std::vector<model::Moment>& moments = recording_.moments;
  const auto is_own = [](const model::Moment& moment) {
    return moment.units && !moment.units_are_requests;
  };
  const bool has_own = std::any_of(moments.begin(), moments.end(), is_own);
  for (model::Moment& moment : moments) {
    if (has_own && moment.units_are_requests) {
      moment.units.reset();
      moment.units_are_requests = false;
    } else if (moment.units_are_requests) {  // also where the program named a unit and counts none
      recording_.process.unit = "request";
    }
  }
  return std::move(recording_);
}

// The common case: within an image stacks and sites are only ever added.
bool HistoryBuilder::extended_by(const model::Snapshot& snapshot) const {
  const auto same_site = [](const SiteHistory& history, const model::Site& site) {
    return history.node == site.node && history.kind == site.kind;
  };
  return is_prefix(recording_.stacks.modules, snapshot.stacks.modules, same_file) &&
         is_prefix(recording_.stacks.script_frames, snapshot.stacks.script_frames,
                   same_script_frame) &&
         is_prefix(recording_.stacks.nodes, snapshot.stacks.nodes, same_frame) &&
         is_prefix(recording_.sites, snapshot.sites, same_site);
}

// Orders the histories as the snapshot orders its sites, by content; those it does not hold come
// after them, with their stacks.
void HistoryBuilder::rematch(const model::Snapshot& snapshot) {
  const std::vector<std::uint64_t> old_keys = model::stack_keys(recording_.stacks);
  const std::vector<std::uint64_t> new_keys = model::stack_keys(snapshot.stacks);
  std::unordered_multimap<std::uint64_t, std::size_t> unmatched;
  for (std::size_t i = 0; i < snapshot.sites.size(); ++i) {
    const model::Site& site = snapshot.sites[i];
    unmatched.emplace(site_key(new_keys[site.node], site.kind), i);
  }
  std::vector<SiteHistory> sites(snapshot.sites.size());
  model::Stacks stacks = snapshot.stacks;
  model::StackImporter importer(stacks, recording_.stacks);
  for (SiteHistory& history : recording_.sites) {
    const auto match = unmatched.find(site_key(old_keys[history.node], history.kind));
    if (match != unmatched.end()) {
      sites[match->second] = std::move(history);
      unmatched.erase(match);
    } else {
      history.node = importer.import(history.node);
      sites.push_back(std::move(history));
    }
  }
  recording_.stacks = std::move(stacks);
  recording_.sites = std::move(sites);
}

void HistoryBuilder::append_figures(const model::Snapshot& snapshot) {
  const std::size_t moments_before = recording_.moments.size();
  recording_.sites.resize(std::max(recording_.sites.size(), snapshot.sites.size()));
  for (std::size_t i = 0; i < recording_.sites.size(); ++i) {
    SiteHistory& history = recording_.sites[i];
    history.at.reserve(expected_);
    history.at.resize(moments_before);
    if (i < snapshot.sites.size()) {
      add_moment(history, snapshot.sites[i], snapshot);
      add_estimate(history, snapshot.sites[i].estimate, snapshot.process.mode);
    } else {
      add_moment_without(history);
      add_estimate(history, {}, snapshot.process.mode);
    }
  }
}

}  // namespace seep::read
