#include "analyzer/report/accept.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "analyzer/model/printable.h"
#include "analyzer/report/frame_kind.h"
#include "analyzer/report/lines.h"
#include "analyzer/suppress/match.h"
#include "analyzer/suppress/parse.h"

namespace seep::report {
namespace {

using suppress::Suppression;

// A stack as suppressions see it; it refers to the stack and to the names.
std::vector<suppress::Frame> seen(const model::ReportStack& stack, BareNames& names) {
  std::vector<suppress::Frame> frames;
  frames.reserve(stack.size());
  for (const model::ReportFrame& frame : stack) {
    suppress::Frame& one = frames.emplace_back();
    one.module = frame.module;
    one.linkage = frame.linkage_name;
    one.line = frame.line.value_or(0);
    if (frame.function && !frame.nearest_symbol) {
      one.bare = names.of(frame);
      one.function = *frame.function;
    }
    if (frame.file) {
      one.file = *frame.file;
    }
  }
  return frames;
}

// How the memory that makes the suspect one is lost, in Valgrind's words.
unsigned kinds_of(const model::Suspect& suspect) {
  if (!suspect.unreachable_bytes) {
    return suppress::kAllKinds;
  }
  if (suspect.verdict != "unreachable" && *suspect.unreachable_bytes < suspect.live_bytes / 2) {
    return suppress::kPossible | suppress::kReachable;
  }
  const std::uint64_t direct =
      suspect.unreachable_direct_bytes.value_or(*suspect.unreachable_bytes);
  return (direct != 0 ? suppress::kDefinite : 0) |
         (*suspect.unreachable_bytes > direct ? suppress::kIndirect : 0);
}

bool was_lost_once(const model::Suspect& suspect) {
  return suspect.verdict == "unreachable" && !suspect.recurring &&
         suspect.behaviour != model::Behaviour::kGrowing;
}

const Suppression* find(const std::vector<Suppression>& suppressions,
                        const model::ReportStack& stack, unsigned kinds, bool lost_once,
                        BareNames& names) {
  const std::vector<suppress::Frame> frames = seen(stack, names);
  const auto found =
      std::find_if(suppressions.begin(), suppressions.end(), [&](const Suppression& suppression) {
        return (lost_once || !suppression.once_only) && matches(suppression, frames, kinds);
      });
  return found == suppressions.end() ? nullptr : &*found;
}

// One for each path that counts; empty when one of them has none.
std::vector<const Suppression*> find_all(const std::vector<Suppression>& suppressions,
                                         const model::Suspect& suspect, BareNames& names) {
  std::vector<const Suppression*> found;
  const unsigned kinds = kinds_of(suspect);
  const bool lost_once = was_lost_once(suspect);
  // A lost tree is accepted with its root. A row of one site has no paths.
  if (suspect.verdict == "unreachable" || suspect.paths.empty()) {
    const Suppression* root = find(suppressions, suspect.stack, kinds, lost_once, names);
    return root != nullptr ? std::vector{root} : found;
  }
  for (const model::SuspectPath& path : suspect.paths) {
    found.push_back(find(suppressions, path.stack, kinds, lost_once, names));
  }
  const bool all_match = std::find(found.begin(), found.end(), nullptr) == found.end();
  return all_match ? found : std::vector<const Suppression*>();
}

// `lines`: what was given before; two leaks of one function share theirs.
std::string suppression_text(const model::Suspect& suspect, std::set<std::string>& lines) {
  const std::string about =
      fmt::format("# {} {}: {}\n", suspect.id, suspect.verdict, blame_text(suspect));
  const model::ReportFrame* frame =
      suspect.blame < suspect.stack.size() ? &suspect.stack[suspect.blame] : nullptr;
  if (frame == nullptr || !frame->function || frame->nearest_symbol) {
    return about + "# no name to silence it by: install the symbols of the module\n";
  }
  // Whole, so that it does not hold for longer names. What cannot be printed was made a *.
  const std::string line = suppress::line_for(*frame->function);
  const std::string whole =
      fmt::format("leak:^{}$\n", model::printable(line.substr(sizeof("leak:") - 1)));
  return lines.insert(whole).second ? about + whole : about;
}

}  // namespace

const Suppression* find_suppression(const std::vector<Suppression>& suppressions,
                                    const model::ReportStack& stack, unsigned kinds) {
  BareNames names;
  return find(suppressions, stack, kinds, false, names);
}

std::vector<model::SuppressionUse> accept(const std::vector<Suppression>& suppressions,
                                          std::vector<model::Suspect>& suspects) {
  std::vector<model::SuppressionUse> uses;
  uses.reserve(suppressions.size());
  for (const Suppression& suppression : suppressions) {
    uses.push_back({suppression.name, suppression.file, suppression.line, 0, 0});
  }
  BareNames names;
  for (model::Suspect& suspect : suspects) {
    const auto found = find_all(suppressions, suspect, names);
    if (found.empty()) {
      continue;
    }
    suspect.suppressed_by = found.front()->name;
    suspect.leak = suspect.leak && !found.front()->once_only;
    for (const Suppression* each : std::set(found.begin(), found.end())) {
      model::SuppressionUse& use = uses[static_cast<std::size_t>(each - suppressions.data())];
      ++use.suspects;
      use.live_bytes += suspect.live_bytes;
    }
  }
  std::erase_if(uses, [](const auto& use) { return use.file.empty() && use.suspects == 0; });
  return uses;
}

void accept(const Baseline& baseline, std::vector<model::Suspect>& suspects) {
  for (model::Suspect& suspect : suspects) {
    if (suspect.leak && !suspect.suppressed_by && is_known(suspect, baseline)) {
      suspect.suppressed_by = "baseline " + baseline.name;
    }
  }
}

std::string suppressions_for(const model::Report& report) {
  std::string text;
  std::set<std::string> lines;
  for (const model::Suspect& suspect : report.suspects) {
    if (suspect.leak && !suspect.suppressed_by) {
      text += suppression_text(suspect, lines);
    }
  }
  return text;
}

}  // namespace seep::report
