// The executable mappings in ascending order: an immutable array, replaced as a whole.
// Context: IN-HOOK, any thread, signal handlers too. Lock-free. A table belongs to the thread that
// claimed it until it is published; it is filled again only when nobody reads it. A thread that is
// stopped while it reads keeps one table from being used again and delays nobody.
#pragma once

#include <atomic>
#include <cstdint>

namespace seep::stack {

struct Load;

struct CodeRange {
  std::uint64_t begin;
  std::uint64_t end;
  const Load* load;  // null: code of no file, as a JIT writes it
};

inline constexpr std::uint32_t kMaxCodeRanges = 16384;

struct PlaceTable {
  std::atomic<std::uint32_t> readers;  // seq_cst with the published pointer: see TableGuard
  std::atomic<bool> claimed;           // published or being filled; acquire/release
  PlaceTable* next;                    // all tables there are; immutable
  std::uint32_t count;
  CodeRange ranges[kMaxCodeRanges];

  // Appends at the end; adjacent ranges of the same load become one. Ranges beyond the capacity
  // are left out.
  void add(const CodeRange& range);
  // Puts it where it belongs by its address; nothing where it would overlap another.
  void insert(const CodeRange& range);
  // The range with `address` in it, or null.
  [[nodiscard]] const CodeRange* find(std::uint64_t address) const;

 private:
  [[nodiscard]] std::uint32_t first_ending_behind(std::uint64_t address) const;
};

// An empty table of the calling thread; null when there is no memory.
PlaceTable* claim_table();
// Gives back a table that was not published.
void release_table(PlaceTable* table);

// The published table, which stays as it is while the guard lives.
class TableGuard {
 public:
  TableGuard();
  ~TableGuard();
  TableGuard(const TableGuard&) = delete;
  TableGuard& operator=(const TableGuard&) = delete;

  // Null before the first publication.
  [[nodiscard]] const PlaceTable* table() const { return table_; }
  // Publishes `fresh` in place of the guarded table; false when another thread was first.
  bool replace_by(PlaceTable* fresh);

 private:
  PlaceTable* table_;
};

}  // namespace seep::stack
