// Feeds the snapshot reader with arbitrary bytes: once as they are, and once with all checksums put
// right, since no mutation would come past them otherwise.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "analyzer/model/stack_key.h"
#include "analyzer/read/container.h"
#include "analyzer/read/read_bytes.h"
#include "format/checksum.h"

namespace seep::read {
namespace {

using format::FileHeader;
using format::SectionEntry;

template <typename Record>
void put(std::vector<unsigned char>& file, std::size_t offset, const Record& record) {
  std::memcpy(file.data() + offset, &record, sizeof(record));
}

void seal_sections(const FileHeader& header, std::vector<unsigned char>& file) {
  const Bytes bytes(file.data(), file.size());
  const std::vector<SectionEntry> table = parse_table(header, bytes);
  for (std::size_t i = 0; i < table.size(); ++i) {
    SectionEntry entry = table[i];
    if (const auto section = bytes.slice(entry.offset, entry.bytes)) {
      entry.crc = format::crc32(section->data(), section->size());
      put(file, header.header_bytes + i * header.section_entry_bytes, entry);
    }
  }
}

void seal_header(FileHeader header, std::vector<unsigned char>& file) {
  const Bytes bytes(file.data(), file.size());
  header.file_bytes = file.size();
  const std::uint64_t table_bytes =
      std::uint64_t{header.section_count} * header.section_entry_bytes;
  if (const auto table = bytes.slice(header.header_bytes, table_bytes)) {
    header.section_table_crc = format::crc32(table->data(), table->size());
  }
  header.header_crc = 0;
  put(file, 0, header);
  if (const auto whole = bytes.slice(0, header.header_bytes)) {
    header.header_crc = format::crc32(whole->data(), whole->size());
    put(file, 0, header);
  }
}

// Sections first: the table's checksum covers theirs, and the header's covers the table's.
void seal(std::vector<unsigned char>& file) {
  const auto header = parse_header(Bytes(file.data(), file.size()));
  if (!header || header->header_bytes < sizeof(FileHeader)) {
    return;
  }
  seal_sections(*header, file);
  seal_header(*header, file);
}

std::uint64_t use(const model::Scan& scan, const model::Snapshot& snapshot) {
  std::uint64_t sum = 0;
  for (const model::Unreachable& entry : scan.unreachable) {
    sum += snapshot.sites.at(entry.site).node + entry.blocks() + entry.bytes();
    if (entry.blocks() < entry.direct_blocks || entry.bytes() < entry.direct_bytes) {
      std::abort();  // wrapped around
    }
  }
  for (const model::Chain& chain : scan.chains) {
    sum += snapshot.sites.at(chain.site).node;
    for (std::uint32_t i = 0; i < chain.links_count && i < 64; ++i) {
      const model::Link& link = scan.links.at(std::size_t{chain.links_begin} + i);
      sum += snapshot.stacks.modules.at(link.module).base;
      sum += link.kind == format::LinkKind::kBlock ? snapshot.sites.at(link.site).node : 0;
    }
  }
  return sum;
}

// What a reader accepts must be safe to use: walks every index.
void use(const model::Snapshot& snapshot) {
  const std::vector<std::uint64_t> keys = model::stack_keys(snapshot.stacks);
  std::uint64_t sum = 0;
  for (const model::Site& site : snapshot.sites) {
    sum += keys.at(site.node) + site.freed_blocks();
    for (std::uint32_t i = 0; i < site.ages_count; ++i) {
      sum += snapshot.ages.at(site.ages_begin + i).blocks;
    }
  }
  sum += snapshot.scan ? use(*snapshot.scan, snapshot) : 0;
  [[maybe_unused]] static volatile std::uint64_t sink;
  sink = sum;
}

void read_and_use(const unsigned char* data, std::size_t size) {
  const auto snapshot = read_bytes(Bytes(data, size));
  if (snapshot) {
    use(*snapshot);
  } else if (snapshot.error().message().empty() || snapshot.error().what.empty()) {
    std::abort();  // an error without a sentence
  }
}

}  // namespace
}  // namespace seep::read

// The name is libFuzzer's. NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  seep::read::read_and_use(data, size);
  std::vector<unsigned char> file(data, data + size);
  seep::read::seal(file);
  seep::read::read_and_use(file.data(), file.size());
  return 0;
}
