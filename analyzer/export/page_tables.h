// What the data of the page shares: texts, frames and the tree of stacks, each once, by number.
// Not thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analyzer/model/report.h"

namespace seep::exporters {

struct PageFrame {
  std::uint32_t name = 0;  // these three are numbers of texts; 0: unknown
  std::uint32_t file = 0;
  std::uint32_t module = 0;
  std::uint32_t line = 0;  // 0: unknown
  std::uint8_t language = 0;
  std::uint8_t flags = 0;

  static constexpr std::uint8_t kInlined = 1;
  static constexpr std::uint8_t kHeuristic = 2;
  static constexpr std::uint8_t kNearestSymbol = 4;
  static constexpr std::uint8_t kUnnamed = 8;  // `name` is module and offset

  bool operator==(const PageFrame&) const = default;
};

// Numbers of nodes: 0 is the root and no frame; parent < own number.
struct PageNode {
  std::uint32_t parent = 0;
  std::uint32_t frame = 0;

  bool operator==(const PageNode&) const = default;
};

class PageTables {
 public:
  PageTables();

  // The number of a text; 0 is the empty one.
  std::uint32_t text(std::string_view raw);
  std::uint32_t frame(const model::ReportFrame& frame);
  // The node of a frame called from `parent`.
  std::uint32_t node(std::uint32_t parent, std::uint32_t frame);
  // The node of a whole stack's innermost frame; 0 for no stack.
  std::uint32_t stack(const model::ReportStack& stack);

  [[nodiscard]] const std::vector<std::string>& texts() const { return texts_; }  // printable
  [[nodiscard]] const std::vector<PageFrame>& frames() const { return frames_; }
  [[nodiscard]] const std::vector<PageNode>& nodes() const { return nodes_; }

 private:
  struct Hash {
    std::size_t operator()(const PageFrame& frame) const;
    std::size_t operator()(const PageNode& node) const;
  };
  // Looks a text up without a copy of it.
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  std::vector<std::string> texts_;
  std::vector<PageFrame> frames_;
  std::vector<PageNode> nodes_;
  std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>>
      text_numbers_;  // as recorded, not printable
  std::unordered_map<PageFrame, std::uint32_t, Hash> frame_numbers_;
  std::unordered_map<PageNode, std::uint32_t, Hash> node_numbers_;
};

}  // namespace seep::exporters
