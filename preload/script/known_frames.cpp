#include "preload/script/known_frames.h"

#include <bit>

#include "preload/table/script_frame_table.h"

namespace seep::script {

std::size_t KnownFrames::place_of(const Key& key) {
  std::uint64_t hash = 0;
  for (const std::uint64_t word : key.words) {
    hash = std::rotl(hash, 23) ^ word;
  }
  return static_cast<std::size_t>(hash * 0x9E3779B97F4A7C15ULL >> kHashShift);
}

std::uint32_t KnownFrames::find(const Key& key) const {
  const Entry& entry = entries_[place_of(key)];
  const std::uint32_t before = entry.sequence.load(std::memory_order_acquire);
  const std::uint32_t frame = entry.frame.load(std::memory_order_relaxed);
  bool is_it = before != 0 && before % 2 == 0;
  for (unsigned i = 0; i < kWords; ++i) {
    is_it = is_it && entry.words[i].load(std::memory_order_relaxed) == key.words[i];
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  const bool is_whole = entry.sequence.load(std::memory_order_relaxed) == before;
  return is_it && is_whole ? frame : table::ScriptFrameTable::kNone;
}

void KnownFrames::keep(const Key& key, std::uint32_t frame) {
  Entry& entry = entries_[place_of(key)];
  std::uint32_t before = entry.sequence.load(std::memory_order_relaxed);
  if (before % 2 != 0 ||
      !entry.sequence.compare_exchange_strong(before, before + 1, std::memory_order_acquire,
                                              std::memory_order_relaxed)) {
    return;
  }
  std::atomic_thread_fence(std::memory_order_release);
  for (unsigned i = 0; i < kWords; ++i) {
    entry.words[i].store(key.words[i], std::memory_order_relaxed);
  }
  entry.frame.store(frame, std::memory_order_relaxed);
  entry.sequence.store(before + 2, std::memory_order_release);
}

}  // namespace seep::script
