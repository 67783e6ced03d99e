#include "analyzer/report/name_suspect.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "analyzer/report/blame.h"
#include "analyzer/report/frame_kind.h"
#include "analyzer/report/user_code.h"

namespace seep::report {
namespace {

// Beside the largest of each row, in all: with stacks of fifty frames, so many make 35 MB of JSON.
constexpr std::size_t kMostPaths = 2000;
constexpr std::size_t kMostPathsOfOne = 100;

}  // namespace

// The blamed frame is found from the outer end, which loses no frames but those of libseep.
model::SuspectPath SuspectNamer::path_of(const Path& path) {
  const rank::RankedSite& site = input_.ranked[path.members.front()];
  const model::Recording& recording = input_.recordings[site.recording];
  std::uint32_t node = recording.sites[site.site].node;
  model::ReportStack stack;
  std::size_t blamed = 0;
  for (std::uint32_t depth = 1; node != 0; ++depth) {
    const model::Node& here = recording.stacks.nodes[node];
    if (depth == path.blame.depth) {
      blamed = stack.size() + path.blame.inlined;
    }
    for (auto& frame : symbolizer_.frames(recording.stacks, here)) {
      stack.push_back(std::move(frame));
    }
    node = here.parent;
  }
  const auto outward = std::count_if(stack.begin() + static_cast<std::ptrdiff_t>(blamed),
                                     stack.end(), [](const auto& f) { return !is_seep_frame(f); });
  const bool of_pool = std::any_of(stack.begin(), stack.end(), [](const model::ReportFrame& frame) {
    return frame.function && frame.function->starts_with("seep_pool_alloc");
  });
  model::SuspectPath named{
      path.live_bytes, path.live_blocks, without_allocator(std::move(stack)), 0,
      std::nullopt,    of_pool};
  const bool is_known = path.blame.depth != 0 && outward > 0 &&
                        static_cast<std::size_t>(outward) <= named.stack.size();
  named.blame = is_known
                    ? static_cast<unsigned>(named.stack.size() - static_cast<std::size_t>(outward))
                    : blamed_frame(named.stack);
  named.user_frame = user_frame(named.stack, named.blame);
  return named;
}

// Script frames name themselves, so that all paths can be looked at.
void SuspectNamer::add_user_lines(model::Suspect& suspect, const Group& group) {
  for (const Path& path : group.paths) {
    const rank::RankedSite& site = input_.ranked[path.members.front()];
    const model::Recording& recording = input_.recordings[site.recording];
    const std::vector<model::Node>& nodes = recording.stacks.nodes;
    std::uint32_t node = recording.sites[site.site].node;
    for (std::uint32_t depth = 1; node != 0; ++depth, node = nodes[node].parent) {
      if (depth < path.blame.depth || nodes[node].language == model::Language::kNative) {
        continue;
      }
      const model::ReportFrame frame = symbolizer_.function(recording.stacks, nodes[node]);
      if (is_user_frame(frame)) {
        add_user_line(suspect.user_lines, frame, path.live_bytes, path.live_blocks);
        break;
      }
    }
  }
}

std::size_t SuspectNamer::paths_kept(const Group& group) const {
  if (options_.all_paths) {
    return group.paths.size();
  }
  const std::size_t left = paths_so_far_ < kMostPaths ? kMostPaths - paths_so_far_ : 0;
  const std::size_t more = group.leak ? std::min<std::size_t>(kMostPathsOfOne - 1, left) : 0;
  return std::min(group.paths.size(), 1 + more);
}

void SuspectNamer::name(model::Suspect& suspect, const Group& group) {
  model::SuspectPath largest = path_of(group.paths.front());
  suspect.stack = largest.stack;
  suspect.stack_key = group.paths.front().key ^ group.paths.front().program;
  suspect.blame = largest.blame;
  suspect.user_frame = largest.user_frame;
  if (group.leak) {
    add_user_lines(suspect, group);
  }
  if (options_.by_site) {
    suspect.id = site_id(suspect.kind, suspect.stack, suspect.blame, names_);
    return;
  }
  suspect.id = suspect_id(suspect.kind, suspect.stack, suspect.blame);
  suspect.paths.push_back(std::move(largest));
  const std::size_t kept = paths_kept(group);
  paths_so_far_ += kept - 1;
  for (std::size_t i = 1; i < kept; ++i) {
    suspect.paths.push_back(path_of(group.paths[i]));
  }
  suspect.paths_omitted = static_cast<unsigned>(group.paths.size() - kept);
}

void SuspectNamer::name_all_paths(model::Suspect& suspect, const Group& group) {
  if (suspect.sites != group.paths.size()) {
    return;  // lost trees were folded into it
  }
  for (std::size_t i = suspect.paths.size(); i < group.paths.size(); ++i) {
    suspect.paths.push_back(path_of(group.paths[i]));
  }
  suspect.paths_omitted = 0;
}

bool SuspectNamer::is_of(const model::Suspect& suspect, const Group& group) {
  const Path& largest = group.paths.front();
  return suspect.kind == largest.kind && suspect.stack_key == (largest.key ^ largest.program);
}

std::size_t make_ids_unique(std::vector<model::Suspect>& suspects) {
  std::set<std::string> given;
  // How many were made of one id and verdict: the next one need not try these again.
  std::map<std::pair<std::string, std::string>, unsigned> copies;
  std::size_t made = 0;
  for (model::Suspect& suspect : suspects) {
    if (given.insert(suspect.id).second) {
      continue;
    }
    const std::string id = suspect.id;
    unsigned& copy = copies[{id, suspect.verdict}];
    do {
      suspect.id = derived_id(id, suspect.verdict, copy++);
      ++made;
    } while (!given.insert(suspect.id).second);
  }
  return made;
}

}  // namespace seep::report
