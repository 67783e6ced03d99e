#include "preload/intercept/elf_symbols.h"

#include <elf.h>
#include <link.h>

#include "preload/runtime/loaded_objects.h"

// Our own, wherever it is loaded; without this a pointer to it would have to be relocated.
[[gnu::visibility("hidden")]] extern ElfW(Dyn) _DYNAMIC[];

namespace seep::intercept {
namespace {

struct SymbolTable {
  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
  const ElfW(Half) * versions = nullptr;
  const std::uint32_t* gnu_hash = nullptr;
  const std::uint32_t* hash = nullptr;
};

constexpr ElfW(Half) kHiddenVersion = 0x8000;  // a definition that only old programs bind to

// glibc relocates these pointers in place, other loaders leave them relative to the object.
template <typename T>
const T* pointer_in(const link_map& object, ElfW(Addr) value) {
  return reinterpret_cast<const T*>(value < object.l_addr ? value + object.l_addr : value);
}

SymbolTable symbol_table_of(const link_map& object) {
  SymbolTable table;
  for (const ElfW(Dyn)* entry = object.l_ld; entry != nullptr && entry->d_tag != DT_NULL; ++entry) {
    const ElfW(Addr) value = entry->d_un.d_ptr;
    switch (entry->d_tag) {
      case DT_SYMTAB:
        table.symbols = pointer_in<ElfW(Sym)>(object, value);
        break;
      case DT_STRTAB:
        table.names = pointer_in<char>(object, value);
        break;
      case DT_VERSYM:
        table.versions = pointer_in<ElfW(Half)>(object, value);
        break;
      case DT_GNU_HASH:
        table.gnu_hash = pointer_in<std::uint32_t>(object, value);
        break;
      case DT_HASH:
        table.hash = pointer_in<std::uint32_t>(object, value);
        break;
      default:
        break;
    }
  }
  return table;
}

// Not strcmp, and no string_view: see loaded_objects.h.
bool is_same(const char* a, const char* b) {
  for (; *a == *b; ++a, ++b) {
    if (*a == '\0') {
      return true;
    }
  }
  return false;
}

bool is_function(const ElfW(Sym) & symbol) {
  const unsigned type = symbol.st_info & 0xF;
  return type == STT_FUNC || type == STT_GNU_IFUNC;
}

bool defines(const SymbolTable& table, std::uint32_t index, const char* name) {
  const ElfW(Sym)& symbol = table.symbols[index];
  const bool hidden = table.versions != nullptr && (table.versions[index] & kHiddenVersion) != 0;
  return is_function(symbol) && symbol.st_shndx != SHN_UNDEF && !hidden &&
         is_same(table.names + symbol.st_name, name);
}

// The layout is described in the GNU gABI extensions: header, Bloom filter, buckets, chains.
const ElfW(Sym) * find_by_gnu_hash(const SymbolTable& table, const char* name) {
  std::uint32_t hash = 5381;
  for (const char* c = name; *c != '\0'; ++c) {
    hash = hash * 33 + static_cast<unsigned char>(*c);
  }
  const std::uint32_t buckets = table.gnu_hash[0];
  const std::uint32_t first = table.gnu_hash[1];
  const std::uint32_t bloom_words = table.gnu_hash[2];
  const std::uint32_t* bucket = table.gnu_hash + 4 + bloom_words * (sizeof(ElfW(Addr)) / 4);
  const std::uint32_t* chain = bucket + buckets;
  std::uint32_t index = buckets == 0 ? 0 : bucket[hash % buckets];
  if (index < first) {
    return nullptr;
  }
  while (true) {
    const std::uint32_t entry = chain[index - first];
    if ((entry | 1) == (hash | 1) && defines(table, index, name)) {
      return &table.symbols[index];
    }
    if ((entry & 1) != 0) {
      return nullptr;
    }
    ++index;
  }
}

const ElfW(Sym) * find_by_hash(const SymbolTable& table, const char* name) {
  const std::uint32_t symbol_count = table.hash[1];
  for (std::uint32_t index = 1; index < symbol_count; ++index) {
    if (defines(table, index, name)) {
      return &table.symbols[index];
    }
  }
  return nullptr;
}

const ElfW(Sym) * find_symbol(const SymbolTable& table, const char* name) {
  if (table.symbols == nullptr || table.names == nullptr) {
    return nullptr;
  }
  if (table.gnu_hash != nullptr) {
    return find_by_gnu_hash(table, name);
  }
  return table.hash != nullptr ? find_by_hash(table, name) : nullptr;
}

Definition find_in(const link_map& object, const char* name) {
  const ElfW(Sym)* symbol = find_symbol(symbol_table_of(object), name);
  if (symbol == nullptr) {
    return {};
  }
  auto* address = reinterpret_cast<void*>(object.l_addr + symbol->st_value);
  if ((symbol->st_info & 0xF) == STT_GNU_IFUNC) {
    address = reinterpret_cast<void* (*)()>(address)();
  }
  return {address, object.l_name, symbol->st_size};
}

Definition find_from(const link_map* object, const char* name) {
  for (; object != nullptr; object = object->l_next) {
    if (const Definition found = find_in(*object, name); found.address != nullptr) {
      return found;
    }
  }
  return {};
}

}  // namespace

Definition find_next_definition(const char* name) {
  const link_map* object = runtime::loaded_objects();
  while (object != nullptr && object->l_ld != _DYNAMIC) {
    object = object->l_next;
  }
  return find_from(object == nullptr ? nullptr : object->l_next, name);
}

Definition find_first_definition(const char* name) {
  return find_from(runtime::loaded_objects(), name);
}

bool is_defined_before(const char* name) {
  for (const link_map* object = runtime::loaded_objects();
       object != nullptr && object->l_ld != _DYNAMIC; object = object->l_next) {
    if (find_symbol(symbol_table_of(*object), name) != nullptr) {
      return true;
    }
  }
  return false;
}

}  // namespace seep::intercept
