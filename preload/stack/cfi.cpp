#include "preload/stack/cfi.h"

#include <cstring>

#include "preload/stack/byte_cursor.h"
#include "preload/stack/cfa_program.h"

namespace seep::stack {
namespace {

// One record of .eh_frame: its length, its id field, and the cursor behind both.
struct Record {
  ByteCursor body;
  const std::uint8_t* id_position;
  std::uint32_t id;  // 0 for a CIE; for an FDE the distance from id_position back to its CIE
};

// Reads the record at `at`. False at the terminator, and for the 64-bit form, which no linker
// writes into .eh_frame.
bool read_record(const UnwindTables& tables, const std::uint8_t* at, Record& record) {
  if (at < tables.frames || at >= tables.frames_end) {
    return false;
  }
  ByteCursor cursor(at, tables.frames_end);
  const auto length = cursor.take<std::uint32_t>();
  if (!cursor.ok() || length < 4 || length > cursor.left()) {
    return false;
  }
  const std::uint8_t* id_position = cursor.position();
  ByteCursor body(id_position, id_position + length);
  const auto id = body.take<std::uint32_t>();
  record = {body, id_position, id};
  return true;
}

// Augmentation letters of a CIE, `z` first. Data of letters that are not needed is skipped by the
// length that `z` announces.
bool read_augmentation(const char* letters, ByteCursor& body, Cie& cie) {
  if (letters[0] == '\0') {
    return true;
  }
  if (letters[0] != 'z') {
    return false;
  }
  cie.has_augmentation = true;
  const std::uint64_t bytes = body.take_unsigned_leb();
  if (!body.ok() || bytes > body.left()) {
    return false;
  }
  ByteCursor data(body.position(), body.position() + bytes);
  body.skip(bytes);
  for (const char* letter = letters + 1; *letter != '\0'; ++letter) {
    if (*letter == 'R') {
      cie.pointer_encoding = data.take<std::uint8_t>();
    } else if (*letter == 'P') {  // the personality routine: only its size matters
      const auto encoding = data.take<std::uint8_t>();
      data.take_pointer(static_cast<std::uint8_t>(encoding & ~kEncodingIndirect), 0);
    } else if (*letter == 'L') {
      data.take<std::uint8_t>();
    } else if (*letter == 'S') {
      cie.signal_frame = true;
    } else {
      break;
    }
  }
  return data.ok();
}

bool read_cie(const UnwindTables& tables, const std::uint8_t* at, Cie& cie) {
  Record record{ByteCursor(at, at), at, 0};
  if (!read_record(tables, at, record) || record.id != 0) {
    return false;
  }
  ByteCursor& body = record.body;
  const auto version = body.take<std::uint8_t>();
  char letters[8];
  unsigned count = 0;
  do {
    letters[count] = static_cast<char>(body.take<std::uint8_t>());
  } while (letters[count] != '\0' && ++count < sizeof(letters));
  if ((version != 1 && version != 3) || count == sizeof(letters)) {
    return false;
  }
  cie = {};
  cie.code_alignment = body.take_unsigned_leb();
  cie.data_alignment = body.take_signed_leb();
  const std::uint64_t return_column =
      version == 1 ? body.take<std::uint8_t>() : body.take_unsigned_leb();
  if (!read_augmentation(letters, body, cie) || !body.ok() || return_column != kRip) {
    return false;
  }
  cie.program = body.position();
  cie.program_end = body.end();
  return true;
}

// Reads the FDE at `at`; false when it is none. `fde.begin` and `fde.end` bound the code it covers.
bool read_fde(const UnwindTables& tables, const std::uint8_t* at, Cie& cie, Fde& fde) {
  Record record{ByteCursor(at, at), at, 0};
  if (!read_record(tables, at, record) || record.id == 0 ||
      record.id > static_cast<std::size_t>(record.id_position - tables.frames) ||
      !read_cie(tables, record.id_position - record.id, cie)) {
    return false;
  }
  ByteCursor& body = record.body;
  fde.begin = body.take_pointer(cie.pointer_encoding, 0);
  const auto format = static_cast<std::uint8_t>(cie.pointer_encoding & 0x0f);
  fde.end = fde.begin + body.take_pointer(format, 0);
  if (cie.has_augmentation) {
    body.skip(body.take_unsigned_leb());
  }
  fde.program = body.position();
  fde.program_end = body.end();
  return body.ok() && fde.begin < fde.end;
}

struct TableEntry {
  std::int32_t code;   // relative to .eh_frame_hdr
  std::int32_t frame;  // the same
};

TableEntry entry_at(const UnwindTables& tables, std::uint32_t index) {
  TableEntry entry;
  std::memcpy(&entry, tables.table + std::size_t{index} * sizeof(entry), sizeof(entry));
  return entry;
}

// The last entry of the search table whose code does not lie above `pc`.
const std::uint8_t* search_table(const UnwindTables& tables, std::uint64_t pc) {
  const auto distance =
      static_cast<std::int64_t>(pc - reinterpret_cast<std::uint64_t>(tables.header));
  std::uint32_t low = 0;
  std::uint32_t high = tables.table_entries;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (entry_at(tables, middle).code <= distance) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low == 0 ? nullptr : tables.header + entry_at(tables, low - 1).frame;
}

bool find_fde(const UnwindTables& tables, std::uint64_t pc, Cie& cie, Fde& fde) {
  if (tables.table != nullptr) {
    const std::uint8_t* at = search_table(tables, pc);
    return at != nullptr && read_fde(tables, at, cie, fde) && fde.begin <= pc && pc < fde.end;
  }
  const std::uint8_t* at = tables.frames;
  Record record{ByteCursor(at, at), at, 0};
  while (read_record(tables, at, record)) {
    if (record.id != 0 && read_fde(tables, at, cie, fde) && fde.begin <= pc && pc < fde.end) {
      return true;
    }
    at = record.body.end();
  }
  return false;
}

const ByteRange* segment_with(const ByteRange* segments, unsigned count, std::uint64_t address) {
  for (unsigned i = 0; i < count; ++i) {
    if (segments[i].begin <= address && address < segments[i].end) {
      return &segments[i];
    }
  }
  return nullptr;
}

const std::uint8_t* as_bytes(std::uint64_t address) {
  return reinterpret_cast<const std::uint8_t*>(address);
}

}  // namespace

bool parse_header(const std::uint8_t (&copy)[kHeaderBytes], ByteRange section,
                  const ByteRange* segments, unsigned segment_count, UnwindTables& tables) {
  const std::uint64_t shift = section.begin - reinterpret_cast<std::uint64_t>(&copy[0]);
  ByteCursor cursor(copy, copy + kHeaderBytes, shift);
  const auto version = cursor.take<std::uint8_t>();
  const auto frame_encoding = cursor.take<std::uint8_t>();
  const auto count_encoding = cursor.take<std::uint8_t>();
  const auto table_encoding = cursor.take<std::uint8_t>();
  const std::uint64_t frames = cursor.take_pointer(frame_encoding, section.begin);
  const ByteRange* segment = segment_with(segments, segment_count, frames);
  const ByteRange* header_segment = segment_with(segments, segment_count, section.begin);
  if (version != 1 || !cursor.ok() || segment == nullptr || header_segment == nullptr) {
    return false;
  }
  tables = {};
  tables.header = as_bytes(section.begin);
  tables.frames = as_bytes(frames);
  tables.frames_end = as_bytes(segment->end);
  if (count_encoding == kEncodingOmit ||
      table_encoding != (kEncodingDataRelative | kEncodingSigned4)) {
    return true;
  }
  const std::uint64_t count = cursor.take_pointer(count_encoding, section.begin);
  const std::uint64_t table = section.begin + static_cast<std::uint64_t>(cursor.position() - copy);
  const std::uint64_t limit = section.end < header_segment->end ? section.end : header_segment->end;
  if (!cursor.ok() || table > limit || count > (limit - table) / sizeof(TableEntry)) {
    return true;
  }
  tables.table = as_bytes(table);
  tables.table_entries = static_cast<std::uint32_t>(count);
  return true;
}

bool find_rule(const UnwindTables& tables, std::uint64_t pc, Rule& rule) {
  Cie cie;
  Fde fde;
  return tables.frames != nullptr && find_fde(tables, pc, cie, fde) &&
         run_cfa_program(tables, cie, fde, pc, rule);
}

}  // namespace seep::stack
