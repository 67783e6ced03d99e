// What scans for unreachable memory say of the ranked sites: which lose memory, whether that is a
// leak, and the sentence that says why. docs/reachability.md explains the rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "analyzer/model/recording.h"

namespace seep::rank {

struct RankedSite;

// The part of a site, or of several that are one cause, that no pointer leads to: at the last
// complete scan of each recording.
struct Lost {
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;
  std::uint64_t direct_blocks = 0;  // those that no other lost block points to
  std::uint64_t direct_bytes = 0;
  std::uint64_t live_bytes = 0;  // of the site, at that scan
  std::uint64_t oldest_ms = 0;   // age of its oldest live block then
  bool at_exit = false;          // the scan was made as the program ended: it is lost for good
  bool recurs = false;           // became more from scan to scan, or was made over and over
  bool is_leak = false;          // by itself, whatever the behaviour of the site
  // The site whose lost blocks alone lead to these (an index into Recording::sites): the tree is
  // one leak, and that site's.
  std::optional<std::uint32_t> lost_with;

  // Nearly all that was alive.
  [[nodiscard]] bool is_whole() const;
  // Sums, and what holds for either.
  void add(const Lost& other);
};

// The last complete scan; null when there is none: then nothing is known of unreachable memory.
const model::Scan* last_complete_scan(const model::Recording& recording);

// A sum that stops at the largest number: hostile figures must not wrap around to small ones.
std::uint64_t add_capped(std::uint64_t a, std::uint64_t b);

// Of all sites.
std::uint64_t unreachable_bytes(const model::Scan& scan);

// Whether that scan found unreachable blocks of the site (an index into Recording::sites).
bool was_lost(const model::Recording& recording, std::uint32_t site);

// Sets RankedSite::lost of every site of a recording with a complete scan, and RankedSite::leak:
// what is lost and recurs, or is lost for good, is a leak; growth that is lost with the blocks of
// another site is that site's leak. `ranked` holds all sites that are used or lost.
void judge_unreachable(const std::vector<model::Recording>& recordings,
                       std::vector<RankedSite>& ranked);

// Whether what is lost says more than the behaviour: the verdict is `unreachable` then. `grows`:
// the behaviour is.
bool loss_matters(const Lost& lost, bool grows);

}  // namespace seep::rank
