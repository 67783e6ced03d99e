// A queue that takes what memory it needs, and uses again what it has left behind.
// Context: IN-FORK-CHILD. One owner.
#pragma once

#include <cstddef>

#include "preload/runtime/arena.h"

namespace seep::scan {

// `Entry` needs no constructor and no destructor.
template <typename Entry>
class Fifo {
 public:
  Fifo() = default;
  ~Fifo() {
    unmap(first_);
    unmap(spare_);
  }
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;

  // Room for the first entries; false when the kernel has no memory. To be called once.
  bool map() { return extend(); }

  [[nodiscard]] bool empty() const { return first_ == last_ && read_ == written_; }
  // False when the kernel has no memory.
  bool push(const Entry& entry) {
    if (written_ == kEntries && !extend()) {
      return false;
    }
    last_->entries[written_++] = entry;
    return true;
  }
  // Only where it is not empty.
  Entry pop() {
    if (read_ == kEntries) {
      drop_first();
    }
    return first_->entries[read_++];
  }
  // The entry that stands `ahead` behind the next one; null where that is not known at once.
  [[nodiscard]] const Entry* peek(std::size_t ahead) const {
    const std::size_t at = read_ + ahead;
    return at < (first_ == last_ ? written_ : kEntries) ? &first_->entries[at] : nullptr;
  }
  void limit_for_testing(std::size_t segments) { most_segments_ = segments; }

 private:
  static constexpr std::size_t kSegmentBytes = std::size_t{2} << 20;
  static constexpr std::size_t kEntries = (kSegmentBytes - sizeof(void*)) / sizeof(Entry);

  struct Segment {
    Entry entries[kEntries];
    Segment* next;
  };

  static void unmap(Segment* segment) {
    while (segment != nullptr) {
      Segment* const next = segment->next;
      runtime::unmap_pages(segment, sizeof(Segment));
      segment = next;
    }
  }
  bool extend() {
    Segment* fresh = spare_;
    if (fresh != nullptr) {
      spare_ = fresh->next;
    } else if (segments_ < most_segments_) {
      fresh = static_cast<Segment*>(runtime::map_pages(sizeof(Segment)));
      segments_ += fresh != nullptr ? 1 : 0;
      if (fresh != nullptr && segments_ > 1) {  // most programs do not fill the first
        runtime::prefer_huge_pages(fresh, sizeof(Segment));
      }
    }
    if (fresh == nullptr) {
      return false;
    }
    fresh->next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = fresh;
    last_ = fresh;
    written_ = 0;
    return true;
  }
  void drop_first() {
    Segment* const done = first_;
    first_ = done->next;
    done->next = spare_;
    spare_ = done;
    read_ = 0;
  }

  Segment* first_ = nullptr;
  Segment* last_ = nullptr;
  Segment* spare_ = nullptr;
  std::size_t read_ = 0;     // entries of the first segment
  std::size_t written_ = 0;  // of the last
  std::size_t segments_ = 0;
  std::size_t most_segments_ = 2048;  // the table of mappings has room for more
};

}  // namespace seep::scan
