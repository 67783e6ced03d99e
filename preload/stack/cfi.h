// Looks up the unwind rule of an address in .eh_frame_hdr and .eh_frame.
// Context: IN-HOOK. Pure reading of tables that must stay mapped during the call; every read is
// bounded by the segment, so that damaged tables give "no rule" and never a fault.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/stack/unwind_rule.h"

namespace seep::stack {

// The unwind tables of one loaded file, as run-time addresses. All null when it has none.
struct UnwindTables {
  const std::uint8_t* header;      // .eh_frame_hdr
  const std::uint8_t* frames;      // .eh_frame
  const std::uint8_t* frames_end;  // the end of the segment that holds it
  const std::uint8_t* table;       // the sorted search table of the header; null when there is none
  std::uint32_t table_entries;
};

// The bytes of .eh_frame_hdr before its table are never more than this.
inline constexpr std::size_t kHeaderBytes = 32;

// One segment of a loaded file.
struct ByteRange {
  std::uint64_t begin;
  std::uint64_t end;
};

// Finds the tables from a copy of the first bytes of .eh_frame_hdr. `section` is where it lies at
// run time; `segments` are the readable segments of the file, of which one must hold .eh_frame.
bool parse_header(const std::uint8_t (&copy)[kHeaderBytes], ByteRange section,
                  const ByteRange* segments, unsigned segment_count, UnwindTables& tables);

// The rule for the instruction at `pc` (for a return address: one less, inside the call).
// False when no entry covers it or the entry is damaged.
bool find_rule(const UnwindTables& tables, std::uint64_t pc, Rule& rule);

}  // namespace seep::stack
