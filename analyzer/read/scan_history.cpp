#include "analyzer/read/scan_history.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "analyzer/model/stack_import.h"
#include "analyzer/model/stack_key.h"
#include "analyzer/read/history.h"

namespace seep::read {
namespace {

using model::Recording;
using model::SiteHistory;
using model::Snapshot;

// What stands at the same place in both means the same.
template <typename T, typename U, typename Same>
bool agree(const std::vector<T>& a, const std::vector<U>& b, Same same) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(a.size(), b.size()));
  return std::equal(a.begin(), a.begin() + count, b.begin(), same);
}

// The common case: within an image stacks and sites are only ever added, so one of both extends the
// other.
bool same_numbers(const Recording& recording, const Snapshot& snapshot) {
  const auto same_site = [](const SiteHistory& history, const model::Site& site) {
    return history.node == site.node && history.kind == site.kind;
  };
  return agree(recording.stacks.modules, snapshot.stacks.modules, same_file) &&
         agree(recording.stacks.script_frames, snapshot.stacks.script_frames, same_script_frame) &&
         agree(recording.stacks.nodes, snapshot.stacks.nodes, same_frame) &&
         agree(recording.sites, snapshot.sites, same_site);
}

void append_site(Recording& recording, std::uint32_t node, model::SiteKind kind) {
  SiteHistory& history = recording.sites.emplace_back();
  history.node = node;
  history.kind = kind;
  history.at.resize(recording.moments.size());
  if (recording.process.mode == model::Mode::kSample) {
    history.estimates.resize(recording.moments.size());
  }
}

void extend(Recording& recording, Snapshot& snapshot) {
  model::Stacks& stacks = recording.stacks;
  if (snapshot.stacks.modules.size() > stacks.modules.size()) {
    stacks.modules = std::move(snapshot.stacks.modules);
  }
  if (snapshot.stacks.script_frames.size() > stacks.script_frames.size()) {
    stacks.script_frames = std::move(snapshot.stacks.script_frames);
  }
  if (snapshot.stacks.nodes.size() > stacks.nodes.size()) {
    stacks.nodes = std::move(snapshot.stacks.nodes);
  }
  for (std::size_t i = recording.sites.size(); i < snapshot.sites.size(); ++i) {
    append_site(recording, snapshot.sites[i].node, snapshot.sites[i].kind);
  }
}

// For each site of the snapshot the recording's, found by its stack, or a new one.
std::vector<std::uint32_t> matched_sites(Recording& recording, const Snapshot& snapshot) {
  const auto key_of = [](std::uint64_t stack_key, model::SiteKind kind) {
    return stack_key + static_cast<std::uint64_t>(kind);
  };
  const std::vector<std::uint64_t> known_keys = model::stack_keys(recording.stacks);
  const std::vector<std::uint64_t> keys = model::stack_keys(snapshot.stacks);
  std::unordered_map<std::uint64_t, std::uint32_t> known;
  for (std::uint32_t i = 0; i < recording.sites.size(); ++i) {
    const SiteHistory& site = recording.sites[i];
    known.try_emplace(key_of(known_keys[site.node], site.kind), i);
  }
  model::StackImporter importer(recording.stacks, snapshot.stacks);
  std::vector<std::uint32_t> sites;
  sites.reserve(snapshot.sites.size());
  for (const model::Site& site : snapshot.sites) {
    const auto [found, is_new] = known.try_emplace(key_of(keys[site.node], site.kind),
                                                   static_cast<std::uint32_t>(known.size()));
    if (is_new) {
      found->second = static_cast<std::uint32_t>(recording.sites.size());
      append_site(recording, importer.import(site.node), site.kind);
    }
    sites.push_back(found->second);
  }
  return sites;
}

// A module that cannot be added, since node indices have 16 bits for it, becomes none.
std::uint32_t module_of(model::Stacks& stacks, const model::Module& module) {
  const auto known =
      std::find_if(stacks.modules.begin(), stacks.modules.end(),
                   [&](const model::Module& candidate) { return same_file(candidate, module); });
  if (known != stacks.modules.end()) {
    return static_cast<std::uint32_t>(known - stacks.modules.begin());
  }
  if (stacks.modules.size() >= format::kScriptModule) {
    return 0;
  }
  stacks.modules.push_back(module);
  return static_cast<std::uint32_t>(stacks.modules.size() - 1);
}

// Several sites of the scan may have become one.
void renumber(model::Scan& scan, const std::vector<std::uint32_t>& sites) {
  for (model::Unreachable& entry : scan.unreachable) {
    entry.site = sites[entry.site];
  }
  std::stable_sort(scan.unreachable.begin(), scan.unreachable.end(),
                   [](const auto& a, const auto& b) { return a.site < b.site; });
  for (model::Kept& entry : scan.kept) {
    entry.site = sites[entry.site];
  }
  std::stable_sort(scan.kept.begin(), scan.kept.end(),
                   [](const auto& a, const auto& b) { return a.site < b.site; });
  for (model::Chain& chain : scan.chains) {
    chain.site = sites[chain.site];
  }
  std::stable_sort(scan.chains.begin(), scan.chains.end(),
                   [](const auto& a, const auto& b) { return a.site < b.site; });
}

void match(Recording& recording, Snapshot& snapshot) {
  model::Scan& scan = *snapshot.scan;
  const std::vector<std::uint32_t> sites = matched_sites(recording, snapshot);
  renumber(scan, sites);
  for (model::Link& link : scan.links) {
    if (link.kind == model::LinkKind::kGlobal) {
      link.module = module_of(recording.stacks, snapshot.stacks.modules[link.module]);
    } else if (link.kind == model::LinkKind::kBlock || link.site != 0) {
      link.site = sites[link.site];
    }
  }
}

}  // namespace

void add_scan(Recording& recording, Snapshot snapshot) {
  if (same_numbers(recording, snapshot)) {
    extend(recording, snapshot);
  } else {
    match(recording, snapshot);
  }
  recording.scans.push_back(std::move(*snapshot.scan));
}

}  // namespace seep::read
