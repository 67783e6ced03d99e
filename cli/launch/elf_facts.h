// What an executable file says about itself, read before it is started: enough to tell whether a
// preloaded library can work in it. Thread safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace seep::launch {

struct ElfFacts {
  bool is_64_bit = true;
  unsigned machine = 0;             // e_machine, e.g. EM_X86_64
  std::string interpreter;          // PT_INTERP; empty: statically linked
  std::vector<std::string> needed;  // DT_NEEDED
  bool has_asan = false;            // defines or wants __asan_init
  bool has_tsan = false;            // defines or wants __tsan_init
};

// Nothing when the file cannot be read or is no ELF file.
std::optional<ElfFacts> read_elf_facts(const std::string& path);

}  // namespace seep::launch
