// Memory of the scan: an array of pages that are touched only where they are used.
// Context: IN-FORK-CHILD, and the task that makes the copy. One owner.
#pragma once

#include <cstddef>

#include "preload/runtime/arena.h"

namespace seep::scan {

// `Entry` is usable when all its bytes are zero, and needs no destructor.
template <typename Entry>
class Pages {
 public:
  Pages() = default;
  ~Pages() { unmap(); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  // Room for `capacity` zeroed entries; false when the kernel has none.
  bool map(std::size_t capacity) {
    unmap();
    data_ = static_cast<Entry*>(runtime::map_pages(capacity * kEntryBytes));
    capacity_ = data_ == nullptr ? 0 : capacity;
    return data_ != nullptr;
  }
  // Before it is touched, where most of it will be.
  void prefer_huge_pages() { runtime::prefer_huge_pages(data_, capacity_ * kEntryBytes); }
  void unmap() {
    if (data_ != nullptr) {
      runtime::unmap_pages(data_, capacity_ * kEntryBytes);
    }
    data_ = nullptr;
    capacity_ = 0;
    size_ = 0;
  }

  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  Entry& operator[](std::size_t index) { return data_[index]; }
  const Entry& operator[](std::size_t index) const { return data_[index]; }

  // As a list.
  bool add(const Entry& entry) {
    if (size_ == capacity_) {
      return false;
    }
    data_[size_++] = entry;
    return true;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  Entry* begin() { return data_; }
  Entry* end() { return data_ + size_; }
  [[nodiscard]] const Entry* begin() const { return data_; }
  [[nodiscard]] const Entry* end() const { return data_ + size_; }

 private:
  static constexpr std::size_t kEntryBytes =
      sizeof(Entry);  // NOLINT(bugprone-sizeof-expression): of pointers too

  Entry* data_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

}  // namespace seep::scan
