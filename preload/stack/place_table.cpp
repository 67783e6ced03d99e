#include "preload/stack/place_table.h"

#include <cstring>

#include "preload/runtime/arena.h"

namespace seep::stack {
namespace {

constinit std::atomic<PlaceTable*> g_published{nullptr};  // seq_cst with PlaceTable::readers
constinit std::atomic<PlaceTable*> g_tables{nullptr};     // all; release on push, acquire to walk

PlaceTable* new_table() {
  auto* table = static_cast<PlaceTable*>(runtime::map_pages(sizeof(PlaceTable)));
  if (table == nullptr) {
    return nullptr;
  }
  table->claimed.store(true, std::memory_order_relaxed);  // published by the push below
  table->next = g_tables.load(std::memory_order_relaxed);
  while (!g_tables.compare_exchange_weak(table->next, table, std::memory_order_release,
                                         std::memory_order_relaxed)) {
  }
  return table;
}

}  // namespace

void PlaceTable::add(const CodeRange& range) {
  if (count != 0) {
    CodeRange& last = ranges[count - 1];
    if (last.end == range.begin && last.load == range.load) {
      last.end = range.end;
      return;
    }
  }
  if (count < kMaxCodeRanges) {
    ranges[count++] = range;
  }
}

void PlaceTable::insert(const CodeRange& range) {
  const std::uint32_t at = first_ending_behind(range.begin);
  if (count == kMaxCodeRanges || (at < count && ranges[at].begin < range.end)) {
    return;
  }
  std::memmove(&ranges[at + 1], &ranges[at], (count - at) * sizeof(range));
  ranges[at] = range;
  ++count;
}

std::uint32_t PlaceTable::first_ending_behind(std::uint64_t address) const {
  std::uint32_t low = 0;
  std::uint32_t high = count;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (ranges[middle].end <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

const CodeRange* PlaceTable::find(std::uint64_t address) const {
  const std::uint32_t low = first_ending_behind(address);
  return low < count && ranges[low].begin <= address ? &ranges[low] : nullptr;
}

// A reader that was about to enter sees, after it has counted itself, that the table is no longer
// the published one, and turns away; so zero readers after the claim means that none will come.
PlaceTable* claim_table() {
  PlaceTable* table = g_tables.load(std::memory_order_acquire);
  for (; table != nullptr; table = table->next) {
    if (table->claimed.exchange(true, std::memory_order_acquire)) {
      continue;
    }
    if (table->readers.load() == 0) {
      table->count = 0;
      return table;
    }
    release_table(table);
  }
  return new_table();
}

void release_table(PlaceTable* table) {
  table->claimed.store(false, std::memory_order_release);
}

TableGuard::TableGuard() : table_(g_published.load()) {
  while (table_ != nullptr) {
    table_->readers.fetch_add(1);
    PlaceTable* now = g_published.load();
    if (now == table_) {
      return;
    }
    table_->readers.fetch_sub(1);
    table_ = now;
  }
}

TableGuard::~TableGuard() {
  if (table_ != nullptr) {
    table_->readers.fetch_sub(1);
  }
}

bool TableGuard::replace_by(PlaceTable* fresh) {
  PlaceTable* expected = table_;
  if (!g_published.compare_exchange_strong(expected, fresh)) {
    return false;
  }
  if (table_ != nullptr) {
    release_table(table_);
  }
  return true;
}

}  // namespace seep::stack
