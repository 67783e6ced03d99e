#include "tests/support/snapshot_builder.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "format/checksum.h"
#include "format/recording_layout.h"
#include "tests/support/temporary_directory.h"

namespace seep::test {
namespace {

template <typename Record>
void append(std::string& bytes, const Record& record) {
  bytes.append(reinterpret_cast<const char*>(&record), sizeof(record));
}

template <typename Record>
Record record_at(const std::string& bytes, std::size_t offset) {
  Record record;
  if (offset + sizeof(record) > bytes.size()) {
    throw std::runtime_error("record is outside the file");
  }
  std::memcpy(&record, bytes.data() + offset, sizeof(record));
  return record;
}

std::size_t aligned(std::size_t offset) {
  return (offset + format::kSectionAlignment - 1) / format::kSectionAlignment *
         format::kSectionAlignment;
}

std::uint32_t id_of(format::SectionId id) {
  return static_cast<std::uint32_t>(id);
}

// The strings section while it grows.
class Strings {
 public:
  format::StringRef add(const std::string& text) {
    const format::StringRef ref{static_cast<std::uint32_t>(bytes_.size()),
                                static_cast<std::uint32_t>(text.size())};
    bytes_ += text;
    return ref;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

std::string process_bytes(const SnapshotBuilder& builder, Strings& strings) {
  format::ProcessRecord record = builder.process;
  std::string command;
  for (const std::string& argument : builder.command) {
    command += argument + '\0';
  }
  record.exe = strings.add(builder.exe);
  record.command = strings.add(command);
  record.host = strings.add(builder.host);
  record.mark = strings.add(builder.mark);
  record.end_function = strings.add(builder.end_function);
  record.unit = strings.add(builder.unit);
  std::string bytes;
  append(bytes, record);
  return bytes;
}

format::SiteRecord site_record(const SiteDescription& site, std::uint32_t node) {
  format::SiteRecord record{};
  record.node = node;
  record.kind = static_cast<std::uint32_t>(site.kind);
  const auto born = [](std::uint64_t allocated, std::uint64_t live, std::uint64_t inherited) {
    return std::max(allocated, live - std::min(live, inherited));
  };
  record.allocated_blocks = born(site.allocated_blocks, site.live_blocks, site.inherited_blocks);
  record.allocated_bytes = born(site.allocated_bytes, site.live_bytes, site.inherited_bytes);
  record.live_blocks = site.live_blocks;
  record.live_bytes = site.live_bytes;
  record.inherited_blocks = site.inherited_blocks;
  record.inherited_bytes = site.inherited_bytes;
  record.oldest_ms = site.oldest_ms;
  return record;
}

std::string estimates_bytes(const std::vector<SiteDescription>& sites) {
  std::string bytes;
  for (std::uint32_t i = 0; i < sites.size(); ++i) {
    const SiteDescription& site = sites[i];
    if (site.sampled_blocks != 0) {
      append(bytes, format::EstimateRecord{i, 0, site.sampled_blocks, site.live_bytes_error,
                                           site.live_blocks_error});
    }
  }
  return bytes;
}

std::string losses_bytes(const SnapshotBuilder& builder) {
  std::string bytes;
  for (const format::LossName& name : format::kLossNames) {
    const auto found = builder.losses.find(name.loss);
    const std::uint64_t count = found == builder.losses.end() ? 0 : found->second;
    append(bytes, format::LossRecord{static_cast<std::uint32_t>(name.loss), 0, count});
  }
  return bytes;
}

template <typename Record>
std::string bytes_of(const std::vector<Record>& records) {
  std::string bytes;
  for (const Record& record : records) {
    append(bytes, record);
  }
  return bytes;
}

void append_scan(const SnapshotBuilder& builder, std::vector<SectionBytes>& sections) {
  std::vector<format::ChainRecord> chains;
  std::vector<format::LinkRecord> links;
  for (const ChainDescription& chain : builder.chains) {
    chains.push_back({chain.site, static_cast<std::uint32_t>(links.size()),
                      static_cast<std::uint32_t>(chain.links.size()), chain.sampled_blocks,
                      chain.blocks});
    links.insert(links.end(), chain.links.begin(), chain.links.end());
  }
  using format::SectionId;
  sections.push_back({id_of(SectionId::kScan), sizeof(format::ScanRecord),
                      bytes_of(std::vector<format::ScanRecord>{*builder.scan})});
  sections.push_back({id_of(SectionId::kUnreachable), sizeof(format::UnreachableRecord),
                      bytes_of(builder.unreachable)});
  sections.push_back({id_of(SectionId::kChains), sizeof(format::ChainRecord), bytes_of(chains)});
  sections.push_back({id_of(SectionId::kLinks), sizeof(format::LinkRecord), bytes_of(links)});
  sections.push_back({id_of(SectionId::kHolderTexts), 1, builder.holder_texts});
  sections.push_back({id_of(SectionId::kKept), sizeof(format::KeptRecord), bytes_of(builder.kept)});
}

}  // namespace

std::string encode_file(const std::vector<SectionBytes>& sections, std::uint16_t version_major,
                        std::uint16_t version_minor) {
  std::size_t offset = sizeof(format::FileHeader) + sections.size() * sizeof(format::SectionEntry);
  std::string table;
  std::string body;
  for (const SectionBytes& section : sections) {
    format::SectionEntry entry{};
    entry.id = section.id;
    entry.entry_bytes = section.entry_bytes;
    entry.offset = offset;
    entry.bytes = section.bytes.size();
    entry.crc = format::crc32(section.bytes.data(), section.bytes.size());
    append(table, entry);
    offset = aligned(offset + section.bytes.size());
    body += section.bytes;
    body.resize(aligned(body.size()), '\0');
  }
  format::FileHeader header{};
  std::memcpy(header.magic, format::kMagic, sizeof(header.magic));
  header.version_major = version_major;
  header.version_minor = version_minor;
  header.header_bytes = sizeof(format::FileHeader);
  header.section_count = static_cast<std::uint32_t>(sections.size());
  header.section_entry_bytes = sizeof(format::SectionEntry);
  header.file_bytes = offset;
  header.section_table_crc = format::crc32(table.data(), table.size());
  header.header_crc = format::crc32(&header, sizeof(header));
  std::string file;
  append(file, header);
  return file + table + body;
}

format::SectionEntry find_section(const std::string& file, format::SectionId id) {
  const auto header = record_at<format::FileHeader>(file, 0);
  for (std::size_t i = 0; i < header.section_count; ++i) {
    const auto entry = record_at<format::SectionEntry>(
        file, sizeof(format::FileHeader) + i * sizeof(format::SectionEntry));
    if (entry.id == id_of(id)) {
      return entry;
    }
  }
  throw std::runtime_error("the file has no such section");
}

SnapshotBuilder::SnapshotBuilder() : nodes_(1) {
  process.run_id = 0x1122334455667788;
  process.started_unix_ns = 1'700'000'000'000'000'000;
  process.start_ticks = 123456;
  process.sequence = 1;
  process.trigger = static_cast<std::uint32_t>(format::Trigger::kInterval);
  process.flags = format::kStartedDirectly;
  process.pid = 4711;
  process.parent_pid = 1;
  process.uid = 1000;
  process.image = 1;
  modules_.push_back({"", "", 0, 0});
}

std::uint32_t SnapshotBuilder::add_module(const std::string& path, const std::string& build_id,
                                          std::uint64_t base, std::uint32_t flags) {
  modules_.push_back({path, build_id, base, flags});
  return static_cast<std::uint32_t>(modules_.size() - 1);
}

Frame SnapshotBuilder::add_script_frame(const std::string& function, const std::string& file,
                                        std::uint32_t line, format::ScriptLanguage language) {
  script_frames_.push_back({function, file, line, language});
  return {static_cast<std::uint32_t>(format::kScriptModule), script_frames_.size() - 1};
}

std::uint32_t SnapshotBuilder::add_site(const SiteDescription& site) {
  site_nodes_.push_back(intern(site.stack));
  sites_.push_back(site);
  return static_cast<std::uint32_t>(sites_.size() - 1);
}

std::uint32_t SnapshotBuilder::intern(const std::vector<Frame>& stack) {
  std::uint32_t node = 0;
  for (auto frame = stack.rbegin(); frame != stack.rend(); ++frame) {
    format::NodeRecord record{};
    record.frame = (std::uint64_t{frame->module} << format::kFrameModuleShift) |
                   (frame->offset & format::kFrameOffsetMask);
    record.parent = node;
    record.flags = frame->flags;
    std::string key;
    append(key, record);
    const auto [found, added] =
        node_index_.try_emplace(key, static_cast<std::uint32_t>(nodes_.size()));
    if (added) {
      nodes_.push_back(record);
    }
    node = found->second;
  }
  return node;
}

SnapshotBuilder& SnapshotBuilder::at(std::uint32_t sequence, double seconds) {
  process.sequence = sequence;
  process.time_ms = static_cast<std::uint64_t>(std::llround(seconds * 1000));
  return *this;
}

SnapshotBuilder& SnapshotBuilder::trigger(format::Trigger trigger) {
  process.trigger = static_cast<std::uint32_t>(trigger);
  return *this;
}

SnapshotBuilder& SnapshotBuilder::units(std::uint64_t done) {
  process.units = done;
  process.flags |= format::kHasUnits;
  return trigger(format::Trigger::kMark);
}

SnapshotBuilder& SnapshotBuilder::ended_by_exit(int status, const std::string& function) {
  process.end = static_cast<std::uint32_t>(format::End::kExit);
  process.end_status = status;
  end_function = function;
  return trigger(format::Trigger::kExit);
}

SnapshotBuilder& SnapshotBuilder::scanned(format::ScanTime when, format::ScanProblem problem) {
  scan = format::ScanRecord{};
  scan->when = static_cast<std::uint32_t>(when);
  scan->complete = problem == format::ScanProblem::kNone ? 1 : 0;
  scan->problem = static_cast<std::uint32_t>(problem);
  return *this;
}

std::vector<SectionBytes> SnapshotBuilder::sections() const {
  Strings strings;
  const std::string process_section = process_bytes(*this, strings);
  std::string modules;
  for (const Module& module : modules_) {
    format::ModuleRecord record{};
    record.path = strings.add(module.path);
    record.build_id = strings.add(module.build_id);
    record.base = module.base;
    record.begin = module.base;
    record.end = module.base == 0 ? 0 : module.base + 0x100000;
    record.flags = module.flags;
    append(modules, record);
  }
  std::string script_frames;
  for (const ScriptFrame& frame : script_frames_) {
    append(script_frames,
           format::ScriptFrameRecord{strings.add(frame.function), strings.add(frame.file),
                                     frame.line, static_cast<std::uint32_t>(frame.language)});
  }
  std::string nodes;
  for (const format::NodeRecord& node : nodes_) {
    append(nodes, node);
  }
  std::string sites;
  std::string ages;
  for (std::uint32_t i = 0; i < sites_.size(); ++i) {
    append(sites, site_record(sites_[i], site_nodes_[i]));
    for (const AgeGroup& age : sites_[i].ages) {
      append(ages, format::AgeRecord{i, age.age_class, age.blocks, age.bytes});
    }
  }
  std::string accounting_section;
  append(accounting_section, accounting);
  using format::SectionId;
  std::vector<SectionBytes> sections = {
      {id_of(SectionId::kProcess), sizeof(format::ProcessRecord), process_section},
      {id_of(SectionId::kStrings), 1, strings.bytes()},
      {id_of(SectionId::kModules), sizeof(format::ModuleRecord), modules},
      {id_of(SectionId::kNodes), sizeof(format::NodeRecord), nodes},
      {id_of(SectionId::kSites), sizeof(format::SiteRecord), sites},
      {id_of(SectionId::kAges), sizeof(format::AgeRecord), ages},
      {id_of(SectionId::kAccounting), sizeof(format::AccountingRecord), accounting_section},
      {id_of(SectionId::kLosses), sizeof(format::LossRecord), losses_bytes(*this)},
  };
  if (process.mode == static_cast<std::uint32_t>(format::Mode::kSample)) {
    sections.push_back(
        {id_of(SectionId::kEstimates), sizeof(format::EstimateRecord), estimates_bytes(sites_)});
  }
  if (scan) {
    append_scan(*this, sections);
  }
  if (!script_frames_.empty()) {
    sections.push_back(
        {id_of(SectionId::kScriptFrames), sizeof(format::ScriptFrameRecord), script_frames});
  }
  return sections;
}

void SnapshotBuilder::write(const std::string& file) const {
  write_file(file, bytes());
}

std::string SnapshotBuilder::write_into(const std::string& directory) const {
  char name[32];
  std::snprintf(name, sizeof(name), "%s%06u%s",
                scan ? format::kScanPrefix : format::kSnapshotPrefix, process.sequence,
                format::kSnapshotSuffix);
  std::string file = directory + "/" + name;
  write(file);
  return file;
}

}  // namespace seep::test
