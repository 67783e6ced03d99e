// Reads memory of this process that may not be there. Context: IN-HOOK, any thread.
//
// The kernel is asked once for each page, and what lies in a page that it has read for us is read
// directly from then on: what an interpreter's own chain leads to is there, unless the chain is not
// what it is taken for. A page that was given back since is not told apart: for that, the chain
// would have to be wrong and lead to just such a page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace seep::script {

// Whether [address, address + bytes) is there; of what is larger than two pages, its ends are asked
// for.
bool is_readable(std::uintptr_t address, std::size_t bytes);

// Copies an object; false where it is not there.
template <typename T>
bool read_checked(std::uintptr_t address, T& to) {
  if (!is_readable(address, sizeof(T))) {
    return false;
  }
  std::memcpy(&to, reinterpret_cast<const void*>(address), sizeof(T));
  return true;
}

}  // namespace seep::script
