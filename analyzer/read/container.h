// The frame of a snapshot file: header, section table, and the bytes of each section. What the
// sections mean is read elsewhere (sections.h).
//
// Errors made here and by the section parsers leave Error::file empty; read_snapshot fills it in.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analyzer/model/result.h"
#include "analyzer/read/bytes.h"
#include "format/snapshot_format.h"

namespace seep::read {

inline constexpr char kDamagedAdvice[] = "the file is damaged; copy it again, or leave it out";

// "process", "strings", …; "unknown" for ids of a later minor version.
const char* section_name(std::uint32_t id);

// A section whose place in the file and checksum are right.
struct Section {
  std::uint32_t id = 0;
  std::uint32_t entry_bytes = 1;
  std::uint64_t offset = 0;  // from the start of the file
  Bytes bytes;

  [[nodiscard]] const char* name() const { return section_name(id); }
};

// About the byte at `offset` within the section.
Error section_error(const Section& section, std::uint64_t offset, std::string what);

// The entries of a section, or why they cannot be cut into `Record`s. Files of an earlier minor
// version have entries of `least` bytes.
template <typename Record>
Result<Records<Record>> records_of(const Section& section, std::uint32_t least = sizeof(Record)) {
  if (auto records = Records<Record>::of(section.bytes, section.entry_bytes, least)) {
    return *records;
  }
  return section_error(section, 0,
                       "entries of " + std::to_string(section.entry_bytes) + " bytes in " +
                           std::to_string(section.bytes.size()) + ", at least " +
                           std::to_string(least) + " expected");
}

// --- The steps, one by one: inspect.h goes on after a failure, read_sections does not.

// The header as it stands; an error only when the file is too short for one.
Result<format::FileHeader> parse_header(Bytes file);

// Checksum, version and sizes of the header.
std::optional<Error> check_header(const format::FileHeader& header, Bytes file);

// Whether the file has the length that its header gives.
std::optional<Error> check_length(const format::FileHeader& header, Bytes file);

// The entries of the section table that are inside the file.
std::vector<format::SectionEntry> parse_table(const format::FileHeader& header, Bytes file);

// Whether the table is inside the file, with the right checksum.
std::optional<Error> check_table(const format::FileHeader& header, Bytes file);

// The section of an entry, its bounds and checksum checked.
Result<Section> open_section(const format::SectionEntry& entry, Bytes file);

// --- All steps, for the sections that are wanted: they come in the order asked for. An error when
// one is missing or comes twice; one that a minor version added comes empty, with entries of one
// byte, when the file has none. What else the file holds is not looked at.
Result<std::vector<Section>> read_sections(Bytes file, std::span<const format::SectionId> wanted);

}  // namespace seep::read
