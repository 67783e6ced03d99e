#include "tests/scenarios/scan/scan_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "format/losses.h"
#include "format/recording_layout.h"
#include "tests/scenarios/child.h"

namespace seep::scenarios {
namespace {

template <typename Record>
Record record_at(const std::string& data, std::size_t offset) {
  Record record;
  std::memcpy(&record, data.data() + offset, sizeof(record));
  return record;
}

template <typename Record>
std::vector<Record> records(const std::string& data, format::SectionId id) {
  std::vector<Record> found;
  const auto header = record_at<format::FileHeader>(data, 0);
  for (std::uint32_t i = 0; i < header.section_count; ++i) {
    const auto section =
        record_at<format::SectionEntry>(data, header.header_bytes + i * header.section_entry_bytes);
    if (section.id == static_cast<std::uint32_t>(id)) {
      for (std::size_t at = 0; at < section.bytes; at += section.entry_bytes) {
        found.push_back(record_at<Record>(data, section.offset + at));
      }
    }
  }
  return found;
}

ScanFile read_scan(const std::filesystem::path& path) {
  const std::string data = read_text(path);
  ScanFile file;
  const auto scans = records<format::ScanRecord>(data, format::SectionId::kScan);
  EXPECT_EQ(scans.size(), 1U) << path;
  file.scan = scans.empty() ? format::ScanRecord{} : scans[0];
  file.unreachable = records<format::UnreachableRecord>(data, format::SectionId::kUnreachable);
  file.sites = records<format::SiteRecord>(data, format::SectionId::kSites);
  const auto links = records<format::LinkRecord>(data, format::SectionId::kLinks);
  for (const auto& chain : records<format::ChainRecord>(data, format::SectionId::kChains)) {
    const auto begin = links.begin() + chain.links_begin;
    file.chains.push_back(
        {chain.site, chain.blocks, chain.sampled_blocks, {begin, begin + chain.links_count}});
  }
  const auto strings = records<char>(data, format::SectionId::kStrings);
  for (const auto& module : records<format::ModuleRecord>(data, format::SectionId::kModules)) {
    file.modules.emplace_back(strings.data() + module.path.offset, module.path.length);
  }
  for (const auto& loss : records<format::LossRecord>(data, format::SectionId::kLosses)) {
    if (loss.id == static_cast<std::uint32_t>(format::Loss::scans_failed)) {
      file.failed_scans = loss.count;
    }
  }
  return file;
}

template <typename Figure>
std::uint64_t sum(const std::vector<format::UnreachableRecord>& sites, Figure figure) {
  std::uint64_t sum = 0;
  for (const auto& site : sites) {
    sum += site.*figure;
  }
  return sum;
}

}  // namespace

std::uint64_t ScanFile::direct_bytes() const {
  return sum(unreachable, &format::UnreachableRecord::direct_bytes);
}
std::uint64_t ScanFile::indirect_bytes() const {
  return sum(unreachable, &format::UnreachableRecord::indirect_bytes);
}
std::uint64_t ScanFile::direct_blocks() const {
  return sum(unreachable, &format::UnreachableRecord::direct_blocks);
}
std::uint64_t ScanFile::indirect_blocks() const {
  return sum(unreachable, &format::UnreachableRecord::indirect_blocks);
}

std::vector<Chain> ScanFile::chains_of_size(std::uint64_t bytes) const {
  std::vector<Chain> found;
  for (const Chain& chain : chains) {
    const format::SiteRecord& site = sites.at(chain.site);
    if (site.live_blocks != 0 && site.live_bytes == bytes * site.live_blocks) {
      found.push_back(chain);
    }
  }
  EXPECT_FALSE(found.empty()) << "no chain for blocks of " << bytes << " bytes";
  return found;
}

std::vector<ScanFile> scans_of(const std::filesystem::path& recording) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(recording)) {
    if (entry.path().filename().string().starts_with(format::kScanPrefix)) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<ScanFile> scans;
  for (const auto& path : paths) {
    scans.push_back(read_scan(path));
  }
  return scans;
}

}  // namespace seep::scenarios
