#include "preload/script/memo.h"

#include <atomic>
#include <cstring>

#include "preload/runtime/arena.h"

namespace seep::script {
namespace {

// Relaxed: a figure; what it stands for is handed out by the kernel.
constinit std::atomic<std::size_t> g_bytes{0};

// Where they end.
ReadSet::Word* move_words(const ReadSet::Word* words, unsigned count, ReadSet::Word* to) {
  std::memmove(to, words, count * sizeof(ReadSet::Word));
  return to + count;
}

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
  }
  used_ = kFirstEntry;
  epoch_ = epoch();
  return memory_ != nullptr;
}

std::size_t Memo::bytes_of_all() {
  return g_bytes.load(std::memory_order_relaxed);
}

// Empties the memory where there is no room for the largest entry, or where what is in it is of
// another epoch.
ReadSet::Word* Memo::begin() {
  constexpr std::size_t kMost = sizeof(Entry) + ReadSet::kRoom * sizeof(ReadSet::Word);
  changes_ = changes();
  if (memory_ == nullptr && !make()) {
    return nullptr;
  }
  if (used_ + kMost > bytes_ || epoch_ != epoch()) {
    std::memset(memory_, 0, kFirstEntry);
    used_ = kFirstEntry;
    epoch_ = epoch();
  }
  return entry_at(static_cast<std::uint32_t>(used_))->words();
}

void Memo::add(std::uint64_t key, std::uint32_t native, const ReadSet& words, std::uint32_t value) {
  if (!words.is_whole()) {
    return;
  }
  const auto place = static_cast<std::uint32_t>(used_);
  Entry& entry = *entry_at(place);
  entry = {key,
           native,
           value,
           changes_,
           static_cast<std::uint16_t>(words.count()),
           static_cast<std::uint16_t>(words.guarded_count()),
           static_cast<std::uint16_t>(words.behind_count())};
  ReadSet::Word* end = entry.words() + entry.count;
  end = move_words(words.guarded(), entry.guarded_count, end);
  end = move_words(words.behind(), entry.behind_count, end);
  used_ = static_cast<std::size_t>(reinterpret_cast<char*>(end) - memory_);
  slots()[slot_of(key, native)] = place;
}

// Looks at the guarded words, which can be read whatever became of the others.
[[gnu::cold, gnu::noinline]] bool Memo::are_guarded_as_before(Entry& entry) {
  const std::uint64_t now = changes();
  const ReadSet::Word* word = entry.words() + entry.count;
  for (const ReadSet::Word* const end = word + entry.guarded_count; word != end; ++word) {
    if (*reinterpret_cast<const std::uint64_t*>(word->address) != word->value) {
      return false;
    }
  }
  entry.changes = now;
  return true;
}

// Whether a pointer is followed safely has been told by the words before.
[[gnu::noinline]] bool Memo::are_behind_as_before(const Entry& entry) {
  const ReadSet::Word* word = entry.words() + entry.count + entry.guarded_count;
  std::uint64_t behind = 0;
  for (const ReadSet::Word* const end = word + entry.behind_count; word != end; ++word) {
    const std::uint64_t base = (word->address & ReadSet::kIsOffset) != 0 ? behind : 0;
    const std::uint64_t address = word->address & ~(ReadSet::kIsOffset | ReadSet::kIsPointer);
    const std::uint64_t value = *reinterpret_cast<const std::uint64_t*>(base + address);
    const bool is_pointer = (word->address & ReadSet::kIsPointer) != 0;
    if (is_pointer ? value == 0 : value != word->value) {
      return false;
    }
    behind = is_pointer ? value : behind;
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
