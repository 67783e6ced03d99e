#include "preload/script/memo.h"

#include <cstring>

#include "preload/runtime/arena.h"

namespace seep::script {

// Empties the memory where there is no room for the largest entry, or where what is in it is of
// another epoch.
ReadSet::Word* Memo::begin() {
  constexpr std::size_t kMost = sizeof(Entry) + ReadSet::kMostWords * sizeof(ReadSet::Word);
  if (memory_ == nullptr) {
    memory_ = static_cast<char*>(runtime::map_pages(kBytes));
    used_ = kSlotBytes;
    epoch_ = epoch();
  }
  if (memory_ == nullptr) {
    return nullptr;
  }
  if (used_ + kMost > kBytes || epoch_ != epoch()) {
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
    runtime::unmap_pages(memory_, kBytes);
    memory_ = nullptr;
  }
}

void Memo::abandon() {
  memory_ = nullptr;
}

}  // namespace seep::script
