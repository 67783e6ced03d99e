#include "preload/stack/predictions.h"

#include <atomic>
#include <bit>
#include <cstring>

#include "preload/runtime/arena.h"
#include "preload/stack/capture_counts.h"

namespace seep::stack {
namespace {

// What the predictions of all threads may take together. Those of a thread that has just a few are
// let in above it, so that a busy thread cannot keep others out.
constexpr std::size_t kMostBytesOfAll = std::size_t{5} << 20;
constexpr std::size_t kReservedForFirst = std::size_t{1} << 20;

constinit std::atomic<std::size_t> g_bytes_of_all{0};  // relaxed: a figure

bool take_bytes(std::size_t bytes, std::size_t limit) {
  if (g_bytes_of_all.fetch_add(bytes, std::memory_order_relaxed) + bytes > limit) {
    g_bytes_of_all.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  return true;
}

void give_bytes(std::size_t bytes) {
  g_bytes_of_all.fetch_sub(bytes, std::memory_order_relaxed);
}

// The read set of a walk, in the order of reading. Counts only, while `values` is null. False when
// a step cannot be repeated, or lies too far.
bool read_set(const FrameRegisters& entry, const LastWalk& walk, std::uint64_t* values,
              std::uint32_t* offsets, std::size_t& count) {
  count = 0;
  const auto add = [&](std::uint64_t address, std::uint64_t value) {
    if (values != nullptr) {
      values[count] = value;
      offsets[count] = static_cast<std::uint32_t>(address - entry.sp);
    }
    ++count;
    return address - entry.sp <= UINT32_MAX;
  };
  const WalkStep* step = walk.first();
  if (walk.count() == 0 || step->at.sp != entry.sp || step->at.ip != entry.ip) {
    return false;
  }
  for (const WalkStep* last = step + walk.count() - 1; step != last; ++step) {
    const WalkStep& next = step[1];
    if (!step->repeatable || !add(next.at.sp - 8, next.at.ip)) {
      return false;
    }
    if (next.needs_bp && step->bp_address != 0 && !add(step->bp_address, next.at.bp)) {
      return false;
    }
  }
  return count != 0 && count <= UINT16_MAX / 2;
}

}  // namespace

unsigned Predictions::KeptWalk::first_difference(unsigned begin) const {
  unsigned index = begin;
  while (index < words && word_on_stack(index) == values()[index]) {
    ++index;
  }
  return index;
}

std::uint64_t Predictions::hash_of(std::uint32_t parent, unsigned word, std::uint64_t value) {
  const std::uint64_t place = std::uint64_t{parent} << 16 | word;
  return (value ^ std::rotl(place * kGoldenRatio, 32)) * kGoldenRatio;
}

// The walk of `entry` that hangs at `branch`.
inline const Predictions::KeptWalk* Predictions::find_in_set(const FrameRegisters& entry,
                                                             const Branch& branch,
                                                             std::uint32_t& slot) const {
  const std::uint32_t* const slots = set_of(branch.hash);
  for (unsigned way = 0; way < kWays; ++way) {
    slot = slots[way];
    if (has_walk(slot, tag_of(branch.hash))) {
      const KeptWalk* walk = walk_of(slot);
      if (walk->hangs_at(branch) && walk->is_of(entry)) {
        return walk;
      }
    }
  }
  return nullptr;
}

// Down the trie. A walk's words were compared as far as its parent's were: it begins behind those.
Predictions::Found Predictions::find(const FrameRegisters& entry, std::uint64_t generation) {
  missing_ = {hash_of(entry), 0, 0};
  if (generation_ != generation || memory_ == nullptr) [[unlikely]] {
    forget();
    generation_ = generation;
    return {Outcome::kFirstMet, 0};
  }
  while (true) {
    std::uint32_t slot = 0;
    const KeptWalk* walk = find_in_set(entry, missing_, slot);
    if (walk == nullptr) {
      return {missing_.parent == 0 ? Outcome::kFirstMet : Outcome::kChanged, 0};
    }
    const unsigned different = walk->first_difference(walk->shared);
    if (different == walk->words) {
      remember_latest(entry, place_of(slot));
      return {Outcome::kHit, walk->value};
    }
    const std::uint32_t parent = place_of(slot) + 1;
    missing_ = {hash_of(parent, different, walk->word_on_stack(different)), parent,
                static_cast<std::uint16_t>(different)};
  }
}

// Up to the word in which the stack differed. Not always all of them: a walk reads a saved rbp only
// where a frame further out needs it, so the two may have read different words before.
unsigned Predictions::words_shared_with_parent(const KeptWalk& walk) const {
  if (walk.parent == 0) {
    return 0;
  }
  const KeptWalk& parent = *walk_at(walk.parent - 1);
  unsigned shared = 0;
  while (shared < walk.branch_word && shared < walk.words &&
         walk.offsets()[shared] == parent.offsets()[shared] &&
         walk.values()[shared] == parent.values()[shared]) {
    ++shared;
  }
  return shared;
}

bool Predictions::add(const FrameRegisters& entry, const LastWalk& walk, std::uint32_t value) {
  std::size_t read = 0;
  if (!read_set(entry, walk, nullptr, nullptr, read)) {
    return false;
  }
  const std::size_t words = (read + kStride - 1) / kStride * kStride;
  if (!make_room(bytes_of(words))) {
    return true;
  }
  // What find() met may be gone to make room.
  const Branch branch = missing_.parent != 0 ? missing_ : Branch{hash_of(entry), 0, 0};
  KeptWalk* kept = walk_at(used_);
  *kept = {entry.ip,
           entry.sp,
           entry.bp,
           branch.hash,
           branch.parent,
           value,
           branch.word,
           0,
           static_cast<std::uint16_t>(words),
           walk.first()->needs_bp};
  read_set(entry, walk, kept->values(), kept->offsets(), read);
  for (std::size_t i = read; i < words; ++i) {
    kept->values()[i] = kept->values()[read - 1];
    kept->offsets()[i] = kept->offsets()[read - 1];
  }
  kept->shared = static_cast<std::uint16_t>(words_shared_with_parent(*kept));
  index(*kept, used_);
  remember_latest(entry, used_);
  used_ += bytes_of(words);
  return true;
}

// The offset of the word where the walk in a slot differs from the stack, from the hook's return
// address on; 0 where it does not differ, or too far out.
std::uint32_t Predictions::difference_in_page(std::uint32_t slot,
                                              const FrameRegisters& entry) const {
  const KeptWalk& walk = *walk_of(slot);
  const unsigned different = walk.is_of(entry) ? walk.first_difference(0) : walk.words;
  if (different == walk.words) {
    return 0;
  }
  const std::uint32_t offset = walk.offsets()[different] + sizeof(std::uint64_t);
  const std::uint64_t own = entry.sp - sizeof(std::uint64_t);
  return (own & kPageMask) + offset <= kPageMask ? offset : 0;
}

// What was found last is tried first. Where another walk is there, the word in which they differ
// tells them apart from now on; it only moves outward, since a word further in may be what they
// share behind another branch.
void Predictions::remember_latest(const FrameRegisters& entry, std::size_t place) {
  Latest found = latest_of(entry);
  if (has_walk(*found.slot, found.tag)) {
    const std::uint64_t hash = hash_of(entry);
    std::uint32_t& first = latest(hash);
    const std::uint32_t before = &first == found.slot ? 0 : first & kPlaceMask;
    const std::uint32_t offset = difference_in_page(*found.slot, entry);
    if (offset > before) {
      first = tag_of(hash) | kDiscriminator | offset;
      found = latest_of(entry);
    }
  }
  *found.slot = found.tag | static_cast<std::uint32_t>(place >> kUnitShift);
}

void Predictions::index(const KeptWalk& walk, std::size_t place) {
  std::uint32_t* const slots = set_of(walk.branch_hash);
  std::memmove(slots + 1, slots, (kWays - 1) * sizeof(*slots));
  slots[0] = tag_of(walk.branch_hash) | static_cast<std::uint32_t>(place >> kUnitShift);
}

void Predictions::forget() {
  missing_ = {};
  if (memory_ != nullptr && used_ != 0) {
    count(format::CaptureCount::caches_emptied);
    std::memset(memory_, 0, walks_begin_);
    used_ = 0;
  }
}

void Predictions::release() {
  if (memory_ != nullptr) {
    runtime::unmap_pages(memory_, bytes_);
    give_bytes(bytes_);
  }
  abandon();
}

void Predictions::abandon() {
  memory_ = nullptr;
  bytes_ = 0;
  walks_begin_ = 0;
  used_ = 0;
}

bool Predictions::make_room(std::size_t bytes) {
  while (walks_begin_ + used_ + bytes > bytes_) {
    if (!grow()) {
      forget();
      return walks_begin_ + bytes <= bytes_;
    }
  }
  return true;
}

// Doubles the memory, and takes along what is in it.
bool Predictions::grow() {
  const std::size_t fresh_bytes = memory_ == nullptr ? kFirstBytes : bytes_ * 2;
  const std::size_t limit =
      memory_ == nullptr ? kMostBytesOfAll + kReservedForFirst : kMostBytesOfAll;
  if (fresh_bytes > kMostBytes || !take_bytes(fresh_bytes - bytes_, limit)) {
    return false;
  }
  auto* fresh = static_cast<std::uint32_t*>(runtime::map_pages(fresh_bytes));
  if (fresh == nullptr) {
    give_bytes(fresh_bytes - bytes_);
    return false;
  }
  std::uint32_t* const old = memory_;
  const KeptWalk* const old_walks = old == nullptr ? nullptr : walk_at(0);
  const std::size_t old_bytes = bytes_;
  memory_ = fresh;
  bytes_ = fresh_bytes;
  const std::size_t latest = bytes_ / kBytesPerLatest;
  const std::size_t sets = bytes_ / kBytesPerSet;
  latest_shift_ = 64 - static_cast<unsigned>(std::countr_zero(latest));
  set_shift_ = 64 - static_cast<unsigned>(std::countr_zero(sets));
  walks_begin_ = (latest + sets * kWays) * sizeof(std::uint32_t);
  if (old != nullptr) {
    std::memcpy(walk_at(0), old_walks, used_);
    for (std::size_t place = 0; place < used_; place += bytes_of(walk_at(place)->words)) {
      index(*walk_at(place), place);
    }
    runtime::unmap_pages(old, old_bytes);
  }
  return true;
}

}  // namespace seep::stack
