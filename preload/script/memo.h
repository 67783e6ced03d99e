// Stacks of scripts that a thread had before, found again by comparing instead of reading.
// Context: IN-HOOK. Used by one capture at a time; who owns it sees to that. Begins zeroed.
//
// Each is kept under a hash of its key (Interpreter::key) and of the native frames it stands on,
// with the words that were read for it. A word is touched only when all before it were equal, so it
// is one that a walk would have read.
//
//   | slots: place of a stack | last frames, nodes | stack | stack | …            |
//                                                                    used_
//
// The last one of a slot is kept. When the memory is full it is emptied. All threads together have
// 64 MB at most: the first ones 4 MB each, later ones 256 KB, and without memory every stack is
// read.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/script/last_frames.h"
#include "preload/script/script.h"
#include "preload/table/last_nodes.h"

namespace seep::script {

class Memo {
 public:
  // The value of this stack in this epoch; 0 when it is not known.
  [[nodiscard]] std::uint32_t find(std::uint64_t key, std::uint32_t native);
  // Begins the next stack: where its words are to be written (ReadSet); null where there is no
  // memory, or other threads have all that may be had.
  ReadSet::Word* begin();
  // Null where begin() gave null.
  [[nodiscard]] table::LastNodes* last_nodes() const {
    return memory_ == nullptr ? nullptr
                              : reinterpret_cast<table::LastNodes*>(memory_ + kNodesBegin);
  }
  [[nodiscard]] LastFrames* last_frames() const {
    return memory_ == nullptr ? nullptr : reinterpret_cast<LastFrames*>(memory_ + kSlotBytes);
  }
  // Keeps `value`, which is not 0, of the stack that begin() began, if all of its words are there.
  void add(std::uint64_t key, std::uint32_t native, const Stack& captured, std::uint32_t value);

  // What the walk that has come so far will have found from here outward; of the frame at `frame`.
  [[nodiscard]] LastFrames::Rest rest_from(std::uint64_t frame, const Stack& captured) const {
    const ReadSet& words = captured.words;
    return {frame,
            static_cast<std::uint32_t>(used_),
            number_,
            static_cast<std::uint16_t>(words.count()),
            static_cast<std::uint16_t>(words.guarded_count()),
            static_cast<std::uint16_t>(words.behind_count()),
            static_cast<std::uint16_t>(captured.depth)};
  }
  // Adds what an earlier walk found from `rest` outward to a stack whose walk has come to that
  // frame, and which is whole then. False, and nothing is done, where any of its words has changed,
  // or the other one was cut before this one would be.
  bool take_rest(const LastFrames::Rest& rest, Stack& captured);
  // The same where one was left at the frame.
  bool take_rest_of(std::uint64_t frame, const LastFrames::Frame& last, Stack& captured) {
    return last.rest.frame == frame && captured.rests_to_try != 0 && take_rest(last.rest, captured);
  }

  // Gives the memory back.
  void release();
  // The same where it is not known whose it is (Predictions::abandon). That much memory is lost.
  void abandon();

  // Of all threads together; the memory that they have now.
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  static std::size_t bytes_of_all();

 private:
  static constexpr std::size_t kSlots = std::size_t{1} << 13;
  static constexpr std::size_t kBytes = std::size_t{4} << 20;
  static constexpr std::size_t kFewBytes = std::size_t{256} << 10;
  static constexpr std::size_t kScarceBytes = kMostBytes / 2;  // from then on few
  static constexpr std::size_t kBytesOfValue = 256;            // of all the memory, for each value
  static constexpr std::size_t kSlotBytes = kSlots * sizeof(std::uint32_t);
  static constexpr std::size_t kNodesBegin = kSlotBytes + sizeof(LastFrames);
  static constexpr std::size_t kFirstEntry = kNodesBegin + sizeof(table::LastNodes);

  struct Entry {
    std::uint64_t key;
    std::uint32_t native;
    std::uint32_t value;
    std::uint64_t changes;  // when the guarded words were last seen to be as they are
    std::uint32_t number;   // of the walk; 0: it is not kept yet
    std::uint16_t count;
    std::uint16_t guarded_count;
    std::uint16_t behind_count;
    std::uint16_t depth;
    bool cut;
    bool lacks_frames;  // some had no room in the table
    // followed by ReadSet::Word[count], by those that are guarded, and those behind pointers; then
    // the ids of `depth` frames

    [[nodiscard]] ReadSet::Word* words() const {
      return reinterpret_cast<ReadSet::Word*>(reinterpret_cast<std::uintptr_t>(this) +
                                              sizeof(Entry));
    }
    [[nodiscard]] ReadSet::Word* guarded() const { return words() + count; }
    [[nodiscard]] ReadSet::Word* behind() const { return guarded() + guarded_count; }
    [[nodiscard]] std::uint32_t* frames() const {
      return reinterpret_cast<std::uint32_t*>(behind() + behind_count);
    }
  };
  static_assert(sizeof(Entry) % 8 == 0);

  static std::size_t slot_of(std::uint64_t key, std::uint32_t native) {
    return static_cast<std::size_t>((key ^ std::uint64_t{native} << 32) * 0x9E3779B97F4A7C15ULL >>
                                    51);
  }
  [[nodiscard]] std::uint32_t* slots() const { return reinterpret_cast<std::uint32_t*>(memory_); }
  [[nodiscard]] Entry* entry_at(std::uint32_t place) const {
    return reinterpret_cast<Entry*>(memory_ + place);
  }

  bool make();
  void make_empty();
  static bool are_as_before(const ReadSet::Word* word, const ReadSet::Word* end);
  static bool are_guarded_as_before(Entry& entry);
  static bool are_behind_as_before(const ReadSet::Word* word, const ReadSet::Word* end);

  char* memory_;
  std::size_t bytes_;  // of the memory
  std::size_t used_;
  std::uint64_t changes_;  // at begin()
  std::uint32_t epoch_;
  std::uint32_t number_;        // of the walk that began last
  std::uint32_t first_number_;  // of those since the memory was empty
};

inline Stack::Stack(Memo* memory)
    : words(memory == nullptr ? nullptr : memory->begin()),
      last(memory == nullptr ? nullptr : memory->last_frames()),
      memo(last == nullptr ? nullptr : memory) {}

[[gnu::always_inline]] inline bool Memo::are_as_before(const ReadSet::Word* word,
                                                       const ReadSet::Word* end) {
#pragma GCC unroll 4
  for (; word != end; ++word) {
    if (*reinterpret_cast<const std::uint64_t*>(word->address) != word->value) {
      return false;
    }
  }
  return true;
}

[[gnu::always_inline]] inline std::uint32_t Memo::find(std::uint64_t key, std::uint32_t native) {
  if (memory_ == nullptr || epoch_ != epoch()) [[unlikely]] {
    return 0;
  }
  const std::uint32_t place = slots()[slot_of(key, native)];
  Entry* const entry = entry_at(place);
  if (place == 0 || entry->key != key || entry->native != native) {
    return 0;
  }
  if (entry->changes != changes() && !are_guarded_as_before(*entry)) [[unlikely]] {
    return 0;
  }
  if (!are_as_before(entry->words(), entry->guarded())) {
    return 0;
  }
  if (entry->behind_count != 0 &&
      !are_behind_as_before(entry->behind(), entry->behind() + entry->behind_count)) {
    return 0;
  }
  return entry->value;
}

}  // namespace seep::script
