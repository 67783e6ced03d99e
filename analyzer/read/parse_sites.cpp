#include <fmt/format.h>

#include <algorithm>

#include "analyzer/read/sections.h"

namespace seep::read {
namespace {

using format::AgeRecord;
using format::SiteRecord;

// Allocated by this image, at least what is alive of it. Only for inherited <= live.
std::uint64_t born(std::uint64_t allocated, std::uint64_t live, std::uint64_t inherited) {
  return std::max(allocated, live - inherited);
}

model::Site parse_site(const SiteRecord& record) {
  model::Site site;
  site.node = record.node;
  site.kind = static_cast<format::SiteKind>(record.kind);
  site.counters.live_bytes = record.live_bytes;
  site.counters.live_blocks = record.live_blocks;
  site.inherited_bytes = std::min(record.inherited_bytes, record.live_bytes);
  site.inherited_blocks = std::min(record.inherited_blocks, record.live_blocks);
  site.counters.allocated_bytes =
      born(record.allocated_bytes, record.live_bytes, site.inherited_bytes);
  site.counters.allocated_blocks =
      born(record.allocated_blocks, record.live_blocks, site.inherited_blocks);
  site.oldest_ms = record.oldest_ms;
  return site;
}

std::optional<std::string> complaint_about(const AgeRecord& age, const AgeRecord* before,
                                           std::size_t site_count) {
  if (age.site >= site_count) {
    return fmt::format("ages of site {} of {}", age.site, site_count);
  }
  if (age.age_class >= format::kAgeClasses) {
    return fmt::format("age class {} of {}", age.age_class, format::kAgeClasses);
  }
  if (before != nullptr && (age.site < before->site ||
                            (age.site == before->site && age.age_class <= before->age_class))) {
    return std::string("ages are not in ascending order");
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<model::Site>> parse_sites(const Section& section, std::size_t node_count) {
  const auto records = records_of<SiteRecord>(section);
  if (!records) {
    return records.error();
  }
  std::vector<model::Site> sites;
  sites.reserve(records->size());
  for (std::size_t i = 0; i < records->size(); ++i) {
    const SiteRecord record = (*records)[i];
    if (record.node >= node_count) {
      return section_error(section, records->offset_of(i),
                           fmt::format("site {} is at node {} of {}", i, record.node, node_count));
    }
    if (record.kind > static_cast<std::uint32_t>(format::SiteKind::kThread)) {
      return section_error(section, records->offset_of(i),
                           fmt::format("site {} is of unknown kind {}", i, record.kind));
    }
    sites.push_back(parse_site(record));
  }
  return sites;
}

Result<std::vector<model::AgeCount>> parse_ages(const Section& section,
                                                std::vector<model::Site>& sites) {
  const auto records = records_of<AgeRecord>(section);
  if (!records) {
    return records.error();
  }
  std::vector<model::AgeCount> ages;
  ages.reserve(records->size());
  AgeRecord before{};
  for (std::size_t i = 0; i < records->size(); ++i) {
    const AgeRecord age = (*records)[i];
    if (auto what = complaint_about(age, i == 0 ? nullptr : &before, sites.size())) {
      return section_error(section, records->offset_of(i), std::move(*what));
    }
    model::Site& site = sites[age.site];
    if (site.ages_count++ == 0) {
      site.ages_begin = static_cast<std::uint32_t>(i);
    }
    ages.push_back({age.age_class, age.blocks, age.bytes});
    before = age;
  }
  return ages;
}

std::optional<Error> parse_estimates(const Section& section, std::vector<model::Site>& sites) {
  if (section.bytes.size() == 0) {
    return std::nullopt;
  }
  const auto records = records_of<format::EstimateRecord>(section);
  if (!records) {
    return records.error();
  }
  std::size_t next = 0;  // records ascend
  for (std::size_t i = 0; i < records->size(); ++i) {
    const format::EstimateRecord record = (*records)[i];
    if (record.site >= sites.size() || record.site < next) {
      return section_error(section, records->offset_of(i),
                           fmt::format("estimate of site {}, from {} to {} expected", record.site,
                                       next, sites.size()));
    }
    model::Site& site = sites[record.site];
    site.estimate = {record.sampled_blocks, static_cast<double>(record.live_bytes_error)};
    next = std::size_t{record.site} + 1;
  }
  return std::nullopt;
}

}  // namespace seep::read
