// Frames of a script that were looked up before, found again by the words that tell them: where all
// are equal it is the same frame, without its texts being read and hashed.
// Context: IN-HOOK, any thread, signal handlers too. Nobody waits: a reader that meets a writer
// takes the frame for an unknown one, and a writer that meets another one goes without. Begins
// zeroed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace seep::script {

class KnownFrames {
 public:
  static constexpr unsigned kWords = 5;
  struct Key {
    std::uint64_t words[kWords];
  };

  // What was kept for these words, and not displaced since; ScriptFrameTable::kNone where nothing
  // was.
  [[nodiscard]] std::uint32_t find(const Key& key) const;
  void keep(const Key& key, std::uint32_t frame);

 private:
  static constexpr std::size_t kEntries = 4096;
  static constexpr unsigned kHashShift = 52;
  static_assert(kEntries == std::size_t{1} << (64 - kHashShift));

  struct Entry {
    std::atomic<std::uint32_t> sequence;  // odd while it is written; release after, acquire before
    std::atomic<std::uint32_t> frame;
    std::atomic<std::uint64_t> words[kWords];
  };

  static std::size_t place_of(const Key& key);

  Entry entries_[kEntries];
};

}  // namespace seep::script
