#include "analyzer/read/inspect.h"

#include <utility>

#include "analyzer/read/container.h"
#include "analyzer/read/load_file.h"
#include "analyzer/read/read_bytes.h"

namespace seep::read {
namespace {

SectionInfo describe(const format::SectionEntry& entry) {
  SectionInfo info;
  info.id = entry.id;
  info.name = section_name(entry.id);
  info.offset = entry.offset;
  info.bytes = entry.bytes;
  info.entry_bytes = entry.entry_bytes;
  info.entries = entry.entry_bytes == 0 ? 0 : entry.bytes / entry.entry_bytes;
  return info;
}

void inspect_frame(const format::FileHeader& header, Bytes file, FileInfo& info) {
  for (const auto check : {check_header, check_length, check_table}) {
    if (auto error = check(header, file)) {
      info.problems.push_back(std::move(*error));
    }
  }
}

void inspect_sections(const format::FileHeader& header, Bytes file, FileInfo& info) {
  for (const format::SectionEntry& entry : parse_table(header, file)) {
    SectionInfo section = describe(entry);
    if (auto opened = open_section(entry, file)) {
      section.crc_ok = true;
    } else {
      info.problems.push_back(opened.error());
    }
    info.sections.push_back(std::move(section));
  }
}

}  // namespace

Result<FileInfo> inspect(const std::string& path) {
  const auto file = load_file(path);
  if (!file) {
    return file.error();
  }
  const Bytes bytes = file->bytes();
  auto header = parse_header(bytes);
  if (!header) {
    Error error = header.error();
    error.file = path;
    return error;
  }
  FileInfo info;
  info.file = path;
  info.version_major = header->version_major;
  info.version_minor = header->version_minor;
  info.file_bytes = bytes.size();
  info.expected_bytes = header->file_bytes;
  inspect_frame(*header, bytes, info);
  inspect_sections(*header, bytes, info);
  if (info.intact()) {
    if (const auto snapshot = read_bytes(bytes); !snapshot) {
      info.problems.push_back(snapshot.error());
    }
  }
  for (Error& problem : info.problems) {
    problem.file = path;
  }
  return info;
}

}  // namespace seep::read
