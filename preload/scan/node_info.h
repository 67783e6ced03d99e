// What a scan must know of each node it meets, in one word; and an array of such that grows.
// Context: IN-FORK-CHILD. One owner.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/scan/pages.h"
#include "preload/table/address_table.h"

namespace seep::scan {

// 63…44 size, kUnknownSize: ask the table | 43…21 site | 20…0 for the user of it
class NodeInfo {
 public:
  static constexpr unsigned kFreeBits = 21;
  static constexpr unsigned kSizeShift = 44;
  static constexpr std::uint64_t kUnknownSize = UINT64_MAX >> kSizeShift;

  NodeInfo() = default;
  explicit NodeInfo(const table::Block& block)
      : word_((block.size < kUnknownSize ? block.size : kUnknownSize) << kSizeShift |
              std::uint64_t{block.site} << kFreeBits) {}
  [[nodiscard]] NodeInfo with(std::uint32_t value) const { return NodeInfo(word_ | value); }

  [[nodiscard]] std::uint64_t size() const { return word_ >> kSizeShift; }
  [[nodiscard]] std::uint32_t site() const {
    return static_cast<std::uint32_t>(word_ >> kFreeBits) & table::AddressTable::kMaxSite;
  }
  // What with() has put there.
  [[nodiscard]] std::uint32_t value() const {
    return static_cast<std::uint32_t>(word_) & ((1U << kFreeBits) - 1);
  }

 private:
  explicit NodeInfo(std::uint64_t word) : word_(word) {}
  std::uint64_t word_ = 0;
};
static_assert(table::AddressTable::kMaxSite >> (NodeInfo::kSizeShift - NodeInfo::kFreeBits) == 0);

class NodeInfos {
 public:
  NodeInfos() = default;
  ~NodeInfos();
  NodeInfos(const NodeInfos&) = delete;
  NodeInfos& operator=(const NodeInfos&) = delete;

  bool map() { return segments_.map(kMostSegments); }
  [[nodiscard]] std::size_t size() const { return size_; }
  // Makes room at `place`, which is near the end: what stands there and behind moves up. False when
  // the kernel has no memory.
  bool insert(std::size_t place, NodeInfo info);

  [[nodiscard]] const NodeInfo& operator[](std::size_t place) const {
    return segments_[place >> kSegmentBits][place & (kSegmentInfos - 1)];
  }

 private:
  static constexpr unsigned kSegmentBits = 18;  // 2 MB
  static constexpr std::size_t kSegmentInfos = std::size_t{1} << kSegmentBits;
  static constexpr std::size_t kMostSegments = std::size_t{1} << (32 - kSegmentBits);

  NodeInfo& at(std::size_t place) {
    return segments_[place >> kSegmentBits][place & (kSegmentInfos - 1)];
  }

  Pages<NodeInfo*> segments_;
  std::size_t size_ = 0;
};

}  // namespace seep::scan
