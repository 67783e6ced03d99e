#include "preload/stack/loader_modules.h"

#include <link.h>
#include <sys/auxv.h>

#include <string_view>

#include "preload/runtime/arena.h"
#include "preload/runtime/file.h"
#include "preload/runtime/loaded_objects.h"
#include "preload/stack/elf_image.h"
#include "preload/stack/module_registry.h"

namespace seep::stack {
namespace {

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::size_t kMostPathBytes = 4096;

struct Scratch {
  ElfScratch elf;
  ElfImage image;
  char path[kMostPathBytes];
};

// The text at `address`, which may be unmapped at any moment; empty when it cannot be read.
std::string_view read_text(std::uint64_t address, char (&buffer)[kMostPathBytes]) {
  std::size_t size = 0;
  while (size < kMostPathBytes) {
    const std::uint64_t at = address + size;
    const std::size_t to_page_end = kPageBytes - at % kPageBytes;
    const std::size_t room = kMostPathBytes - size;
    const std::size_t bytes = to_page_end < room ? to_page_end : room;
    if (!runtime::read_own_memory(reinterpret_cast<const void*>(at), buffer + size, bytes)) {
      break;
    }
    const std::size_t end = std::string_view(buffer + size, bytes).find('\0');
    if (end != std::string_view::npos) {
      return {buffer, size + end};
    }
    size += bytes;
  }
  return {};
}

// The list says nothing of the program but its bias, and gives the vDSO another name than /proc.
std::uint64_t base_of(const link_map& object, bool is_program) {
  return is_program ? getauxval(AT_PHDR) / kPageBytes * kPageBytes : object.l_addr;
}
std::string_view path_of(const link_map& object, bool is_program, Scratch& scratch) {
  if (object.l_addr != 0 && object.l_addr == getauxval(AT_SYSINFO_EHDR)) {
    return "[vdso]";
  }
  const std::uint64_t name =
      is_program ? getauxval(AT_EXECFN) : reinterpret_cast<std::uint64_t>(object.l_name);
  return read_text(name, scratch.path);
}

void add_object(const link_map& object, bool is_program, Scratch& scratch, PlaceTable& table) {
  const std::uint64_t base = base_of(object, is_program);
  if (!read_elf_image(base, scratch.elf, scratch.image) || scratch.elf.code_count == 0) {
    return;
  }
  const std::string_view path = path_of(object, is_program, scratch);
  const Load* load = intern_load({path, 0, scratch.elf.code[0].begin, scratch.image});
  for (unsigned i = 0; i < scratch.elf.code_count; ++i) {
    const std::uint64_t begin = scratch.elf.code[i].begin / kPageBytes * kPageBytes;
    const std::uint64_t end = (scratch.elf.code[i].end + kPageBytes - 1) / kPageBytes * kPageBytes;
    table.insert({begin, end, load});
  }
}

}  // namespace

bool add_loader_modules(PlaceTable& table) {
  auto* scratch = static_cast<Scratch*>(runtime::map_pages(sizeof(Scratch)));
  if (scratch == nullptr || _r_debug.r_state == r_debug::RT_DELETE) {
    runtime::unmap_pages(scratch, scratch == nullptr ? 0 : sizeof(Scratch));
    return false;
  }
  const link_map* first = runtime::loaded_objects();
  const link_map* at = first;
  link_map object;
  // No more than there is room for, should the list change into a circle.
  for (std::uint32_t i = 0;
       i < kMaxCodeRanges && at != nullptr && runtime::read_own_memory(at, &object, sizeof(object));
       ++i) {
    add_object(object, at == first, *scratch, table);
    at = object.l_next;
  }
  runtime::unmap_pages(scratch, sizeof(Scratch));
  return at == nullptr && table.count != 0;
}

}  // namespace seep::stack
