// The recorder's tables, filled by hand: blocks and maps of chosen sites and births.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "preload/recorder/recorder.h"

namespace seep::snapshot {

class FilledTables {
 public:
  static constexpr std::uintptr_t kHeap = 0x5555'0000'0000;
  static constexpr std::uintptr_t kMaps = 0x7f00'0000'0000;

  // A site for a stack of absolute addresses, innermost first.
  std::uint32_t add_site(const std::vector<std::uint64_t>& frames,
                         format::SiteKind kind = format::SiteKind::kHeap);
  // `count` live blocks of `bytes` each; counts them as born here as well.
  void add_blocks(std::uint32_t site, std::uint32_t birth, std::uint64_t bytes, unsigned count = 1);
  void add_map(std::uint32_t site, std::uint32_t birth, std::uint64_t bytes);
  // Births of blocks that are alive no more.
  void add_births(std::uint32_t site, std::uint64_t blocks, std::uint64_t bytes);

  [[nodiscard]] recorder::Tables& tables() { return *tables_; }

 private:
  std::unique_ptr<recorder::Tables> tables_ = std::make_unique<recorder::Tables>();
  std::uintptr_t next_block_ = kHeap;
  std::uintptr_t next_map_ = kMaps;
};

}  // namespace seep::snapshot
