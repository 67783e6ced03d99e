// The only code of the analyzer that touches raw bytes of a file: views that check their bounds.
// A view does not own its bytes; they must outlive it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

namespace seep::read {

static_assert(std::endian::native == std::endian::little,
              "records are copied as they stand: the file is little-endian");

class Bytes {
 public:
  Bytes() = default;
  Bytes(const unsigned char* data, std::size_t size) : data_(data), size_(size) {}

  [[nodiscard]] const unsigned char* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

  // Nothing when any byte of it would be outside; written so that no sum can overflow.
  [[nodiscard]] std::optional<Bytes> slice(std::uint64_t offset, std::uint64_t size) const {
    if (offset > size_ || size > size_ - offset) {
      return std::nullopt;
    }
    return Bytes(data_ + offset, static_cast<std::size_t>(size));
  }

  [[nodiscard]] std::string_view text() const {
    return {reinterpret_cast<const char*>(data_), size_};
  }

  // The record at the start. Only when size() >= sizeof(Record).
  template <typename Record>
  [[nodiscard]] Record front() const {
    static_assert(std::is_trivially_copyable_v<Record>);
    Record record;
    std::memcpy(&record, data_, sizeof(record));
    return record;
  }

 private:
  const unsigned char* data_ = nullptr;
  std::size_t size_ = 0;
};

// Records of equal size, one after the other. They may be longer than Record: a later minor
// version appends fields. They may be shorter, as an earlier one wrote them: what it lacks is 0.
template <typename Record>
class Records {
 public:
  // Nothing when an entry is shorter than `least` or `bytes` is no whole number of entries.
  static std::optional<Records> of(Bytes bytes, std::uint32_t entry_bytes,
                                   std::uint32_t least = sizeof(Record)) {
    if (entry_bytes < least || bytes.size() % entry_bytes != 0) {
      return std::nullopt;
    }
    return Records(bytes, entry_bytes);
  }

  [[nodiscard]] std::size_t size() const { return bytes_.size() / entry_bytes_; }
  [[nodiscard]] std::uint64_t offset_of(std::size_t index) const { return index * entry_bytes_; }

  // Only for index < size().
  Record operator[](std::size_t index) const {
    static_assert(std::is_trivially_copyable_v<Record>);
    Record record{};
    std::memcpy(&record, bytes_.data() + offset_of(index), std::min(entry_bytes_, sizeof(Record)));
    return record;
  }

 private:
  Records(Bytes bytes, std::size_t entry_bytes) : bytes_(bytes), entry_bytes_(entry_bytes) {}

  Bytes bytes_;
  std::size_t entry_bytes_;
};

}  // namespace seep::read
