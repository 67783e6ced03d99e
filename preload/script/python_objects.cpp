#include "preload/script/python_objects.h"

#include <cstring>

namespace seep::script::python {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);
constexpr unsigned kMostBases = 100;

// Bytes of an index of so many places.
std::uint64_t index_bytes(std::uint64_t places) {
  std::uint64_t bytes_each = kWord;
  if (places <= UINT8_MAX) {
    bytes_each = 1;
  } else if (places <= UINT16_MAX) {
    bytes_each = 2;
  } else if (places <= UINT32_MAX) {
    bytes_each = 4;
  }
  return places * bytes_each;
}

}  // namespace

bool Objects::is_type(std::uint64_t type) const {
  return type != 0 && type % kWord == 0 && (flags_of(type) & kIsReady) != 0 &&
         (flags_of(type_of(type)) & kIsType) != 0;
}

bool Objects::is_object(std::uint64_t address) const {
  return address != 0 && address % kWord == 0 && memory_.read(address) != 0 &&
         is_type(type_of(address));
}

// Nobody's: its count is zero. From 3.14 on a free list has the next object's address, of the same
// type, in the place of the count.
bool Objects::has_no_owner(std::uint64_t object) const {
  const std::uint64_t count = memory_.read(object);
  runtime::MemoryRange block{};
  return count == 0 || (count % kWord == 0 && memory_.find_block(count, block) &&
                        type_of(count) == type_of(object));
}

// An object that may be part of a cycle has the collector's words before it; they are zero once the
// collector does not know it any more.
bool Objects::is_released(const runtime::MemoryRange& block) const {
  for (const std::uint64_t before : {std::uint64_t{0}, kCollectorBytes}) {
    const std::uint64_t object = block.begin + before;
    if (object + kObjectBytes > block.end || !has_no_owner(object)) {
      continue;
    }
    const std::uint64_t type = type_of(object);
    const bool is_collected = (flags_of(type) & kIsCollected) != 0;
    if (is_type(type) && is_collected == (before != 0) &&
        (!is_collected || memory_.read(block.begin) == 0)) {
      return true;
    }
  }
  return false;
}

bool Objects::is_named(std::uint64_t type, const char* name) const {
  const std::uint64_t text = memory_.read(type + kTypeName);
  const std::size_t bytes = std::strlen(name) + 1;
  return text != 0 && memory_.is_there(text, bytes) &&
         std::memcmp(reinterpret_cast<const void*>(text), name, bytes) == 0;
}

// weakref, weakref.ReferenceType, weakproxy, … by version, and classes in Python of these.
bool Objects::is_weak(std::uint64_t type) const {
  constexpr char kBegin[] = {'w', 'e', 'a', 'k'};
  for (unsigned i = 0; type != 0 && i < kMostBases; ++i) {
    const std::uint64_t text = memory_.read(type + kTypeName);
    if ((flags_of(type) & kHeapType) == 0 && text != 0 && memory_.is_there(text, sizeof(kBegin)) &&
        std::memcmp(reinterpret_cast<const void*>(text), kBegin, sizeof(kBegin)) == 0) {
      return true;
    }
    type = memory_.read(type + kTypeBase);
  }
  return false;
}

bool Objects::read_keys(std::uint64_t keys, std::uint64_t values, Dict& dict) const {
  constexpr unsigned kMostLogBytes = 40;
  if (keys == 0) {
    return false;
  }
  dict.keys = keys;
  dict.values = values == 0 ? 0 : values + layout_.values_begin;
  if (layout_.keys_have_size) {
    const std::uint64_t places = memory_.read(keys + kKeysSize);
    if (places >= kMostElements) {
      return false;
    }
    dict.entries = keys + kSizedKeysIndex + index_bytes(places);
    dict.count = memory_.read(keys + kSizedKeysUsed);
    dict.has_hashes = true;
  } else {
    const auto log_bytes = memory_.read<std::uint8_t>(keys + kKeysLogBytes);
    if (log_bytes >= kMostLogBytes) {
      return false;
    }
    dict.entries = keys + kKeysIndex + (std::uint64_t{1} << log_bytes);
    dict.count = memory_.read(keys + kKeysUsed);
    dict.has_hashes = memory_.read<std::uint8_t>(keys + kKeysKind) == 0;
  }
  const std::uint64_t entry_bytes = dict.has_hashes ? 3 * kWord : 2 * kWord;
  return dict.count < kMostElements && memory_.is_there(dict.entries, dict.count * entry_bytes) &&
         (values == 0 || memory_.is_there(dict.values, dict.count * kWord));
}

bool Objects::read_dict(std::uint64_t object, Dict& dict) const {
  return object != 0 && (flags_of(type_of(object)) & kIsDict) != 0 &&
         read_keys(memory_.read(object + kDictKeys), memory_.read(object + kDictValues), dict);
}

std::uint64_t Objects::values_of(std::uint64_t object, std::uint64_t type,
                                 std::uint64_t word) const {
  switch (layout_.values) {
    case InstanceValues::kNowhere:
      break;
    case InstanceValues::kBefore:
      return memory_.read(object - kValuesBefore);
    case InstanceValues::kMarked:
      return (word & 1) != 0 ? word + 1 : 0;
    case InstanceValues::kBehind: {
      const std::uint64_t values = object + memory_.read(type + kTypeBytes);
      const bool are_there = word == 0 && (flags_of(type) & kHasValues) != 0 &&
                             memory_.read<std::uint8_t>(values + kValuesAreValid) != 0;
      return are_there ? values : 0;
    }
  }
  return 0;
}

}  // namespace seep::script::python
