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

Predictions::Found Predictions::find(const FrameRegisters& entry, std::uint64_t generation) {
  if (generation_ != generation || memory_ == nullptr) [[unlikely]] {
    forget();
    generation_ = generation;
    return {Outcome::kFirstMet, 0};
  }
  const Key key = key_of(entry.ip, entry.sp);
  std::uint32_t* const slots = memory_ + key.set * kWays;
  Outcome outcome = Outcome::kFirstMet;
  for (unsigned way = 0; way < kWays; ++way) {
    const std::uint32_t slot = slots[way];
    if ((slot ^ key.tag) >> kPlaceBits != 0) {
      continue;
    }
    const KeptWalk* walk = walk_of(slot);
    if (walk->ip != entry.ip || walk->sp != entry.sp) {
      continue;  // equal tags of two keys
    }
    if (!walk->is_of(entry) || !walk->holds()) {
      outcome = Outcome::kChanged;
      continue;
    }
    if (way != 0) {
      slots[way] = slots[0];
      slots[0] = slot;
    }
    return {Outcome::kHit, walk->value};
  }
  return {outcome, 0};
}

bool Predictions::add(const FrameRegisters& entry, const LastWalk& walk, std::uint32_t value) {
  std::size_t read = 0;
  if (!read_set(entry, walk, nullptr, nullptr, read)) {
    return false;
  }
  const std::size_t words = (read + kStride - 1) / kStride * kStride;
  if (is_crowded(entry) || !make_room(bytes_of(words))) {
    return true;
  }
  KeptWalk* kept = walk_at(used_);
  const WalkStep& first = *walk.first();
  *kept = {entry.ip, entry.sp, entry.bp, value, static_cast<std::uint16_t>(words), first.needs_bp};
  read_set(entry, walk, kept->values(), kept->offsets(), read);
  for (std::size_t i = read; i < words; ++i) {
    kept->values()[i] = kept->values()[read - 1];
    kept->offsets()[i] = kept->offsets()[read - 1];
  }
  index(*kept, used_);
  used_ += bytes_of(words);
  return true;
}

// Walks of more shapes than a set has ways begin at some places, and would in time drive out all
// others. Once all ways are of the one place, most of its further walks are not kept.
bool Predictions::is_crowded(const FrameRegisters& entry) {
  if (memory_ == nullptr) {
    return false;
  }
  const Key key = key_of(entry.ip, entry.sp);
  for (unsigned way = 0; way < kWays; ++way) {
    const std::uint32_t slot = memory_[key.set * kWays + way];
    if (((slot ^ key.tag) >> kPlaceBits) != 0 || walk_of(slot)->ip != entry.ip ||
        walk_of(slot)->sp != entry.sp) {
      return false;
    }
  }
  return ++crowded_ % kOneInCrowd != 0;
}

void Predictions::index(const KeptWalk& walk, std::size_t place) {
  const Key key = key_of(walk.ip, walk.sp);
  std::uint32_t* const slots = memory_ + key.set * kWays;
  std::memmove(slots + 1, slots, (kWays - 1) * sizeof(*slots));
  slots[0] = key.tag | static_cast<std::uint32_t>(place >> kUnitShift);
}

void Predictions::forget() {
  if (memory_ != nullptr && used_ != index_bytes()) {
    count(format::CaptureCount::caches_emptied);
    std::memset(memory_, 0, index_bytes());
    used_ = index_bytes();
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
  used_ = 0;
}

bool Predictions::make_room(std::size_t bytes) {
  while (used_ + bytes > bytes_) {
    if (!grow()) {
      forget();
      return used_ + bytes <= bytes_;
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
  const std::size_t old_bytes = bytes_;
  const std::size_t old_begin = index_bytes();
  const std::size_t old_used = used_;
  memory_ = fresh;
  bytes_ = fresh_bytes;
  used_ = index_bytes();
  const std::size_t sets = index_bytes() / sizeof(std::uint32_t) / kWays;
  set_shift_ = 64 - static_cast<unsigned>(std::countr_zero(sets));
  if (old != nullptr) {
    std::memcpy(walk_at(used_), reinterpret_cast<char*>(old) + old_begin, old_used - old_begin);
    for (const std::size_t end = used_ + old_used - old_begin; used_ < end;) {
      const KeptWalk* walk = walk_at(used_);
      index(*walk, used_);
      used_ += bytes_of(walk->words);
    }
    runtime::unmap_pages(old, old_bytes);
  }
  return true;
}

}  // namespace seep::stack
