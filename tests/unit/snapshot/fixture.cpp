#include "tests/unit/snapshot/fixture.h"

#include <gtest/gtest.h>

namespace seep::snapshot {

std::uint32_t FilledTables::add_site(const std::vector<std::uint64_t>& frames,
                                     format::SiteKind kind) {
  stack::Stack stack{};
  stack.depth = static_cast<unsigned>(frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    stack.frames[i] = {frames[i], 0};
  }
  return tables_->sites.find_or_add(tables_->stacks.intern(stack), kind);
}

void FilledTables::add_blocks(std::uint32_t site, std::uint32_t birth, std::uint64_t bytes,
                              unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    table::Block old;
    EXPECT_EQ(tables_->blocks.insert({next_block_, bytes, site, birth}, old), table::Insert::kNew);
    next_block_ += (bytes + 31) / 16 * 16;
  }
  add_births(site, count, count * bytes);
}

void FilledTables::add_map(std::uint32_t site, std::uint32_t birth, std::uint64_t bytes) {
  std::uint32_t split = table::SiteTable::kNone;
  EXPECT_TRUE(tables_->ranges.insert({next_map_, next_map_ + bytes, site, birth}, split));
  next_map_ += 2 * bytes;
  add_births(site, 1, bytes);
}

void FilledTables::add_births(std::uint32_t site, std::uint64_t blocks, std::uint64_t bytes) {
  tables_->sites.site(site).allocated_blocks += blocks;
  tables_->sites.site(site).allocated_bytes += bytes;
}

}  // namespace seep::snapshot
