// Which objects of pools are alive: an AddressTable that tells addresses to 8 bytes.
// Context: IN-HOOK, as AddressTable.
//
// Blocks of allocators begin at multiples of 16, and that is what the table tells. Objects lie as
// their pool likes it, 24 bytes apart for instance: the bit of their address that would be lost
// stands below their size.
#pragma once

#include <cstdint>

#include "preload/table/address_table.h"

namespace seep::table {

// Of an object that begins at an odd address, or at 4 more than a multiple of 8, the multiple of 8
// below is told.
class PoolTable {
 public:
  constexpr PoolTable() = default;
  PoolTable(const PoolTable&) = delete;
  PoolTable& operator=(const PoolTable&) = delete;

  // As those of AddressTable. Of two objects that begin within the same 16 bytes the second
  // replaces the first.
  Insert insert(const Block& object, Block& old) {
    const Insert outcome = entries_.insert(entry_of(object), old);
    old = object_of(old);
    return outcome;
  }
  [[gnu::always_inline]] bool try_insert(const Block& object) {
    return entries_.try_insert(entry_of(object));
  }
  bool remove(std::uintptr_t address) { return entries_.remove(place_of(address)); }
  [[gnu::always_inline]] bool try_remove(std::uintptr_t address) {
    return entries_.try_remove(place_of(address));
  }
  void allow_dense_pages(bool allowed) { entries_.allow_dense_pages(allowed); }
  void expect_equal_blocks(bool expected) { entries_.expect_equal_blocks(expected, kSizeShift); }
  // The object that begins at `address`, a multiple of 8.
  bool look_up(std::uintptr_t address, Block& object) {
    if (!entries_.look_up(place_of(address), object)) {
      return false;
    }
    object = object_of(object);
    return object.address == address;
  }
  // The object that begins at `address` is no more, and still counts: it is told with a mark, until
  // it is removed or another one is inserted there. Nothing happens where there is none.
  void mark_gone(std::uintptr_t address) {
    Block entry;
    entries_.begin_transit(place_of(address), entry);
  }
  [[nodiscard]] bool was_used() const { return entries_.was_used(); }
  void use_huge_pages() { entries_.use_huge_pages(); }

  // Calls visit(const Block&, bool gone) for every live object and those with a mark, pages in
  // ascending order.
  template <typename Visit>
  void walk(Visit&& visit) const {
    entries_.walk([&visit](const Block& entry, bool gone) { visit(object_of(entry), gone); });
  }
  // The same for those that begin in [begin, end).
  template <typename Visit>
  void walk_range(std::uintptr_t begin, std::uintptr_t end, Visit&& visit) const {
    entries_.walk_range(place_of(begin), end, [&](const Block& entry) {
      const Block object = object_of(entry);
      if (object.address >= begin && object.address < end) {
        visit(object);
      }
    });
  }

  [[nodiscard]] unsigned pieces_used(std::uintptr_t address) const {
    return entries_.pieces_used(address);
  }

 private:
  static constexpr unsigned kSizeShift = 1;

  static std::uintptr_t place_of(std::uintptr_t address) { return address & ~std::uintptr_t{15}; }
  static Block entry_of(const Block& object) {
    return {place_of(object.address), object.size << kSizeShift | (object.address >> 3 & 1),
            object.site, object.birth, object.may_be_near};
  }
  static Block object_of(const Block& entry) {
    return {entry.address | (entry.size & 1) << 3, entry.size >> kSizeShift, entry.site,
            entry.birth};
  }

  AddressTable entries_;
};

}  // namespace seep::table
