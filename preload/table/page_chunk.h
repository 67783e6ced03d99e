// Slots for live blocks of one page of the heap. Context: IN-HOOK.
//
// A page has a list of chunks. There are two kinds:
//
//   sparse: | next | group | group | … |    one group of 1 to 16 slots, or several of 16
//   dense:  | next | 128 words |            one for each 32 bytes of the page
//
//   group:  | marks: 16 bytes | words | births |
//
//   word of a group:   63 in transit | 62……55 granule | 54……32 site | 31……0 size in bytes
//   word of a dense:   63 in transit | 62 odd granule | 61……42 site | 41……12 birth | 11……0 size
//
// A word of 0 is a free slot.
//
// In a group, a word with site 0 is claimed: its mark and birth are being written. A mark is
// kMarked with the low bits of the granule, or 0. The sixteen of a group are compared at once, so
// that a look-up has no loop whose end must be guessed; the word decides. A granule may only stand
// in the group that lies where the granule lies in the page.
//
// In a dense chunk nothing is searched, and nothing claimed: who owns a block owns its slot, as no
// other can live within the same 32 bytes. So it is for the allocators that keep blocks that far
// apart. What does not fit into a word stands in a chunk behind.
#pragma once

#include <emmintrin.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace seep::table {

// A live block. `birth` is in ticks of the recorder's clock.
struct Block {
  std::uintptr_t address = 0;
  std::uint64_t size = 0;
  std::uint32_t site = 0;
  std::uint32_t birth = 0;
  bool may_be_near = false;  // to another live block: not told in what comes out of the table
};

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

// A chunk and its shape in one word, so that a look-up goes from a page's head to the right slots.
//
//   59 dense | 58 another chunk follows | 57……53 slots of a group | 52……48 groups
//   47……0 address of the chunk; 0: none
class ChunkRef {
 public:
  ChunkRef() = default;
  explicit ChunkRef(std::uint64_t word) : word_(word) {}
  static ChunkRef sparse(const PageChunk* chunk, unsigned groups, unsigned slots_of_group) {
    return ChunkRef(std::uint64_t{slots_of_group} << 53 | std::uint64_t{groups} << 48 |
                    reinterpret_cast<std::uintptr_t>(chunk));
  }
  static ChunkRef dense(const PageChunk* chunk) {
    return ChunkRef(kDense | reinterpret_cast<std::uintptr_t>(chunk));
  }
  [[nodiscard]] ChunkRef with_next() const { return ChunkRef(word_ | kHasNext); }

  [[nodiscard]] bool exists() const { return word_ != 0; }
  [[nodiscard]] bool is_dense() const { return (word_ & kDense) != 0; }
  [[nodiscard]] bool has_next() const { return (word_ & kHasNext) != 0; }
  [[nodiscard]] inline ChunkRef next() const;  // none if there is none
  [[nodiscard]] std::uint64_t word() const { return word_; }
  [[nodiscard]] PageChunk& chunk() const {
    return *reinterpret_cast<PageChunk*>(word_ & ((std::uint64_t{1} << 48) - 1));
  }

  // Of a sparse chunk.
  [[nodiscard]] unsigned groups() const { return static_cast<unsigned>(word_ >> 48) & 0x1F; }
  [[nodiscard]] unsigned slots_of_group() const {
    return static_cast<unsigned>(word_ >> 53) & 0x1F;
  }
  [[nodiscard]] inline SlotGroup group(unsigned index) const;
  // The group that a granule, 0 … 255, may stand in.
  [[nodiscard]] SlotGroup group_of(std::uint64_t granule) const {
    return group(static_cast<unsigned>(granule * groups() >> 8));
  }
  // Of a dense chunk: the word that a granule may stand in.
  [[nodiscard]] inline std::atomic<std::uint64_t>& dense_word(std::uint64_t granule) const;

 private:
  static constexpr std::uint64_t kHasNext = std::uint64_t{1} << 58;
  static constexpr std::uint64_t kDense = std::uint64_t{1} << 59;

  std::uint64_t word_ = 0;
};

struct alignas(16) PageChunk {
  std::atomic<std::uint64_t> next;  // a ChunkRef; release in add_chunk, acquire by readers
  std::uint32_t slots_in_page;      // with all chunks that were there before

  static constexpr unsigned kDenseSlots = 128;
  static constexpr std::size_t kDenseBytes = 16 + kDenseSlots * sizeof(std::uint64_t);
  static constexpr std::size_t sparse_bytes(unsigned groups, unsigned slots_of_group) {
    return sizeof(PageChunk) + groups * SlotGroup::bytes_for(slots_of_group);
  }
};
static_assert(sizeof(PageChunk) == 16);

inline ChunkRef ChunkRef::next() const {
  return has_next() ? ChunkRef(chunk().next.load(std::memory_order_acquire)) : ChunkRef();
}

inline SlotGroup ChunkRef::group(unsigned index) const {
  return {reinterpret_cast<std::uintptr_t>(&chunk() + 1) +
              index * SlotGroup::bytes_for(SlotGroup::kSlots),
          slots_of_group()};
}

inline std::atomic<std::uint64_t>& ChunkRef::dense_word(std::uint64_t granule) const {
  return reinterpret_cast<std::atomic<std::uint64_t>*>(&chunk() + 1)[granule / 2];
}

inline constexpr std::uint64_t kTransit = std::uint64_t{1} << 63;  // in words of both kinds

// What stands in the words of groups; the birth stands beside them.
struct SparseWord {
  static constexpr std::uint64_t kSizeMask = 0xFFFFFFFF;  // as a size: it is kept elsewhere

  static std::uint64_t of(std::uint64_t granule, const Block& block) {
    const std::uint64_t size = block.size < kSizeMask ? block.size : kSizeMask;
    return granule << 55 | std::uint64_t{block.site} << 32 | size;
  }
  static std::uint64_t claimed(std::uint64_t granule) { return kTransit | granule << 55; }
  static std::uint64_t granule(std::uint64_t word) { return word >> 55 & 0xFF; }
  static std::uint32_t site(std::uint64_t word) {
    return static_cast<std::uint32_t>(word >> 32) & ((1U << 23) - 1);
  }
  static std::uint64_t size(std::uint64_t word) { return word & kSizeMask; }
};

struct DenseWord {
  static constexpr unsigned kSizeBits = 12;
  static constexpr unsigned kBirthBits = 30;  // of ticks of 16 ms: 198 days
  static constexpr unsigned kSiteBits = 20;

  static bool can_hold(const Block& block) {
    return (block.size >> kSizeBits | block.birth >> kBirthBits | block.site >> kSiteBits) == 0 &&
           !block.may_be_near;
  }
  static std::uint64_t of(std::uint64_t granule, const Block& block) {
    return (granule & 1) << 62 | std::uint64_t{block.site} << (kSizeBits + kBirthBits) |
           std::uint64_t{block.birth} << kSizeBits | block.size;
  }
  static bool is_of(std::uint64_t word, std::uint64_t granule) {
    return word != 0 && ((word >> 62 ^ granule) & 1) == 0;
  }
  static std::uint64_t size(std::uint64_t word) { return word & ((1U << kSizeBits) - 1); }
  static std::uint32_t birth(std::uint64_t word) {
    return static_cast<std::uint32_t>(word >> kSizeBits) & ((1U << kBirthBits) - 1);
  }
  static std::uint32_t site(std::uint64_t word) {
    return static_cast<std::uint32_t>(word >> (kSizeBits + kBirthBits)) & ((1U << kSiteBits) - 1);
  }
};

}  // namespace seep::table
