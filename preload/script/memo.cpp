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
  *entry_at(place) = {key, native, value, words.count()};
  used_ += sizeof(Entry) + words.count() * sizeof(ReadSet::Word);
  slots()[slot_of(key, native)] = place;
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
