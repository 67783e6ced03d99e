// Slots for live blocks of one page of the heap. Context: IN-HOOK.
//
//   chunk: | header | group | group | … |      one group of 1 to 16 slots, or several of 16
//   group: | marks: 16 bytes | words | births |
//
//   word:  63……56 granule | 55 in transit | 54……32 site | 31……0 size in bytes
//
// A word of 0 is a free slot. A word with site 0 is claimed: its mark and birth are being written.
// A mark is kMarked with the low bits of the granule, or 0. The sixteen of a group are compared at
// once, so that a look-up has no loop whose end must be guessed; the word decides. A granule may
// only stand in the group that lies where the granule lies in the page.
#pragma once

#include <emmintrin.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace seep::table {

class SlotGroup {
 public:
  static constexpr unsigned kSlots = 16;

  static constexpr std::size_t bytes_for(unsigned slots) {
    return kSlots + slots * (sizeof(std::uint64_t) + sizeof(std::uint32_t));
  }

  SlotGroup(std::uintptr_t begin, unsigned slots) : begin_(begin), slots_(slots) {}

  // Marks slots beyond the last as never free. Before the chunk is published.
  void close() const {
    for (unsigned i = slots_; i < kSlots; ++i) {
      mark(i).store(kClosed, std::memory_order_relaxed);
    }
  }

  // A bit for each slot that may hold the granule, and for each that may be free. Other threads
  // write marks meanwhile: any mixture is good, the words decide.
  [[nodiscard]] unsigned marked(std::uint64_t granule) const {
    const __m128i wanted = _mm_set1_epi8(static_cast<char>(mark_of(granule)));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(marks(), wanted)));
  }
  [[nodiscard]] unsigned unmarked() const {
    return static_cast<unsigned>(_mm_movemask_epi8(marks())) ^ 0xFFFF;
  }

  // Relaxed: only the thread that owns a block looks for it, and that has it from the one that
  // marked the slot.
  void set_mark(unsigned slot, std::uint64_t granule) const {
    mark(slot).store(mark_of(granule), std::memory_order_relaxed);
  }
  void clear_mark(unsigned slot) const { mark(slot).store(0, std::memory_order_relaxed); }

  [[nodiscard]] std::atomic<std::uint64_t>& word(unsigned slot) const {
    return reinterpret_cast<std::atomic<std::uint64_t>*>(begin_ + kSlots)[slot];
  }
  [[nodiscard]] std::atomic<std::uint32_t>& birth(unsigned slot) const {
    return reinterpret_cast<std::atomic<std::uint32_t>*>(begin_ + kSlots +
                                                         slots_ * sizeof(std::uint64_t))[slot];
  }
  [[nodiscard]] unsigned slots() const { return slots_; }
  [[nodiscard]] std::uintptr_t begin() const { return begin_; }

 private:
  static constexpr std::uint8_t kMarked = 0xC0;
  static constexpr std::uint8_t kClosed = 0x80;  // neither free nor any granule's

  static std::uint8_t mark_of(std::uint64_t granule) {
    return static_cast<std::uint8_t>(kMarked | granule);
  }
  [[nodiscard]] __m128i marks() const {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(begin_));
  }
  [[nodiscard]] std::atomic<std::uint8_t>& mark(unsigned slot) const {
    return reinterpret_cast<std::atomic<std::uint8_t>*>(begin_)[slot];
  }

  std::uintptr_t begin_;
  unsigned slots_;
};

struct PageChunk;

// A chunk and its shape in one word, so that a look-up goes from a page's head to the right group.
//
//   57……53 slots of a group | 52……48 groups | 47……0 address of the chunk; 0: none
class ChunkRef {
 public:
  ChunkRef() = default;
  explicit ChunkRef(std::uint64_t word) : word_(word) {}
  ChunkRef(const PageChunk* chunk, unsigned groups, unsigned slots_of_group)
      : word_(std::uint64_t{slots_of_group} << 53 | std::uint64_t{groups} << 48 |
              reinterpret_cast<std::uintptr_t>(chunk)) {}

  [[nodiscard]] bool exists() const { return word_ != 0; }
  [[nodiscard]] std::uint64_t word() const { return word_; }
  [[nodiscard]] PageChunk& chunk() const {
    return *reinterpret_cast<PageChunk*>(word_ & ((std::uint64_t{1} << 48) - 1));
  }
  [[nodiscard]] unsigned groups() const { return static_cast<unsigned>(word_ >> 48) & 0x1F; }
  [[nodiscard]] inline SlotGroup group(unsigned index) const;
  // The group that a granule, 0 … 255, may stand in.
  [[nodiscard]] SlotGroup group_of(std::uint64_t granule) const {
    return group(static_cast<unsigned>(granule * groups() >> 8));
  }

 private:
  std::uint64_t word_ = 0;
};

struct alignas(16) PageChunk {
  ChunkRef next;                // the older chunk; written before the chunk is published
  std::uint32_t slots_in_page;  // with all older chunks

  static constexpr std::size_t bytes_for(unsigned groups, unsigned slots_of_group) {
    return sizeof(PageChunk) + groups * SlotGroup::bytes_for(slots_of_group);
  }
};
static_assert(sizeof(PageChunk) == 16);

inline SlotGroup ChunkRef::group(unsigned index) const {
  return {reinterpret_cast<std::uintptr_t>(&chunk() + 1) +
              index * SlotGroup::bytes_for(SlotGroup::kSlots),
          static_cast<unsigned>(word_ >> 53)};
}

}  // namespace seep::table
