#include "analyzer/export/profile.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "analyzer/model/stack_key.h"
#include "analyzer/report/frame_kind.h"

namespace seep::exporters {
namespace {

using model::Node;
using model::Recording;

bool is_zero(const model::Counters& counters) {
  return counters.live_bytes == 0 && counters.live_blocks == 0 && counters.allocated_bytes == 0 &&
         counters.allocated_blocks == 0;
}

// Places and mappings of all recordings; equal ones stand there once.
class Places {
 public:
  Places(Profile& profile, symbolize::Symbolizer& symbolizer)
      : profile_(profile), symbolizer_(symbolizer) {}

  // The nodes that follow are of these stacks.
  void enter(const model::Stacks& stacks) {
    stacks_ = &stacks;
    mapping_of_module_.clear();
    for (const model::Module& module : stacks.modules) {
      mapping_of_module_.push_back(mapping_of(module));
    }
    number_of_script_frame_.clear();
    for (const model::ScriptFrame& frame : stacks.script_frames) {
      number_of_script_frame_.push_back(number_of(frame));
    }
  }

  // The place of a node without frames of libseep; 0 where nothing else stands there.
  std::uint32_t of(const Node& node) {
    const Place place = node.language == model::Language::kNative ? native_place(node) : Place();
    const Key key = node.language == model::Language::kNative
                        ? Key{place.mapping, place.address, node.offset, node.heuristic}
                        : Key{0, 0, number_of_script_frame_[node.offset], false};
    const auto [entry, is_new] = known_.try_emplace(key, 0);
    if (is_new) {
      entry->second = add_named(place, node);
    }
    return entry->second;
  }

  // The same place without the allocator's frames at its inner end; 0 where no other stands there.
  std::uint32_t without_allocator(std::uint32_t place) {
    const auto [entry, is_new] = trimmed_.try_emplace(place, place);
    if (is_new) {
      const model::ReportStack& frames = profile_.places[place].frames;
      const auto kept = std::find_if_not(frames.begin(), frames.end(), report::is_allocator_frame);
      if (kept == frames.end()) {
        entry->second = 0;
      } else if (kept != frames.begin()) {
        Place copy = profile_.places[place];
        copy.frames.erase(copy.frames.begin(), copy.frames.begin() + (kept - frames.begin()));
        entry->second = add(std::move(copy));
      }
    }
    return entry->second;
  }

 private:
  using Key = std::tuple<std::uint32_t, std::uint64_t, std::uint64_t, bool>;
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return model::combine_keys(std::get<1>(key) + (std::get<3>(key) ? 1 : 0),
                                 std::get<2>(key) ^ (std::uint64_t{std::get<0>(key)} << 40U));
    }
  };

  // A return address is behind its call.
  Place native_place(const Node& node) const {
    const std::uint64_t address = stacks_->modules[node.module].base + node.offset;
    const bool is_behind_call = !node.exact_pc && node.offset != 0;
    return {{}, mapping_of_module_[node.module], is_behind_call ? address - 1 : address};
  }

  std::uint32_t add_named(Place place, const Node& node) {
    place.frames = symbolizer_.frames(*stacks_, node);
    std::erase_if(place.frames, report::is_seep_frame);
    return place.frames.empty() ? 0 : add(std::move(place));
  }

  // By its text: each recording has a table of its own.
  std::uint64_t number_of(const model::ScriptFrame& frame) {
    const auto text = std::tuple(frame.function, frame.file, frame.line, frame.language);
    return script_frames_.try_emplace(text, script_frames_.size()).first->second;
  }

  std::uint32_t mapping_of(const model::Module& module) {
    if (module.path.empty() && module.end == 0) {
      return 0;
    }
    const auto key = std::tuple(module.path, module.build_id, module.begin, module.end);
    const auto [entry, is_new] = mappings_.try_emplace(key, profile_.mappings.size());
    if (is_new) {
      profile_.mappings.push_back({module.path, module.build_id, module.begin, module.end});
    }
    return entry->second;
  }

  std::uint32_t add(Place place) {
    profile_.places.push_back(std::move(place));
    return static_cast<std::uint32_t>(profile_.places.size() - 1);
  }

  Profile& profile_;
  symbolize::Symbolizer& symbolizer_;
  const model::Stacks* stacks_ = nullptr;
  std::vector<std::uint32_t> mapping_of_module_;       // of stacks_
  std::vector<std::uint64_t> number_of_script_frame_;  // of stacks_
  std::unordered_map<Key, std::uint32_t, Hash> known_;
  std::unordered_map<std::uint32_t, std::uint32_t> trimmed_;
  std::map<std::tuple<std::string, std::string, std::uint64_t, std::uint64_t>, std::uint32_t>
      mappings_;
  std::map<std::tuple<std::string, std::string, std::uint32_t, model::Language>, std::uint64_t>
      script_frames_;
};

// Brings the stacks of one recording into the profile, each frame once.
class Importer {
  static constexpr std::uint32_t kUnknown = 0xFFFFFFFF;  // not imported yet

 public:
  Importer(Profile& profile, Places& places, const model::Stacks& stacks)
      : profile_(profile), places_(places), stacks_(stacks), nodes_(stacks.nodes.size(), kUnknown) {
    places_.enter(stacks);
  }

  // The stack of a site; one of allocator frames alone keeps its outermost frame.
  std::uint32_t stack(std::uint32_t node) {
    for (std::uint32_t at = import(node); at != 0; at = profile_.nodes[at].parent) {
      const ProfileNode here = profile_.nodes[at];
      const std::uint32_t place = places_.without_allocator(here.place);
      if (place == here.place || (place == 0 && here.parent == 0)) {
        return at;
      }
      if (place != 0) {
        return add({here.parent, place});
      }
    }
    return 0;
  }

 private:
  std::uint32_t import(std::uint32_t node) {
    chain_.clear();
    for (; node != 0 && nodes_[node] == kUnknown; node = stacks_.nodes[node].parent) {
      chain_.push_back(node);
    }
    std::uint32_t imported = node == 0 ? 0 : nodes_[node];
    for (auto at = chain_.rbegin(); at != chain_.rend(); ++at) {
      const std::uint32_t place = places_.of(stacks_.nodes[*at]);
      imported = place == 0 ? imported : add({imported, place});
      nodes_[*at] = imported;
    }
    return imported;
  }

  std::uint32_t add(ProfileNode node) {
    profile_.nodes.push_back(node);
    return static_cast<std::uint32_t>(profile_.nodes.size() - 1);
  }

  Profile& profile_;
  Places& places_;
  const model::Stacks& stacks_;
  std::vector<std::uint32_t> nodes_;
  std::vector<std::uint32_t> chain_;
};

// Recordings of several folders may have one id: all but the first are told by their path.
const std::string& unique_id(const Profile& profile, const Recording& recording) {
  const bool is_there =
      std::any_of(profile.processes.begin(), profile.processes.end(),
                  [&](const ProfileProcess& process) { return process.id == recording.id; });
  return is_there ? recording.path : recording.id;
}

bool is_kept(const model::SiteHistory& site, const Span& span, Keep keep) {
  if (keep == Keep::kOfAnyMoment) {
    return !std::all_of(site.at.begin(), site.at.end(), is_zero);
  }
  return !is_zero(site.at[span.at]) || (span.since && !is_zero(site.at[*span.since]));
}

void add_recording(Profile& profile, Places& places, const Recording& recording, const Span& span,
                   Keep keep) {
  const double since_s = span.since ? recording.moments[*span.since].time_s : 0;
  const auto process = static_cast<std::uint32_t>(profile.processes.size());
  profile.processes.push_back({unique_id(profile, recording), recording.process,
                               recording.moments[span.at].time_s, since_s});
  Importer importer(profile, places, recording.stacks);
  for (std::size_t i = 0; i < recording.sites.size(); ++i) {
    const model::SiteHistory& site = recording.sites[i];
    if (is_kept(site, span, keep)) {
      const model::Counters before = span.since ? site.at[*span.since] : model::Counters{};
      profile.samples.push_back(
          {importer.stack(site.node), process, site.kind, site.at[span.at], before, i});
    }
  }
}

}  // namespace

Profile build_profile(const std::vector<Recording>& recordings, const std::vector<Span>& spans,
                      symbolize::Symbolizer& symbolizer, Keep keep) {
  Profile profile;
  profile.mappings.emplace_back();
  profile.places.emplace_back();
  profile.nodes.emplace_back();
  Places places(profile, symbolizer);
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    add_recording(profile, places, recordings[i], spans[i], keep);
  }
  return profile;
}

std::optional<std::size_t> find_moment(const Recording& recording, const std::string& name,
                                       bool last) {
  std::uint32_t sequence = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), sequence);
  const bool is_number = error == std::errc() && end == name.data() + name.size();
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < recording.moments.size(); ++i) {
    if (is_number && recording.moments[i].sequence == sequence) {
      return i;
    }
    if (recording.moments[i].mark == name && (last || !found)) {
      found = i;
    }
  }
  return found;
}

}  // namespace seep::exporters
