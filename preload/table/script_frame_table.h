// Frames of scripts, interned by content: language, function, file and line. Their texts are copied
// at first sight, since those of an interpreter die with the request, the eval or the closure.
// Context: IN-HOOK. Lock-free, insert-only, bounded; ids are stable for the life of the process and
// are what nodes of format::kScriptModule hold.
//
//   slots_: hash -> id -> ScriptFrameRecord { function, file } -> texts_: | length | bytes … |
//
// Records and texts lie in the layout of the file format: a snapshot copies them as they are. Texts
// are interned too, since few files have many lines.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "format/snapshot_format.h"
#include "preload/table/segmented_array.h"

namespace seep::table {

// Texts by content, in one stream of bytes. Two threads that bring the same text at the same moment
// may leave it there twice, with one of them in use.
class TextTable {
 public:
  static constexpr std::uint32_t kMostText = 4000;  // bytes; what is longer is cut
  static constexpr std::uint32_t kMostBytes = 32U << 20;

  constexpr TextTable() = default;
  TextTable(const TextTable&) = delete;
  TextTable& operator=(const TextTable&) = delete;

  // Where the text stands in the stream; false when there is no room.
  bool intern(std::string_view text, format::StringRef& place);
  [[nodiscard]] std::string_view text(const format::StringRef& place) const;

  // Bytes of the stream. What a published place refers to lies before it.
  [[nodiscard]] std::uint32_t size() const { return used_.load(std::memory_order_acquire); }
  // Calls visit(const char*, bytes) for the first `size` bytes of the stream, in order.
  template <typename Visit>
  void visit(std::uint32_t size, Visit&& visit) const {
    for (std::uint32_t at = 0; at < size;) {
      const std::uint32_t left = kSegmentBytes - at % kSegmentBytes;
      const std::uint32_t bytes = left < size - at ? left : size - at;
      visit(bytes_.find(at), bytes);
      at += bytes;
    }
  }

 private:
  static constexpr unsigned kSegmentBits = 16;
  static constexpr std::uint32_t kSegmentBytes = 1U << kSegmentBits;
  static constexpr std::uint32_t kSlots = 1U << 17;
  static constexpr std::uint32_t kMostProbes = 64;
  using Length = std::uint32_t;  // stands before each text

  char* make_room(std::uint32_t bytes, std::uint32_t& place);
  std::uint32_t add(std::string_view text);

  std::atomic<std::uint32_t> used_{0};  // acq_rel: who reads it sees that the segments are there
  SegmentedArray<char, kSegmentBits, kMostBytes / kSegmentBytes> bytes_;
  // Place of a text and 1; release in intern(), acquire there.
  std::atomic<std::uint32_t> slots_[kSlots] = {};
};

class ScriptFrameTable {
 public:
  static constexpr std::uint32_t kMostFrames = 1U << 17;
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Frame {
    std::string_view function;
    std::string_view file;  // empty: none
    std::uint32_t line = 0;
    format::ScriptLanguage language = format::ScriptLanguage::kPhp;
  };

  constexpr ScriptFrameTable() = default;
  ScriptFrameTable(const ScriptFrameTable&) = delete;
  ScriptFrameTable& operator=(const ScriptFrameTable&) = delete;

  // The frame's id; kNone when there is no room. The texts are copied.
  std::uint32_t intern(const Frame& frame);

  // One more than the largest id. A record that is being made right now reads as null or as zeros;
  // no node refers to it yet.
  [[nodiscard]] std::uint32_t count() const { return used_.load(std::memory_order_acquire); }
  [[nodiscard]] const format::ScriptFrameRecord* record(std::uint32_t id) const {
    return records_.find(id);
  }
  // What records refer to.
  [[nodiscard]] const TextTable& texts() const { return texts_; }

 private:
  static constexpr std::uint32_t kSlots = 2 * kMostFrames;
  static constexpr std::uint32_t kMostProbes = 64;

  std::uint32_t make(const format::ScriptFrameRecord& record);

  TextTable texts_;
  std::atomic<std::uint32_t> used_{0};  // relaxed to hand out ids; release/acquire through slots_
  SegmentedArray<format::ScriptFrameRecord, 12, kMostFrames / 4096> records_;
  // Id and 1; release in intern(), acquire there.
  std::atomic<std::uint32_t> slots_[kSlots] = {};
};

}  // namespace seep::table
