#include "preload/script/memo.h"

#include <atomic>
#include <cstring>

#include "preload/runtime/arena.h"

namespace seep::script {
namespace {

// Relaxed: a figure; what it stands for is handed out by the kernel.
constinit std::atomic<std::size_t> g_bytes{0};

}  // namespace

// What is asked for is counted before it is there, so that threads never have more together.
bool Memo::make() {
  const std::size_t all = g_bytes.load(std::memory_order_relaxed);
  bytes_ = all < kScarceBytes ? kBytes : kFewBytes;
  if (g_bytes.fetch_add(bytes_, std::memory_order_relaxed) + bytes_ <= kMostBytes) {
    memory_ = static_cast<char*>(runtime::map_pages(bytes_));
  }
  if (memory_ == nullptr) {
    g_bytes.fetch_sub(bytes_, std::memory_order_relaxed);
    return false;
  }
  make_empty();
  return true;
}

// What the last walks left is told by their numbers, or stays true.
void Memo::make_empty() {
  std::memset(memory_, 0, kSlotBytes);
  used_ = kFirstEntry;
  epoch_ = epoch();
  first_number_ = number_ + 1;
}

std::size_t Memo::bytes_of_all() {
  return g_bytes.load(std::memory_order_relaxed);
}

// Empties the memory where there is no room for the largest entry, or where what is in it is of
// another epoch.
ReadSet::Word* Memo::begin() {
  constexpr std::size_t kMost =
      sizeof(Entry) + ReadSet::kRoom * sizeof(ReadSet::Word) + kMostFrames * sizeof(std::uint32_t);
  changes_ = changes();
  if (memory_ == nullptr && !make()) {
    return nullptr;
  }
  if (used_ + kMost > bytes_ || epoch_ != epoch()) {
    make_empty();
  }
  number_ += number_ + 1 == 0 ? 2 : 1;  // never 0
  Entry* const entry = entry_at(static_cast<std::uint32_t>(used_));
  entry->number = 0;  // until it is kept: a walk that is not has left rests of this place
  return entry->words();
}

void Memo::add(std::uint64_t key, std::uint32_t native, const Stack& captured,
               std::uint32_t value) {
  const ReadSet& words = captured.words;
  if (!words.is_whole()) {
    return;
  }
  const auto place = static_cast<std::uint32_t>(used_);
  Entry& entry = *entry_at(place);
  entry = {key,
           native,
           value,
           changes_,
           number_,
           static_cast<std::uint16_t>(words.count()),
           static_cast<std::uint16_t>(words.guarded_count()),
           static_cast<std::uint16_t>(words.behind_count()),
           static_cast<std::uint16_t>(captured.depth),
           captured.cut,
           captured.lost != 0};
  std::memmove(entry.guarded(), words.guarded(), entry.guarded_count * sizeof(ReadSet::Word));
  std::memmove(entry.behind(), words.behind(), entry.behind_count * sizeof(ReadSet::Word));
  std::memcpy(entry.frames(), captured.frames, entry.depth * sizeof(std::uint32_t));
  const std::size_t frame_bytes = (entry.depth + 1U) / 2 * sizeof(std::uint64_t);
  used_ = static_cast<std::size_t>(reinterpret_cast<char*>(entry.frames()) - memory_) + frame_bytes;
  slots()[slot_of(key, native)] = place;
}

// The other one's frames may be fewer than this one would tell only where it was cut.
[[gnu::noinline]] bool Memo::take_rest(const LastFrames::Rest& rest, Stack& captured) {
  Entry& entry = *entry_at(rest.place);
  const bool is_there = rest.number - first_number_ < number_ - first_number_;  // and may wrap
  if (!is_there || entry.number != rest.number || entry.lacks_frames ||
      (entry.cut && captured.depth < rest.depth)) {
    return false;
  }
  --captured.rests_to_try;
  if (entry.changes != changes() && !are_guarded_as_before(entry)) {
    return false;
  }
  const ReadSet::Word* const words = entry.words() + rest.count;
  const ReadSet::Word* const behind = entry.behind() + rest.behind_count;
  const unsigned behind_count = entry.behind_count - rest.behind_count;
  // Those that were read first stand last.
  const unsigned guarded_count = entry.guarded_count - rest.guarded_count;
  if (!are_as_before(words, entry.guarded()) ||
      !are_behind_as_before(behind, behind + behind_count) ||
      !captured.words.take(words, entry.count - rest.count, entry.guarded(), guarded_count, behind,
                           behind_count)) {
    return false;
  }
  for (unsigned i = rest.depth; i < entry.depth && captured.add(entry.frames()[i]); ++i) {
  }
  captured.cut |= entry.cut;
  return true;
}

// Looks at the guarded words, which can be read whatever became of the others.
[[gnu::cold, gnu::noinline]] bool Memo::are_guarded_as_before(Entry& entry) {
  const std::uint64_t now = changes();
  if (!are_as_before(entry.guarded(), entry.behind())) {
    return false;
  }
  entry.changes = now;
  return true;
}

// Whether a pointer is followed safely has been told by the words before.
[[gnu::noinline]] bool Memo::are_behind_as_before(const ReadSet::Word* word,
                                                  const ReadSet::Word* end) {
  std::uint64_t behind = 0;
  for (; word != end; ++word) {
    if ((word->address & ReadSet::kIsPointer) != 0) {
      behind = *reinterpret_cast<const std::uint64_t*>(word->address ^ ReadSet::kIsPointer);
      if (behind == 0) {
        return false;
      }
      continue;
    }
    const bool is_offset = (word->address & ReadSet::kIsOffset) != 0;
    const std::uint64_t place =
        is_offset ? behind + (word->address ^ ReadSet::kIsOffset) : word->address;
    if (*reinterpret_cast<const std::uint64_t*>(place) != word->value) {
      return false;
    }
  }
  return true;
}

void Memo::release() {
  if (memory_ != nullptr) {
    runtime::unmap_pages(memory_, bytes_);
    g_bytes.fetch_sub(bytes_, std::memory_order_relaxed);
    memory_ = nullptr;
  }
}

void Memo::abandon() {
  memory_ = nullptr;
}

}  // namespace seep::script
