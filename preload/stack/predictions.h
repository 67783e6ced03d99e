// Stacks that a thread had before, found again by comparing instead of unwinding.
// Context: IN-HOOK. Used by one capture at a time; who owns it sees to that. Begins zeroed.
//
// A walk is a function of the unwind tables, of the registers it began with and of the words it
// read. A prediction keeps those words: the walk's read set. When a hook's caller has the same
// stack pointer and return address again, the words are compared, innermost first, up to the first
// that differs; if none does, the stack is the one that was walked then. A word is touched only
// when all before it were equal, so it is one that the unwinder would have read.
//
// The walks of one place to begin are a trie, from the innermost caller outward. Where the stack
// differs from a walk in one word, the walk that goes on with the word found there is its child,
// and so on; what was compared on the way is not compared again.
//
//   (ip, sp) -> walk -(its 3rd word is v)-> walk -(its 9th word is w)-> walk     each by hash
//
// Most stacks are found without going down. For each (ip, sp), one slot has the walk that was found
// last there; where walks were seen to differ, it has the place of the word that tells them apart,
// the discriminator, and (ip, sp, that word) has a slot with the walk that was found last for it.
// The discriminator is read before the words further in are compared, so it must lie in the page
// that holds the hook's return address.
//
//   | latest | trie: sets of kWays slots | walk | walk | walk … |      |
//     each slot: tag, place                                  used_  bytes_
//
// When the memory is full it doubles while all of them together may grow, else it is emptied: what
// is in use comes back at the price of a walk each.
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

  // Keeps a walk that has ended (LastWalk::end) with its value; the last find() was for the same
  // entry, and no hit. Does nothing for a walk with steps that cannot be repeated, and returns
  // false.
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
  // A slot: 31……19 tag | 18 discriminator | 17……0 place, or the discriminator's offset
  static constexpr unsigned kPlaceBits = 18;
  static constexpr std::uint32_t kPlaceMask = (1U << kPlaceBits) - 1;
  static constexpr std::uint32_t kDiscriminator = 1U << kPlaceBits;
  static constexpr unsigned kTagShift = kPlaceBits + 1;
  static constexpr std::size_t kFirstBytes = 4096;
  static constexpr std::size_t kMostBytes = std::size_t{1} << (kPlaceBits + kUnitShift);
  static constexpr std::size_t kBytesPerLatest = 256;
  static constexpr std::size_t kBytesPerSet = 1024;
  static constexpr std::uint64_t kPageMask = 4095;
  static constexpr unsigned kStride = 4;  // words compared in one turn
  static constexpr std::uint64_t kGoldenRatio = 0x9E3779B97F4A7C15ULL;

  // Where a walk hangs: below `parent`, from which the stack differed first in `word`. `hash` is
  // that of both and of what stood there.
  struct Branch {
    std::uint64_t hash;
    std::uint32_t parent;  // its place and 1; 0: a first walk, `hash` is that of (ip, sp)
    std::uint16_t word;
  };

  struct KeptWalk {
    std::uint64_t ip;
    std::uint64_t sp;
    std::uint64_t bp;
    std::uint64_t branch_hash;
    std::uint32_t parent;
    std::uint32_t value;
    std::uint16_t branch_word;
    std::uint16_t shared;  // so many of the first words are the parent's first words
    std::uint16_t words;   // a multiple of kStride: the last one is repeated
    bool needs_bp;
    // followed by std::uint64_t values[words] and std::uint32_t offsets[words], from sp

    [[nodiscard]] std::uint64_t* values() const {
      return reinterpret_cast<std::uint64_t*>(reinterpret_cast<std::uintptr_t>(this) +
                                              sizeof(KeptWalk));
    }
    [[nodiscard]] std::uint32_t* offsets() const {
      return reinterpret_cast<std::uint32_t*>(values() + words);
    }
    [[nodiscard]] std::uint64_t word_on_stack(unsigned index) const {
      return *reinterpret_cast<const std::uint64_t*>(sp + offsets()[index]);
    }
    [[nodiscard]] bool is_of(const FrameRegisters& entry) const;
    [[nodiscard]] bool hangs_at(const Branch& branch) const {
      return branch_hash == branch.hash && parent == branch.parent && branch_word == branch.word;
    }
    [[nodiscard]] bool holds() const;
    // The first word from `begin` on that differs; `words` if none does.
    [[nodiscard]] unsigned first_difference(unsigned begin) const;
  };
  static_assert(sizeof(KeptWalk) == 48);

  static std::size_t bytes_of(std::size_t words) {
    constexpr std::size_t kUnit = std::size_t{1} << kUnitShift;
    return (sizeof(KeptWalk) + words * 12 + kUnit - 1) / kUnit * kUnit;
  }
  static std::uint64_t hash_of(const FrameRegisters& entry) {
    return (entry.ip ^ std::rotl(entry.sp, 23)) * kGoldenRatio;
  }
  // Of (ip, sp) and the discriminator, which is taken to lie in the page in any case: what tells
  // its offset may be another place's, with an equal hash.
  static std::uint64_t hash_of(std::uint64_t hash, const FrameRegisters& entry,
                               std::uint64_t offset) {
    const std::uint64_t own = entry.sp - sizeof(std::uint64_t);
    const std::uint64_t place = (own & ~kPageMask) | ((own + offset) & kPageMask & ~7ULL);
    return (hash ^ *reinterpret_cast<const std::uint64_t*>(place)) * kGoldenRatio;
  }
  static std::uint64_t hash_of(std::uint32_t parent, unsigned word, std::uint64_t value);
  [[nodiscard]] unsigned words_shared_with_parent(const KeptWalk& walk) const;
  // Never 0, as that of an empty slot is.
  static std::uint32_t tag_of(std::uint64_t hash) {
    return (static_cast<std::uint32_t>(hash >> 8) | 1U) << kTagShift;
  }
  static bool has_walk(std::uint32_t slot, std::uint32_t tag) {
    return (slot ^ tag) >> kPlaceBits == 0;
  }
  static bool has_discriminator(std::uint32_t slot, std::uint32_t tag) {
    return (slot ^ tag) >> kPlaceBits == kDiscriminator >> kPlaceBits;
  }
  [[nodiscard]] std::uint32_t& latest(std::uint64_t hash) const {
    return memory_[hash >> latest_shift_];
  }
  // The slot of `entry` that has a walk, or is to have it.
  struct Latest {
    std::uint32_t* slot;
    std::uint32_t tag;
  };
  [[nodiscard]] Latest latest_of(const FrameRegisters& entry) const;
  [[nodiscard]] std::uint32_t* set_of(std::uint64_t hash) const {
    return memory_ + (std::size_t{1} << (64 - latest_shift_)) + (hash >> set_shift_) * kWays;
  }
  // `place` counts from the first walk.
  [[nodiscard]] KeptWalk* walk_at(std::size_t place) const {
    return reinterpret_cast<KeptWalk*>(reinterpret_cast<std::uintptr_t>(memory_) + walks_begin_ +
                                       place);
  }
  [[nodiscard]] static std::uint32_t place_of(std::uint32_t slot) {
    return (slot & kPlaceMask) << kUnitShift;
  }
  [[nodiscard]] KeptWalk* walk_of(std::uint32_t slot) const { return walk_at(place_of(slot)); }
  const KeptWalk* find_in_set(const FrameRegisters& entry, const Branch& branch,
                              std::uint32_t& slot) const;
  bool make_room(std::size_t bytes);
  bool grow();
  void index(const KeptWalk& walk, std::size_t place);
  [[nodiscard]] std::uint32_t difference_in_page(std::uint32_t slot,
                                                 const FrameRegisters& entry) const;
  void remember_latest(const FrameRegisters& entry, std::size_t place);

  std::uint32_t* memory_;  // latest, trie, walks
  std::size_t bytes_;
  std::size_t used_;  // of the walks
  std::uint64_t generation_;
  std::size_t walks_begin_;
  unsigned latest_shift_;
  unsigned set_shift_;
  Branch missing_;  // where find() found nothing
};

// What most allocations run through stands here, to be part of the hook's code.

[[gnu::always_inline]] inline bool Predictions::KeptWalk::holds() const {
  const std::uint64_t* kept = values();
  const std::uint32_t* offset = offsets();
  const auto differs = [&](unsigned i) {
    return *reinterpret_cast<const std::uint64_t*>(sp + offset[i]) != kept[i];
  };
  for (const std::uint32_t* const end = offset + words; offset != end;
       offset += kStride, kept += kStride) {
    if (differs(0) || differs(1) || differs(2) || differs(3)) {
      return false;
    }
  }
  return true;
}

inline bool Predictions::KeptWalk::is_of(const FrameRegisters& entry) const {
  return ip == entry.ip && sp == entry.sp && (!needs_bp || bp == entry.bp);
}

[[gnu::always_inline]] inline Predictions::Latest Predictions::latest_of(
    const FrameRegisters& entry) const {
  const std::uint64_t hash = hash_of(entry);
  std::uint32_t& slot = latest(hash);
  const std::uint32_t tag = tag_of(hash);
  if (!has_discriminator(slot, tag)) {
    return {&slot, tag};
  }
  const std::uint64_t narrow = hash_of(hash, entry, slot & kPlaceMask);
  return {&latest(narrow), tag_of(narrow)};
}

[[gnu::always_inline]] inline std::uint32_t Predictions::find_latest(
    const FrameRegisters& entry, std::uint64_t generation) const {
  if (generation_ != generation || memory_ == nullptr) [[unlikely]] {
    return 0;
  }
  const Latest found = latest_of(entry);
  const KeptWalk* walk = walk_of(*found.slot);
  return has_walk(*found.slot, found.tag) && walk->is_of(entry) && walk->holds() ? walk->value : 0;
}

}  // namespace seep::stack
