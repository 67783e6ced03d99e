// The sections of a scan for unreachable memory.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

#include "analyzer/read/sections.h"

namespace seep::read {
namespace {

using format::ChainRecord;
using format::KeptRecord;
using format::LinkRecord;
using format::ScanRecord;
using format::UnreachableRecord;

Error unknown_value(const Section& section, std::uint64_t offset, const char* what,
                    std::uint32_t value) {
  return section_error(section, offset, fmt::format("unknown {} {}", what, value));
}

std::optional<Error> complaint_about(const Section& section, const ScanRecord& record) {
  if (record.when > static_cast<std::uint32_t>(format::ScanTime::kSnapshot)) {
    return unknown_value(section, offsetof(ScanRecord, when), "time of a scan", record.when);
  }
  if (record.complete > 1) {
    return unknown_value(section, offsetof(ScanRecord, complete), "completeness", record.complete);
  }
  if (record.problem > static_cast<std::uint32_t>(format::ScanProblem::kUnreadableMaps)) {
    return unknown_value(section, offsetof(ScanRecord, problem), "problem", record.problem);
  }
  return std::nullopt;
}

Result<model::Scan> parse_figures(const Section& section) {
  const auto records = records_of<ScanRecord>(section);
  if (!records) {
    return records.error();
  }
  if (records->size() != 1) {
    return section_error(section, 0, fmt::format("{} records, one expected", records->size()));
  }
  const ScanRecord record = (*records)[0];
  if (auto error = complaint_about(section, record)) {
    return *error;
  }
  model::Scan scan;
  scan.when = static_cast<format::ScanTime>(record.when);
  scan.complete = record.complete == 1;
  scan.problem = static_cast<format::ScanProblem>(record.problem);
  scan.threads = record.threads;
  scan.pause_ns = record.pause_ns;
  scan.fork_ns = record.fork_ns;
  scan.scan_ns = record.scan_ns;
  scan.blocks = record.blocks;
  scan.root_bytes = record.root_bytes;
  return scan;
}

// Both parts of a site together must fit into 64 bits, so that nobody's sum of two wraps around.
bool fits(std::uint64_t direct, std::uint64_t indirect) {
  return direct <= std::numeric_limits<std::uint64_t>::max() - indirect;
}

std::optional<Error> parse_unreachable(const Section& section,
                                       const std::vector<model::Site>& sites, model::Scan& scan) {
  if (section.bytes.size() == 0) {
    return std::nullopt;
  }
  const auto records = records_of<UnreachableRecord>(section);
  if (!records) {
    return records.error();
  }
  scan.unreachable.reserve(records->size());
  std::size_t next = 0;  // records ascend
  for (std::size_t i = 0; i < records->size(); ++i) {
    const UnreachableRecord record = (*records)[i];
    if (record.site >= sites.size() || record.site < next) {
      return section_error(section, records->offset_of(i),
                           fmt::format("unreachable blocks of site {}, from {} to {} expected",
                                       record.site, next, sites.size()));
    }
    if (!fits(record.direct_blocks, record.indirect_blocks) ||
        !fits(record.direct_bytes, record.indirect_bytes)) {
      return section_error(
          section, records->offset_of(i),
          fmt::format("more unreachable blocks of site {} than can be counted", record.site));
    }
    const model::Site& site = sites[record.site];
    scan.unreachable.push_back({record.site, record.direct_blocks, record.direct_bytes,
                                record.indirect_blocks, record.indirect_bytes,
                                site.counters.live_blocks, site.counters.live_bytes,
                                site.oldest_ms});
    next = std::size_t{record.site} + 1;
  }
  return std::nullopt;
}

// More than lives of the site is no more than that.
std::optional<Error> parse_kept(const Section& section, const std::vector<model::Site>& sites,
                                model::Scan& scan) {
  if (section.bytes.size() == 0) {
    return std::nullopt;
  }
  const auto records = records_of<KeptRecord>(section);
  if (!records) {
    return records.error();
  }
  scan.kept.reserve(records->size());
  std::size_t next = 0;  // records ascend
  for (std::size_t i = 0; i < records->size(); ++i) {
    const KeptRecord record = (*records)[i];
    if (record.site >= sites.size() || record.site < next) {
      return section_error(section, records->offset_of(i),
                           fmt::format("kept blocks of site {}, from {} to {} expected",
                                       record.site, next, sites.size()));
    }
    const model::Counters& alive = sites[record.site].counters;
    scan.kept.push_back({record.site, std::min(record.blocks, alive.live_blocks),
                         std::min(record.bytes, alive.live_bytes)});
    next = std::size_t{record.site} + 1;
  }
  return std::nullopt;
}

// `section` and `offset` are those of the record.
std::optional<Error> parse_script_link(const LinkRecord& record, const Section& section,
                                       std::uint64_t offset, Strings& texts, model::Scan& scan) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  const auto begin = static_cast<std::uint32_t>(std::min(record.offset, kMost));
  const auto text = texts.get({begin, record.site}, section, offset);
  if (!text) {
    return text.error();
  }
  scan.links.push_back(
      {static_cast<format::LinkKind>(record.kind), 0, 0, 0, 0, std::string(*text)});
  return std::nullopt;
}

std::optional<Error> parse_links(const Section& section, std::size_t site_count,
                                 std::size_t module_count, Strings& texts, model::Scan& scan) {
  if (section.bytes.size() == 0) {
    return std::nullopt;
  }
  const auto records = records_of<LinkRecord>(section);
  if (!records) {
    return records.error();
  }
  scan.links.reserve(records->size());
  for (std::size_t i = 0; i < records->size(); ++i) {
    const LinkRecord record = (*records)[i];
    if (record.kind > static_cast<std::uint32_t>(format::LinkKind::kScriptValue)) {
      return unknown_value(section, records->offset_of(i), "kind of link", record.kind);
    }
    const auto kind = static_cast<format::LinkKind>(record.kind);
    if (model::is_of_script(kind)) {
      if (auto error = parse_script_link(record, section, records->offset_of(i), texts, scan)) {
        return error;
      }
      continue;
    }
    const bool has_site = kind == format::LinkKind::kBlock || kind == format::LinkKind::kMap;
    if (has_site && record.site >= site_count) {
      return section_error(section, records->offset_of(i),
                           fmt::format("link through site {} of {}", record.site, site_count));
    }
    if (kind == format::LinkKind::kGlobal && record.module >= module_count) {
      return section_error(section, records->offset_of(i),
                           fmt::format("link from module {} of {}", record.module, module_count));
    }
    scan.links.push_back({kind,
                          has_site ? record.site : 0,
                          kind == format::LinkKind::kGlobal ? record.module : 0,
                          record.thread,
                          record.offset,
                          {}});
  }
  return std::nullopt;
}

std::optional<std::string> complaint_about(const ChainRecord& record, std::size_t site_count,
                                           std::size_t link_count) {
  if (record.site >= site_count) {
    return fmt::format("chain of site {} of {}", record.site, site_count);
  }
  if (record.links_count == 0 || record.links_begin > link_count ||
      record.links_count > link_count - record.links_begin) {
    return fmt::format("links {} to {} of {}", record.links_begin,
                       std::uint64_t{record.links_begin} + record.links_count, link_count);
  }
  if (record.sampled_blocks == 0 || record.blocks > record.sampled_blocks) {
    return fmt::format("{} of {} blocks are held so", record.blocks, record.sampled_blocks);
  }
  return std::nullopt;
}

// After the links.
std::optional<Error> parse_chains(const Section& section, std::size_t site_count,
                                  model::Scan& scan) {
  if (section.bytes.size() == 0) {
    return std::nullopt;
  }
  const auto records = records_of<ChainRecord>(section);
  if (!records) {
    return records.error();
  }
  scan.chains.reserve(records->size());
  for (std::size_t i = 0; i < records->size(); ++i) {
    const ChainRecord record = (*records)[i];
    if (auto what = complaint_about(record, site_count, scan.links.size())) {
      return section_error(section, records->offset_of(i), std::move(*what));
    }
    scan.chains.push_back({record.site, record.links_begin, record.links_count, record.blocks,
                           record.sampled_blocks});
  }
  std::stable_sort(scan.chains.begin(), scan.chains.end(),
                   [](const auto& a, const auto& b) { return a.site < b.site; });
  return std::nullopt;
}

}  // namespace

std::optional<Error> parse_scan(const ScanSections& sections, std::size_t file_bytes,
                                model::Snapshot& snapshot) {
  if (sections.figures.bytes.size() == 0) {
    return std::nullopt;
  }
  auto scan = parse_figures(sections.figures);
  if (!scan) {
    return scan.error();
  }
  const std::size_t site_count = snapshot.sites.size();
  if (auto error = parse_unreachable(sections.unreachable, snapshot.sites, *scan)) {
    return error;
  }
  if (auto error = parse_kept(sections.kept, snapshot.sites, *scan)) {
    return error;
  }
  Strings texts(sections.holder_texts, file_bytes);
  if (auto error =
          parse_links(sections.links, site_count, snapshot.stacks.modules.size(), texts, *scan)) {
    return error;
  }
  if (auto error = parse_chains(sections.chains, site_count, *scan)) {
    return error;
  }
  if (!scan->complete) {
    scan->unreachable.clear();
  }
  scan->time_s = snapshot.moment.time_s;
  snapshot.scan = std::move(*scan);
  return std::nullopt;
}

}  // namespace seep::read
