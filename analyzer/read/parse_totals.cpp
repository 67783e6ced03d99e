#include <fmt/format.h>

#include "analyzer/read/sections.h"

namespace seep::read {

Result<model::Accounting> parse_accounting(const Section& section) {
  const auto records = records_of<format::AccountingRecord>(section, format::kLeastAccountingBytes);
  if (!records) {
    return records.error();
  }
  if (records->size() != 1) {
    return section_error(section, 0, fmt::format("{} records, one expected", records->size()));
  }
  return (*records)[0];
}

Result<model::Losses> parse_losses(const Section& section) {
  const auto records = records_of<format::LossRecord>(section);
  if (!records) {
    return records.error();
  }
  model::Losses losses{};
  for (std::size_t i = 0; i < records->size(); ++i) {
    const format::LossRecord record = (*records)[i];
    if (record.id < losses.size()) {
      losses[record.id] = record.count;
    }
  }
  return losses;
}

}  // namespace seep::read
