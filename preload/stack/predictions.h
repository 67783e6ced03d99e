// Stacks that a thread had before, found again by comparing instead of unwinding.
// Context: IN-HOOK. Used by one capture at a time; who owns it sees to that. Begins zeroed.
//
// A walk is a function of the unwind tables, of the registers it began with and of the words it
// read. A prediction keeps those words: the walk's read set. When a hook's caller has the same
// stack pointer and return address again, the words are compared, innermost first, up to the first
// that differs; if none does, the stack is the one that was walked then. A word is touched only
// when all before it were equal, so it is one that the unwinder would have read.
//
//   | index: sets of kWays slots | walk | walk | walk … |      |
//     each slot: tag, place                             used_  bytes_
//
// When it is full it doubles while all of them together may grow, else it is emptied: what is in
// use comes back at the price of a walk each.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "preload/stack/last_walk.h"

namespace seep::stack {

class Predictions {
 public:
  enum class Outcome : std::uint8_t {
    kHit,
    kFirstMet,  // no walk began there
    kChanged    // walks began there, and a word differs from each
  };
  struct Found {
    Outcome outcome;
    std::uint32_t value;  // as given to add()
  };

  // The value of the stack of `entry`, if it is one of those kept for the same unwind tables and
  // the one that was looked for last under its key; else 0.
  std::uint32_t find_latest(const FrameRegisters& entry, std::uint64_t generation) const;
  // The same for any of those kept.
  Found find(const FrameRegisters& entry, std::uint64_t generation);

  // Keeps a walk that has ended (LastWalk::end) with its value. Does nothing for a walk with steps
  // that cannot be repeated, and returns false.
  bool add(const FrameRegisters& entry, const LastWalk& walk, std::uint32_t value);

  void forget();
  // Gives the memory back.
  void release();
  // The same where it is not known whose it is: in a fork's child, whose parent had another thread
  // in the middle of a change. That much memory is lost.
  void abandon();

 private:
  static constexpr unsigned kWays = 4;
  static constexpr unsigned kUnitShift = 4;  // walks lie at multiples of 16 bytes
  static constexpr unsigned kPlaceBits = 18;
  static constexpr std::size_t kFirstBytes = 4096;
  static constexpr std::size_t kMostBytes = std::size_t{1} << (kPlaceBits + kUnitShift);
  static constexpr std::size_t kBytesPerIndexByte = 32;
  static constexpr unsigned kOneInCrowd = 16;
  static constexpr unsigned kStride = 4;  // words compared in one turn

  struct KeptWalk {
    std::uint64_t ip;
    std::uint64_t sp;
    std::uint64_t bp;
    std::uint32_t value;
    std::uint16_t words;  // a multiple of kStride: the last one is repeated
    bool needs_bp;
    // followed by std::uint64_t values[words] and std::uint32_t offsets[words], from sp

    [[nodiscard]] std::uint64_t* values() const {
      return reinterpret_cast<std::uint64_t*>(reinterpret_cast<std::uintptr_t>(this) +
                                              sizeof(KeptWalk));
    }
    [[nodiscard]] std::uint32_t* offsets() const {
      return reinterpret_cast<std::uint32_t*>(values() + words);
    }
    [[nodiscard]] bool is_of(const FrameRegisters& entry) const;
    [[nodiscard]] bool holds() const;
  };
  static_assert(sizeof(KeptWalk) == 32);

  struct Key {
    std::size_t set;
    std::uint32_t tag;  // in the place of a slot's tag; not 0, as that of an empty slot is
  };

  static std::size_t bytes_of(std::size_t words) {
    constexpr std::size_t kUnit = std::size_t{1} << kUnitShift;
    return (sizeof(KeptWalk) + words * 12 + kUnit - 1) / kUnit * kUnit;
  }
  [[nodiscard]] Key key_of(std::uint64_t ip, std::uint64_t sp) const;
  [[nodiscard]] KeptWalk* walk_at(std::size_t place) const {
    return reinterpret_cast<KeptWalk*>(reinterpret_cast<std::uintptr_t>(memory_) + place);
  }
  [[nodiscard]] KeptWalk* walk_of(std::uint32_t slot) const {
    return walk_at(std::size_t{slot & ((1U << kPlaceBits) - 1)} << kUnitShift);
  }
  [[nodiscard]] std::size_t index_bytes() const { return bytes_ / kBytesPerIndexByte; }
  bool is_crowded(const FrameRegisters& entry);
  bool make_room(std::size_t bytes);
  bool grow();
  void index(const KeptWalk& walk, std::size_t place);

  std::uint32_t* memory_;  // the index, then the walks
  std::size_t bytes_;
  std::size_t used_;
  std::uint64_t generation_;
  unsigned set_shift_;
  unsigned crowded_;  // walks that came to a crowded set
};

// What most allocations run through stands here, to be part of the hook's code.

inline bool Predictions::KeptWalk::holds() const {
  const std::uint64_t* const values_end = values() + words;
  const std::uint32_t* const offsets_end = offsets() + words;
  const auto differs = [&](std::ptrdiff_t i) {
    return *reinterpret_cast<const std::uint64_t*>(sp + offsets_end[i]) != values_end[i];
  };
  for (auto i = -static_cast<std::ptrdiff_t>(words); i != 0; i += kStride) {
    if (differs(i) || differs(i + 1) || differs(i + 2) || differs(i + 3)) {
      return false;
    }
  }
  return true;
}

inline Predictions::Key Predictions::key_of(std::uint64_t ip, std::uint64_t sp) const {
  const std::uint64_t hash = (ip ^ std::rotl(sp, 23)) * 0x9E3779B97F4A7C15ULL;  // golden ratio
  return {static_cast<std::size_t>(hash >> set_shift_), (static_cast<std::uint32_t>(hash >> 8) | 1U)
                                                            << kPlaceBits};
}

inline bool Predictions::KeptWalk::is_of(const FrameRegisters& entry) const {
  return ip == entry.ip && sp == entry.sp && (!needs_bp || bp == entry.bp);
}

inline std::uint32_t Predictions::find_latest(const FrameRegisters& entry,
                                              std::uint64_t generation) const {
  if (generation_ != generation || memory_ == nullptr) [[unlikely]] {
    return 0;
  }
  const Key key = key_of(entry.ip, entry.sp);
  const std::uint32_t slot = memory_[key.set * kWays];
  const KeptWalk* walk = walk_of(slot);
  return (slot ^ key.tag) >> kPlaceBits == 0 && walk->is_of(entry) && walk->holds() ? walk->value
                                                                                    : 0;
}

}  // namespace seep::stack
