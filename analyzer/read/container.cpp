#include "analyzer/read/container.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "format/checksum.h"

namespace seep::read {
namespace {

using format::FileHeader;
using format::SectionEntry;
using format::SectionId;

Error frame_error(const char* part, std::uint64_t offset, std::string what,
                  std::string advice = kDamagedAdvice) {
  return {.kind = ErrorKind::kBadInput,
          .file = "",
          .offset = offset,
          .section = part,
          .what = std::move(what),
          .advice = std::move(advice)};
}

// The checksum covers the header with the checksum's own field zero.
bool header_crc_is_right(const FileHeader& header, Bytes file) {
  const auto whole = file.slice(0, header.header_bytes);
  if (!whole || header.header_bytes < sizeof(FileHeader)) {
    return false;
  }
  constexpr std::size_t kField = offsetof(FileHeader, header_crc);
  constexpr std::size_t kAfter = kField + sizeof(header.header_crc);
  const std::uint32_t zero = 0;
  std::uint32_t crc = format::crc32(whole->data(), kField);
  crc = format::crc32(&zero, sizeof(zero), crc);
  crc = format::crc32(whole->data() + kAfter, whole->size() - kAfter, crc);
  return crc == header.header_crc;
}

// Whether a newer major version or damage explains a wrong checksum cannot be told: it may be
// computed in another way there.
Error newer_version(const FileHeader& header, bool crc_is_right) {
  return frame_error("header", offsetof(FileHeader, version_major),
                     fmt::format("written by a newer seep{}: version {}.{}, this one reads {}.x",
                                 crc_is_right ? "" : ", or damaged", header.version_major,
                                 header.version_minor, format::kVersionMajor),
                     "install a newer seep");
}

std::optional<Bytes> table_bytes(const FileHeader& header, Bytes file) {
  return file.slice(header.header_bytes,
                    std::uint64_t{header.section_count} * header.section_entry_bytes);
}

// A section that a minor version added is not in older files.
bool may_be_missing(SectionId id) {
  return id >= SectionId::kEstimates;
}

bool has_section(SectionId id, const std::vector<SectionEntry>& table) {
  return std::any_of(table.begin(), table.end(), [id](const SectionEntry& entry) {
    return entry.id == static_cast<std::uint32_t>(id);
  });
}

// The one section of this id.
Result<Section> only_section(SectionId id, const std::vector<SectionEntry>& table, Bytes file) {
  const auto number = static_cast<std::uint32_t>(id);
  const auto has_id = [&](const SectionEntry& entry) { return entry.id == number; };
  const auto found = std::find_if(table.begin(), table.end(), has_id);
  if (found == table.end()) {
    return Error{.kind = ErrorKind::kBadInput,
                 .file = "",
                 .offset = std::nullopt,
                 .section = section_name(number),
                 .what = "is missing",
                 .advice = kDamagedAdvice};
  }
  const auto again = std::find_if(found + 1, table.end(), has_id);
  if (again != table.end()) {
    return frame_error(section_name(number), again->offset, "comes twice");
  }
  return open_section(*found, file);
}

}  // namespace

const char* section_name(std::uint32_t id) {
  switch (static_cast<SectionId>(id)) {
    case SectionId::kProcess:
      return "process";
    case SectionId::kStrings:
      return "strings";
    case SectionId::kModules:
      return "modules";
    case SectionId::kNodes:
      return "nodes";
    case SectionId::kSites:
      return "sites";
    case SectionId::kAges:
      return "ages";
    case SectionId::kAccounting:
      return "accounting";
    case SectionId::kLosses:
      return "losses";
    case SectionId::kEstimates:
      return "estimates";
    case SectionId::kScan:
      return "scan";
    case SectionId::kUnreachable:
      return "unreachable";
    case SectionId::kChains:
      return "chains";
    case SectionId::kLinks:
      return "links";
    case SectionId::kScriptFrames:
      return "script frames";
    case SectionId::kHolderTexts:
      return "holder texts";
    case SectionId::kKept:
      return "kept";
  }
  return "unknown";
}

Error section_error(const Section& section, std::uint64_t offset, std::string what) {
  return frame_error(section.name(), section.offset + offset, std::move(what));
}

Result<FileHeader> parse_header(Bytes file) {
  if (file.size() < sizeof(FileHeader)) {
    return frame_error("header", 0,
                       fmt::format("the file is cut: {} bytes, the header alone has {}",
                                   file.size(), sizeof(FileHeader)));
  }
  return file.front<FileHeader>();
}

std::optional<Error> check_header(const FileHeader& header, Bytes file) {
  if (!std::equal(std::begin(format::kMagic), std::end(format::kMagic), header.magic)) {
    return frame_error("header", 0, "is not a seep snapshot", "give a snapshot-*.seep file");
  }
  const bool crc_is_right = header_crc_is_right(header, file);
  if (header.version_major > format::kVersionMajor) {
    return newer_version(header, crc_is_right);
  }
  if (!crc_is_right) {
    return frame_error("header", 0, "checksum does not match");
  }
  if (header.version_major < format::kVersionMajor) {
    return frame_error(
        "header", offsetof(FileHeader, version_major),
        fmt::format("version {}.{} is not known, this seep reads {}.x", header.version_major,
                    header.version_minor, format::kVersionMajor),
        "record again with this version");
  }
  if (header.section_entry_bytes < sizeof(SectionEntry)) {
    return frame_error("header", offsetof(FileHeader, section_entry_bytes),
                       fmt::format("section table entries of {} bytes, at least {} expected",
                                   header.section_entry_bytes, sizeof(SectionEntry)));
  }
  return std::nullopt;
}

std::optional<Error> check_length(const FileHeader& header, Bytes file) {
  if (file.size() < header.file_bytes) {
    return frame_error(
        "header", file.size(),
        fmt::format("the file is cut: {} of {} bytes", file.size(), header.file_bytes));
  }
  if (file.size() > header.file_bytes) {
    return frame_error(
        "header", header.file_bytes,
        fmt::format("{} bytes follow the end of the snapshot", file.size() - header.file_bytes));
  }
  return std::nullopt;
}

std::vector<SectionEntry> parse_table(const FileHeader& header, Bytes file) {
  std::vector<SectionEntry> entries;
  const std::uint32_t stride = header.section_entry_bytes;
  if (stride < sizeof(SectionEntry)) {
    return entries;
  }
  // Ends at the first entry outside the file, so a wrong count cannot make it long.
  for (std::uint64_t i = 0; i < header.section_count; ++i) {
    const auto entry = file.slice(header.header_bytes + i * stride, sizeof(SectionEntry));
    if (!entry) {
      break;
    }
    entries.push_back(entry->front<SectionEntry>());
  }
  return entries;
}

std::optional<Error> check_table(const FileHeader& header, Bytes file) {
  const auto table = table_bytes(header, file);
  if (!table) {
    return frame_error("table", header.header_bytes,
                       fmt::format("{} sections do not fit into the file", header.section_count));
  }
  if (format::crc32(table->data(), table->size()) != header.section_table_crc) {
    return frame_error("table", header.header_bytes, "checksum does not match");
  }
  return std::nullopt;
}

Result<Section> open_section(const SectionEntry& entry, Bytes file) {
  const auto bytes = file.slice(entry.offset, entry.bytes);
  if (!bytes) {
    return frame_error(section_name(entry.id), entry.offset,
                       fmt::format("{} bytes reach beyond the end of the file", entry.bytes));
  }
  const Section section{entry.id, entry.entry_bytes, entry.offset, *bytes};
  if (format::crc32(bytes->data(), bytes->size()) != entry.crc) {
    return section_error(section, 0, "checksum does not match");
  }
  if (entry.entry_bytes == 0) {
    return section_error(section, 0, "entries of 0 bytes");
  }
  return section;
}

Result<std::vector<Section>> read_sections(Bytes file, std::span<const SectionId> wanted) {
  const auto header = parse_header(file);
  if (!header) {
    return header.error();
  }
  for (const auto check : {check_header, check_length, check_table}) {
    if (auto error = check(*header, file)) {
      return *error;
    }
  }
  const std::vector<SectionEntry> table = parse_table(*header, file);
  std::vector<Section> sections;
  for (const SectionId id : wanted) {
    if (may_be_missing(id) && !has_section(id, table)) {
      sections.push_back({static_cast<std::uint32_t>(id), 1, 0, {}});
      continue;
    }
    auto section = only_section(id, table, file);
    if (!section) {
      return section.error();
    }
    sections.push_back(*section);
  }
  return sections;
}

}  // namespace seep::read
