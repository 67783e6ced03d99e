#include "preload/intercept/loaded_file.h"

#include <cstring>
#include <string_view>

#include "preload/runtime/arena.h"
#include "preload/runtime/file.h"
#include "preload/runtime/loaded_objects.h"
#include "preload/runtime/text.h"

namespace seep::intercept {
namespace {

// Bounds for what is read from memory that may be something else by now.
constexpr unsigned kMostObjects = 1U << 14;
constexpr unsigned kMostDynamics = 256;
constexpr unsigned kMostInChain = 1U << 12;
constexpr std::size_t kMostName = 64;

constexpr ElfW(Half) kHiddenVersion = 0x8000;  // a definition that only old programs bind to

template <typename T>
bool read(const T* from, T& to) {
  return runtime::read_own_memory(from, &to, sizeof(T));
}

// Calls visit(entry) for each entry of a dynamic section; false where it cannot be read.
template <typename Visit>
bool visit_dynamics(const ElfW(Dyn) * entry, Visit&& visit) {
  constexpr std::size_t kAtOnce = 16;
  for (unsigned count = 0; count < kMostDynamics;) {
    const auto in_page = reinterpret_cast<std::uintptr_t>(entry) % runtime::kPageBytes;
    const std::size_t to_end = (runtime::kPageBytes - in_page) / sizeof(*entry);
    const std::size_t at_once = to_end == 0 ? 1 : to_end < kAtOnce ? to_end : kAtOnce;
    ElfW(Dyn) entries[kAtOnce];
    if (!runtime::read_own_memory(entry, entries, at_once * sizeof(*entry))) {
      return false;
    }
    for (std::size_t i = 0; i < at_once; ++i) {
      if (entries[i].d_tag == DT_NULL) {
        return true;
      }
      visit(entries[i]);
    }
    entry += at_once;
    count += static_cast<unsigned>(at_once);
  }
  return false;
}

std::uint32_t gnu_hash(const char* name) {
  std::uint32_t hash = 5381;
  for (const char* c = name; *c != '\0'; ++c) {
    hash = hash * 33 + static_cast<unsigned char>(*c);
  }
  return hash;
}

}  // namespace

// glibc relocates the pointers of a dynamic section in place, other loaders leave them relative.
bool LoadedFile::open(const link_map& object) {
  *this = LoadedFile();
  base_ = object.l_addr;
  const bool is_read = visit_dynamics(object.l_ld, [&](const ElfW(Dyn) & entry) {
    const ElfW(Addr) value = entry.d_un.d_ptr;
    const ElfW(Addr) address = value < base_ ? value + base_ : value;
    switch (entry.d_tag) {
      case DT_SYMTAB:
        symbols_ = reinterpret_cast<const ElfW(Sym)*>(address);
        break;
      case DT_STRTAB:
        names_ = reinterpret_cast<const char*>(address);
        break;
      case DT_VERSYM:
        versions_ = reinterpret_cast<const ElfW(Half)*>(address);
        break;
      case DT_GNU_HASH:
        hash_ = reinterpret_cast<const std::uint32_t*>(address);
        break;
      default:
        break;
    }
  });
  return is_read && symbols_ != nullptr && names_ != nullptr && hash_ != nullptr;
}

bool LoadedFile::defines(std::uint32_t index, const char* name, unsigned type,
                         ElfW(Sym) & symbol) const {
  const std::size_t bytes = runtime::length_of(name) + 1;
  ElfW(Half) version = 0;
  char text[kMostName];
  return bytes <= sizeof(text) && read(symbols_ + index, symbol) &&
         (symbol.st_info & 0xF) == type && symbol.st_shndx != SHN_UNDEF &&
         (versions_ == nullptr ||
          (read(versions_ + index, version) && (version & kHiddenVersion) == 0)) &&
         runtime::read_own_memory(names_ + symbol.st_name, text, bytes) &&
         std::memcmp(text, name, bytes) == 0;
}

// The layout is described in the GNU gABI extensions: header, Bloom filter, buckets, chains.
Definition LoadedFile::find(const char* name, unsigned type) const {
  struct Header {
    std::uint32_t buckets;
    std::uint32_t first;
    std::uint32_t bloom_words;
    std::uint32_t bloom_shift;
  } header{};
  if (hash_ == nullptr || !runtime::read_own_memory(hash_, &header, sizeof(header)) ||
      header.buckets == 0 || header.bloom_words == 0) {
    return {};
  }
  constexpr unsigned kBits = 8 * sizeof(ElfW(Addr));
  const std::uint32_t hash = gnu_hash(name);
  const auto* bloom = reinterpret_cast<const ElfW(Addr)*>(hash_ + sizeof(header) / 4);
  const auto* buckets = reinterpret_cast<const std::uint32_t*>(bloom + header.bloom_words);
  const std::uint32_t* chain = buckets + header.buckets;
  ElfW(Addr) filter = 0;
  std::uint32_t index = 0;
  if (!read(bloom + hash / kBits % header.bloom_words, filter) ||
      (filter >> hash % kBits & filter >> (hash >> header.bloom_shift % 32) % kBits & 1) == 0 ||
      !read(buckets + hash % header.buckets, index) || index < header.first) {
    return {};
  }
  for (unsigned i = 0; i < kMostInChain; ++i, ++index) {
    std::uint32_t entry = 0;
    if (!read(chain + (index - header.first), entry)) {
      return {};
    }
    ElfW(Sym) symbol{};
    if ((entry | 1) == (hash | 1) && defines(index, name, type, symbol)) {
      return {reinterpret_cast<void*>(base_ + symbol.st_value), nullptr, symbol.st_size};
    }
    if ((entry & 1) != 0) {
      return {};
    }
  }
  return {};
}

bool LoadedFile::find_with(const char* name) {
  const link_map* next = runtime::loaded_objects();
  for (unsigned i = 0; next != nullptr && i < kMostObjects; ++i) {
    link_map object{};
    if (!read(next, object)) {
      break;
    }
    if (open(object) && function(name).address != nullptr) {
      return true;
    }
    next = object.l_next;
  }
  *this = LoadedFile();
  return false;
}

}  // namespace seep::intercept
