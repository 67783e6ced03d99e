#include "analyzer/report/scans.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "analyzer/rank/unreachable.h"
#include "analyzer/rank/why_unreachable.h"
#include "analyzer/report/conclude.h"
#include "analyzer/report/frame_kind.h"

namespace seep::report {
namespace {

using model::Recording;
using model::Suspect;
using rank::Lost;
using rank::RankedSite;

// Of all members together; unset where no complete scan knows.
std::optional<Lost> lost_of(const Members& members) {
  std::optional<Lost> sum;
  for (const RankedSite* member : members) {
    if (!member->lost) {
      continue;
    }
    if (sum) {
      sum->add(*member->lost);
    } else {
      sum = member->lost;
    }
  }
  return sum;
}

// --- Trees

using Place = std::pair<std::size_t, std::size_t>;  // recording and site

class Folding {
 public:
  Folding(std::vector<Suspect>& suspects, std::vector<Members>& members)
      : suspects_(suspects), members_(members) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      for (const RankedSite* member : members_[i]) {
        suspect_at_[{member->recording, member->site}] = i;
      }
    }
  }

  // The suspect whose lost blocks lead to those of suspect `i`, when there is one.
  [[nodiscard]] std::optional<std::size_t> owner_of(std::size_t i) const {
    const RankedSite* heaviest = nullptr;
    for (const RankedSite* member : members_[i]) {
      if (!member->lost || member->lost->blocks == 0) {
        continue;
      }
      if (!member->lost->lost_with) {
        return std::nullopt;
      }
      if (heaviest == nullptr || member->lost->bytes > heaviest->lost->bytes) {
        heaviest = member;
      }
    }
    if (heaviest == nullptr) {
      return std::nullopt;
    }
    const auto owner = suspect_at_.find({heaviest->recording, *heaviest->lost->lost_with});
    return owner != suspect_at_.end() && owner->second != i ? std::optional(owner->second)
                                                            : std::nullopt;
  }

  void fold() {
    std::vector<bool> folded(suspects_.size());
    for (std::size_t i = 0; i < suspects_.size(); ++i) {
      const auto owner = owner_of(i);
      const auto lost = lost_of(members_[i]);
      if (owner && lost && lost->is_whole() && !owner_of(*owner)) {
        merge(*owner, i);
        folded[i] = true;
      }
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < suspects_.size(); ++i) {
      if (!folded[i]) {
        if (kept != i) {
          suspects_[kept] = std::move(suspects_[i]);
          members_[kept] = std::move(members_[i]);
        }
        ++kept;
      }
    }
    suspects_.resize(kept);
    members_.resize(kept);
  }

 private:
  static void add(std::optional<double>& to, const std::optional<double>& from) {
    if (from) {
      to = to.value_or(0) + *from;
    }
  }

  static void add(std::optional<model::Range>& to, const std::optional<model::Range>& from) {
    if (to && from) {
      to = model::Range{to->low + from->low, to->high + from->high};
    }
  }

  static void add_growth(Suspect& to, const Suspect& from) {
    add(to.growth_bytes_per_s, from.growth_bytes_per_s);
    add(to.growth_range, from.growth_range);
    if (from.growth_from_s) {
      to.growth_from_s =
          std::min(to.growth_from_s.value_or(*from.growth_from_s), *from.growth_from_s);
    }
    add(to.growth_bytes_per_unit, from.growth_bytes_per_unit);
    add(to.growth_per_unit_range, from.growth_per_unit_range);
    add(to.growth_blocks_per_unit, from.growth_blocks_per_unit);
  }

  // The stack stays that of what is lost directly: it is where the tree was let go.
  void merge(std::size_t owner, std::size_t follower) {
    Suspect& to = suspects_[owner];
    Suspect& from = suspects_[follower];
    to.live_bytes += from.live_bytes;
    to.live_blocks += from.live_blocks;
    to.allocated_blocks += from.allocated_blocks;
    to.freed_blocks += from.freed_blocks;
    to.oldest_s = std::max(to.oldest_s, from.oldest_s);
    to.sites += from.sites;
    to.paths_omitted += from.paths_omitted;
    add_growth(to, from);
    for (std::size_t i = 0; i < to.series_bytes.size(); ++i) {
      to.series_bytes[i] += from.series_bytes[i];
      to.series_blocks[i] += from.series_blocks[i];
    }
    to.members.insert(to.members.end(), from.members.begin(), from.members.end());
    std::move(from.paths.begin(), from.paths.end(), std::back_inserter(to.paths));
    std::stable_sort(to.paths.begin(), to.paths.end(),
                     [](const auto& a, const auto& b) { return a.live_bytes > b.live_bytes; });
    members_[owner].insert(members_[owner].end(), members_[follower].begin(),
                           members_[follower].end());
  }

  std::vector<Suspect>& suspects_;
  std::vector<Members>& members_;
  std::map<Place, std::size_t> suspect_at_;
};

// --- Verdicts

// Every block that the sites ever made has the same size.
bool is_one_size(const Members& members, const std::vector<Recording>& recordings) {
  std::uint64_t size = 0;
  for (const RankedSite* member : members) {
    const model::Counters& last = recordings[member->recording].sites[member->site].at.back();
    const std::uint64_t blocks = last.allocated_blocks;
    const std::uint64_t each = blocks == 0 ? 0 : last.allocated_bytes / blocks;
    if (blocks == 0 || last.allocated_bytes % blocks != 0 || (size != 0 && each != size)) {
      return false;
    }
    size = each;
  }
  return size != 0;
}

void judge(Suspect& suspect, const Members& members, const std::vector<Recording>& recordings) {
  const std::optional<Lost> lost = lost_of(members);
  if (!lost) {
    return;
  }
  suspect.unreachable_bytes = lost->bytes;
  suspect.unreachable_blocks = lost->blocks;
  suspect.unreachable_direct_bytes = lost->direct_bytes;
  suspect.unreachable_direct_blocks = lost->direct_blocks;
  suspect.recurring = lost->blocks > 0 && lost->recurs;
  const bool grows = suspect.behaviour == model::Behaviour::kGrowing;
  if (rank::loss_matters(*lost, grows)) {
    suspect.verdict = "unreachable";
    suspect.why = rank::why_unreachable(*lost, is_one_size(members, recordings)) +
                  (grows ? "; " + suspect.why : std::string());
  }
}

// What could not be folded names the suspect that it hangs on.
void name_owner(Suspect& suspect, const Suspect& owner) {
  if (suspect.verdict != "unreachable" || owner.blame >= owner.stack.size()) {
    return;
  }
  const std::string function = bare_name(owner.stack[owner.blame]);
  if (!function.empty()) {
    suspect.why += fmt::format("; lost with blocks from {}", function);
  }
}

// A few blocks that are still held do not tell who let go of the others.
bool is_held(const Members& members) {
  const std::optional<Lost> lost = lost_of(members);
  return !lost || !lost->is_whole();
}

const model::Scan* scan_to_tell_of(const Recording& recording) {
  if (const model::Scan* complete = rank::last_complete_scan(recording)) {
    return complete;
  }
  return recording.scans.empty() ? nullptr : &recording.scans.back();
}

}  // namespace

void add_scans(std::vector<Suspect>& suspects, std::vector<Members> members, bool fold,
               const std::vector<Recording>& recordings, symbolize::Symbolizer& symbolizer) {
  Folding folding(suspects, members);
  if (fold) {
    folding.fold();
  }
  for (std::size_t i = 0; i < suspects.size(); ++i) {
    judge(suspects[i], members[i], recordings);
    suspects[i].held_by = is_held(members[i]) ? held_by(members[i], recordings, symbolizer)
                                              : std::vector<model::Holder>();
  }
  const Folding left(suspects, members);
  for (std::size_t i = 0; i < suspects.size(); ++i) {
    if (const auto owner = left.owner_of(i)) {
      name_owner(suspects[i], suspects[*owner]);
    }
  }
}

void add_scan_totals(model::Report& report, const std::vector<Recording>& recordings) {
  bool all_complete = true;
  for (const Recording& recording : recordings) {
    if (const model::Scan* scan = rank::last_complete_scan(recording)) {
      report.totals.unreachable_bytes = rank::add_capped(
          report.totals.unreachable_bytes.value_or(0), rank::unreachable_bytes(*scan));
    } else {
      all_complete = false;
    }
  }
  const model::Scan* scan = scan_to_tell_of(main_recording(recordings));
  if (scan == nullptr) {
    return;
  }
  report.scan = model::ReportScan{scan->when, all_complete, std::nullopt};
  if (!scan->complete) {
    report.scan->why_not = model::meaning_of(scan->problem);
  } else if (!all_complete) {
    report.scan->why_not = "not every process was scanned to the end";
  }
}

}  // namespace seep::report
