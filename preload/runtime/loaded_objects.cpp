#include "preload/runtime/loaded_objects.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/prctl.h>

#include <cstddef>
#include <cstdint>

#include "preload/runtime/syscall.h"

#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856  // Linux 6.4
#endif

namespace seep::runtime {
namespace {

// A pointer that only the relocation gives its value: linkers leave what they like in its place.
// volatile: the compiler knows it otherwise.
void* volatile g_relocated = const_cast<void**>(&g_relocated);

constexpr std::size_t kMostEntries = 64;

long read_auxiliary_vector(ElfW(auxv_t) * entries, std::size_t bytes) {
  const long file =
      enter_kernel(__NR_openat, AT_FDCWD, as_argument("/proc/self/auxv"), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return enter_kernel(__NR_prctl, PR_GET_AUXV, as_argument(entries), static_cast<long>(bytes));
  }
  const long got = enter_kernel(__NR_read, file, as_argument(entries), static_cast<long>(bytes));
  enter_kernel(__NR_close, file);
  return got;
}

// The program headers of the program, as the kernel has told the loader.
struct ProgramHeaders {
  const ElfW(Phdr) * first = nullptr;
  std::uint64_t count = 0;
};

ProgramHeaders find_program_headers() {
  ElfW(auxv_t) entries[kMostEntries];
  const long bytes = read_auxiliary_vector(entries, sizeof(entries));
  ProgramHeaders headers;
  for (long i = 0; (i + 1) * static_cast<long>(sizeof(entries[0])) <= bytes; ++i) {
    if (entries[i].a_type == AT_PHDR) {
      headers.first = reinterpret_cast<const ElfW(Phdr)*>(entries[i].a_un.a_val);
    } else if (entries[i].a_type == AT_PHNUM) {
      headers.count = entries[i].a_un.a_val;
    }
  }
  return headers;
}

// The loader leaves the address of its list in the program's dynamic section, for debuggers, before
// it relocates anything.
const r_debug* find_list_in_program() {
  const ProgramHeaders headers = find_program_headers();
  std::uint64_t bias = 0;
  const ElfW(Dyn)* entry = nullptr;
  for (std::uint64_t i = 0; headers.first != nullptr && i < headers.count; ++i) {
    const ElfW(Phdr)& header = headers.first[i];
    if (header.p_type == PT_PHDR) {
      bias = reinterpret_cast<std::uint64_t>(headers.first) - header.p_vaddr;
    } else if (header.p_type == PT_DYNAMIC) {  // PT_PHDR stands before all others
      entry = reinterpret_cast<const ElfW(Dyn)*>(bias + header.p_vaddr);
    }
  }
  for (; entry != nullptr && entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_DEBUG) {
      return reinterpret_cast<const r_debug*>(entry->d_un.d_ptr);
    }
  }
  return nullptr;
}

constinit const r_debug* g_list = nullptr;  // before the relocation, when there is one thread

}  // namespace

bool is_relocated() {
  return g_relocated == &g_relocated;
}

const link_map* loaded_objects() {
  if (is_relocated()) {
    return _r_debug.r_map;
  }
  if (g_list == nullptr) {
    g_list = find_list_in_program();
  }
  return g_list == nullptr ? nullptr : g_list->r_map;
}

}  // namespace seep::runtime
