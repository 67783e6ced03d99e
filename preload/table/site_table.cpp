#include "preload/table/site_table.h"

namespace seep::table {

std::uint32_t SiteTable::find_or_add(std::uint32_t node, format::SiteKind kind) {
  SitesOfNode* sites = of_node_.reach(node);
  if (sites == nullptr) {
    return kNone;
  }
  std::atomic<std::uint32_t>& slot = sites->id[static_cast<std::size_t>(kind)];
  std::uint32_t id = slot.load(std::memory_order_acquire);
  if (id != kNone) [[likely]] {
    return id;
  }
  if (used_.load(std::memory_order_relaxed) >= kMostSites) {
    return kNone;
  }
  // An id that finds no memory is never used again.
  const std::uint32_t fresh = used_.fetch_add(1, std::memory_order_relaxed) + 1;
  SiteEntry* entry = sites_.reach(fresh);
  if (entry == nullptr) {
    return kNone;
  }
  entry->node = node;
  entry->kind = static_cast<std::uint32_t>(kind);
  // A fresh entry that loses the race stays unused, with nothing ever allocated.
  return slot.compare_exchange_strong(id, fresh, std::memory_order_acq_rel,
                                      std::memory_order_acquire)
             ? fresh
             : id;
}

}  // namespace seep::table
