#include "analyzer/report/count_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <string_view>
#include <tuple>

#include "analyzer/model/figures.h"
#include "analyzer/report/blame.h"
#include "analyzer/report/frame_kind.h"
#include "analyzer/report/lines.h"

namespace seep::report {
namespace {

using model::Recording;

// More ways than this are compared by the busiest of them: the work grows with the square.
constexpr std::size_t kMostWays = 400;
// Births that may be out of step in all, as a share: what is under way while a snapshot is taken.
constexpr double kSlack = 0.02;

// A way from the function to the allocator, whoever called the function.
struct Way {
  std::vector<double> births;  // ever, at each moment
  double alive = 0;            // at the end
  bool makes_room = false;     // in a container, which not each call that adds to it does
  std::size_t site = 0;        // one of those it is the inner part of

  [[nodiscard]] double total() const { return births.back() - births.front(); }
  // What a call takes for itself it gives back; what it leaves behind may be left by some calls
  // only.
  [[nodiscard]] bool is_given_back() const { return alive <= 0.1 * births.back(); }
  [[nodiscard]] double between(std::size_t i) const { return births[i] - births[i - 1]; }
};

bool is_frame_of(const model::ReportFrame& frame, const std::string& function) {
  const std::string bare = bare_name(frame);
  return bare == function || bare.ends_with("::" + function);
}

// What a container of libstdc++ or libc++ does when it is full.
constexpr std::string_view kRoomMakers[] = {"_M_realloc_insert",
                                            "_M_realloc_append",
                                            "_M_reallocate_map",
                                            "_M_push_back_aux",
                                            "_M_push_front_aux",
                                            "_M_rehash",
                                            "_M_default_append",
                                            "_M_fill_insert",
                                            "__push_back_slow_path",
                                            "__emplace_back_slow_path",
                                            "__append",
                                            "__rehash",
                                            "__add_back_capacity",
                                            "__add_front_capacity"};

bool makes_room(const model::ReportFrame& frame) {
  const std::string bare = bare_name(frame);
  const std::size_t scope = bare.rfind("::");
  const std::string_view name =
      std::string_view(bare).substr(scope == std::string::npos ? 0 : scope + 2);
  return std::ranges::find(kRoomMakers, name) != std::end(kRoomMakers);
}

// What stands at a node, possibly inlined.
struct Functions {
  bool counted = false;
  bool make_room = false;
};

std::vector<Functions> functions_at_nodes(const Recording& recording, const std::string& function,
                                          symbolize::Symbolizer& symbolizer) {
  std::map<std::pair<std::uint16_t, std::uint64_t>, Functions> places;
  std::vector<Functions> found(recording.stacks.nodes.size());
  for (std::size_t i = 1; i < found.size(); ++i) {
    const model::Node& node = recording.stacks.nodes[i];
    const auto [place, is_new] = places.try_emplace({node.module, node.offset});
    if (is_new) {
      for (const model::ReportFrame& frame : symbolizer.frames(recording.stacks, node)) {
        place->second.counted |= is_frame_of(frame, function);
        place->second.make_room |= makes_room(frame);
      }
    }
    found[i] = place->second;
  }
  return found;
}

// The frames of a stack from the innermost to the outermost one of the function.
struct Inward {
  std::vector<std::pair<std::uint16_t, std::uint64_t>> frames;
  unsigned times = 0;  // that the function stands in it
  bool makes_room = false;
};

Inward inward_of(const Recording& recording, std::uint32_t node,
                 const std::vector<Functions>& functions) {
  Inward inward;
  std::size_t length = 0;
  bool makes_room = false;
  for (std::uint32_t at = node; at != 0; at = recording.stacks.nodes[at].parent) {
    const model::Node& here = recording.stacks.nodes[at];
    inward.frames.emplace_back(here.module, here.offset);
    makes_room |= functions[at].make_room;
    if (functions[at].counted) {
      ++inward.times;
      length = inward.frames.size();
      inward.makes_room = makes_room;
    }
  }
  inward.frames.resize(length);
  return inward;
}

using Ways = std::map<std::vector<std::pair<std::uint16_t, std::uint64_t>>, Way>;

void add_births(Way& way, const model::SiteHistory& site) {
  way.births.resize(site.at.size());
  for (std::size_t i = 0; i < site.at.size(); ++i) {
    way.births[i] += static_cast<double>(site.at[i].allocated_blocks);
  }
  way.alive += static_cast<double>(site.at.back().live_blocks);
}

std::vector<Way> ways_of(const Recording& recording, const std::vector<Functions>& functions) {
  Ways once;
  Ways recursive;
  for (std::size_t i = 0; i < recording.sites.size(); ++i) {
    const model::SiteHistory& site = recording.sites[i];
    Inward inward = inward_of(recording, site.node, functions);
    if (inward.times == 0 || site.at.back().allocated_blocks == 0) {
      continue;
    }
    Way& way = (inward.times == 1 ? once : recursive)[std::move(inward.frames)];
    way.site = i;
    way.makes_room = inward.makes_room;
    add_births(way, site);
  }
  std::vector<Way> ways;
  for (auto& [frames, way] : once.empty() ? recursive : once) {
    ways.push_back(std::move(way));
  }
  return ways;
}

std::size_t busy_intervals(const Way& way) {
  std::size_t busy = 0;
  for (std::size_t i = 1; i < way.births.size(); ++i) {
    busy += way.between(i) > 0 ? 1 : 0;
  }
  return busy;
}

void keep_busiest(std::vector<Way>& ways) {
  std::stable_sort(ways.begin(), ways.end(), [](const Way& a, const Way& b) {
    return std::pair(busy_intervals(a), a.total()) > std::pair(busy_intervals(b), b.total());
  });
  ways.resize(std::min(ways.size(), kMostWays));
}

// Whether there are `times` births of `way` for each of `unit` between all snapshots.
bool keeps_step(const Way& way, const Way& unit, double times) {
  double out_of_step = 0;
  for (std::size_t i = 1; i < way.births.size(); ++i) {
    out_of_step += std::abs(way.between(i) - times * unit.between(i));
  }
  return out_of_step <= 2 * times + kSlack * way.total();
}

// How many ways make one birth for each of this one, and how many a whole number.
std::pair<std::size_t, std::size_t> in_step_with(const std::vector<Way>& ways, const Way& unit) {
  std::size_t once = 0;
  std::size_t often = 0;
  for (const Way& way : ways) {
    const double times = unit.total() > 0 ? std::round(way.total() / unit.total()) : 0;
    if (times >= 1 && keeps_step(way, unit, times)) {
      once += times == 1 ? 1 : 0;
      ++often;
    }
  }
  return {once, often};
}

const Way& once_a_call(const std::vector<Way>& ways) {
  const auto rank = [&](const Way& way) {
    const auto [once, often] = in_step_with(ways, way);
    return std::tuple(way.is_given_back(), !way.makes_room, once, often, busy_intervals(way),
                      -way.total());
  };
  const Way* best = &ways.front();
  auto best_rank = rank(*best);
  for (const Way& way : ways) {
    if (auto its = rank(way); its > best_rank) {
      best = &way;
      best_rank = its;
    }
  }
  return *best;
}

void set_units(Recording& recording, const Way& way) {
  for (std::size_t i = 0; i < recording.moments.size(); ++i) {
    recording.moments[i].units = static_cast<std::uint64_t>(way.births[i]);
  }
}

// What of the program the function calls there, or the function itself.
std::string place_of(const model::ReportStack& stack, const std::string& function) {
  std::size_t place = 0;
  for (std::size_t i = 0; i < stack.size(); ++i) {
    if (is_frame_of(stack[i], function)) {
      place = i == 0 || is_library_frame(stack[i - 1]) ? i : i - 1;
    }
  }
  return frame_text(stack[place]);
}

std::string sentence_of(const Recording& recording, const Way& way, const std::string& function,
                        symbolize::Symbolizer& symbolizer) {
  const model::ReportStack stack =
      without_allocator(symbolizer.stack(recording.stacks, recording.sites[way.site].node));
  return fmt::format("calls of {}, counted by the {} allocations in {}", function,
                     model::format_count(static_cast<std::uint64_t>(way.births.back())),
                     place_of(stack, function));
}

}  // namespace

std::optional<std::string> count_calls(std::vector<Recording>& recordings,
                                       const std::string& function,
                                       symbolize::Symbolizer& symbolizer) {
  std::optional<std::string> sentence;
  for (Recording& recording : recordings) {
    for (model::Moment& moment : recording.moments) {
      moment.units.reset();
    }
    std::vector<Way> ways = ways_of(recording, functions_at_nodes(recording, function, symbolizer));
    if (ways.empty()) {
      continue;
    }
    keep_busiest(ways);
    const Way& way = once_a_call(ways);
    set_units(recording, way);
    if (!sentence) {
      sentence = sentence_of(recording, way, function, symbolizer);
    }
  }
  return sentence;
}

}  // namespace seep::report
