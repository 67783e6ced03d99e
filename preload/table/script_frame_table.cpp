#include "preload/table/script_frame_table.h"

#include <cstring>

namespace seep::table {
namespace {

// FNV-1a, finished by SplitMix64's last steps: the low bits choose the slot.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  }
  hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBULL;
  return hash ^ (hash >> 31);
}

std::uint64_t hash_of(const format::ScriptFrameRecord& record) {
  std::uint64_t hash = std::uint64_t{record.function.offset} << 32 | record.file.offset;
  hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9ULL;
  hash += std::uint64_t{record.line} << 8 | record.language;
  hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBULL;
  return hash ^ (hash >> 31);
}

bool is_same(const format::ScriptFrameRecord& a, const format::ScriptFrameRecord& b) {
  return a.function.offset == b.function.offset && a.file.offset == b.file.offset &&
         a.file.length == b.file.length && a.line == b.line && a.language == b.language;
}

}  // namespace

std::string_view TextTable::text(const format::StringRef& place) const {
  return place.length == 0 ? std::string_view()
                           : std::string_view(bytes_.find(place.offset), place.length);
}

// Room for `bytes` in one segment; null when there is none. What is left of a segment stays zero.
char* TextTable::make_room(std::uint32_t bytes, std::uint32_t& place) {
  std::uint32_t used = used_.load(std::memory_order_acquire);
  while (true) {
    const std::uint32_t in_segment = used % kSegmentBytes;
    const bool fits = in_segment + bytes <= kSegmentBytes;
    place = fits ? used : used - in_segment + kSegmentBytes;
    if (place + bytes > kMostBytes) {
      return nullptr;
    }
    char* room = bytes_.reach(place);  // before it is counted as used
    if (room == nullptr ||
        used_.compare_exchange_weak(used, place + bytes, std::memory_order_acq_rel,
                                    std::memory_order_acquire)) {
      return room;
    }
  }
}

// The place of a new text and 1; 0 when there is no room.
std::uint32_t TextTable::add(std::string_view text) {
  const auto length = static_cast<Length>(text.size());
  std::uint32_t place = 0;
  char* room = make_room(sizeof(length) + length, place);
  if (room == nullptr) {
    return 0;
  }
  std::memcpy(room, &length, sizeof(length));
  std::memcpy(room + sizeof(length), text.data(), length);
  return place + 1;
}

bool TextTable::intern(std::string_view text, format::StringRef& place) {
  place = {0, 0};
  if (text.empty()) {
    return true;
  }
  text = text.substr(0, text.size() < kMostText ? text.size() : kMostText);
  const std::uint64_t hash = hash_of(text);
  std::uint32_t fresh = 0;
  for (std::uint32_t probe = 0; probe < kMostProbes; ++probe) {
    std::atomic<std::uint32_t>& slot = slots_[(hash + probe) % kSlots];
    std::uint32_t found = slot.load(std::memory_order_acquire);
    if (found == 0) {
      fresh = fresh != 0 ? fresh : add(text);
      if (fresh == 0) {
        return false;
      }
      if (slot.compare_exchange_strong(found, fresh, std::memory_order_acq_rel,
                                       std::memory_order_acquire)) {
        found = fresh;
      }
    }
    Length length = 0;
    std::memcpy(&length, bytes_.find(found - 1), sizeof(length));
    const format::StringRef there{found - 1 + static_cast<std::uint32_t>(sizeof(length)), length};
    if (this->text(there) == text) {
      place = there;
      return true;
    }
  }
  return false;
}

std::uint32_t ScriptFrameTable::make(const format::ScriptFrameRecord& record) {
  if (used_.load(std::memory_order_relaxed) >= kMostFrames) {
    return kNone;
  }
  const std::uint32_t id = used_.fetch_add(1, std::memory_order_relaxed);
  format::ScriptFrameRecord* room = records_.reach(id);  // null also for an id beyond the last
  if (room == nullptr) {
    return kNone;
  }
  *room = record;
  return id;
}

std::uint32_t ScriptFrameTable::intern(const Frame& frame) {
  format::ScriptFrameRecord record{};
  if (!texts_.intern(frame.function, record.function) || !texts_.intern(frame.file, record.file)) {
    return kNone;
  }
  record.line = frame.line;
  record.language = static_cast<std::uint32_t>(frame.language);
  const std::uint64_t hash = hash_of(record);
  std::uint32_t fresh = kNone;
  for (std::uint32_t probe = 0; probe < kMostProbes; ++probe) {
    std::atomic<std::uint32_t>& slot = slots_[(hash + probe) % kSlots];
    std::uint32_t found = slot.load(std::memory_order_acquire);
    if (found == 0) {
      fresh = fresh != kNone ? fresh : make(record);
      if (fresh == kNone ||
          slot.compare_exchange_strong(found, fresh + 1, std::memory_order_acq_rel,
                                       std::memory_order_acquire)) {
        return fresh;
      }
    }
    if (is_same(*records_.find(found - 1), record)) {
      return found - 1;  // a `fresh` record that lost the race stays unused
    }
  }
  return kNone;
}

}  // namespace seep::table
