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
  }
  used_ = kSlotBytes;
  epoch_ = epoch();
  return memory_ != nullptr;
}

std::size_t Memo::bytes_of_all() {
  return g_bytes.load(std::memory_order_relaxed);
}

// Empties the memory where there is no room for the largest entry, or where what is in it is of
// another epoch.
ReadSet::Word* Memo::begin() {
  constexpr std::size_t kMost = sizeof(Entry) + ReadSet::kMostWords * sizeof(ReadSet::Word);
  changes_ = changes();
  if (memory_ == nullptr && !make()) {
    return nullptr;
  }
  if (used_ + kMost > bytes_ || epoch_ != epoch()) {
    std::memset(memory_, 0, kSlotBytes);
    used_ = kSlotBytes;
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
  entry = {key, native, value, changes_, words.count(), words.guarded_count()};
  const std::size_t guarded_bytes = words.guarded_count() * sizeof(ReadSet::Word);
  std::memmove(entry.words() + words.count(), words.guarded(), guarded_bytes);
  used_ += sizeof(Entry) + words.count() * sizeof(ReadSet::Word) + guarded_bytes;
  slots()[slot_of(key, native)] = place;
}

// Looks at the guarded words, which can be read whatever became of the others.
[[gnu::cold, gnu::noinline]] bool Memo::are_as_before(Entry& entry) {
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
