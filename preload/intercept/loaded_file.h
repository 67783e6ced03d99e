// What a loaded file defines, looked up while other threads may load and unload: the loader's list
// and the symbol tables are read by the kernel, so that what is gone is not found instead of a
// fault, and no lock is taken. Some hundred system calls. Context: IN-HOOK (slow path), any thread.
//
// A file that is unloaded after it was found is the caller's concern (forget_interpreters_at).
#pragma once

#include <elf.h>
#include <link.h>

#include <cstdint>

#include "preload/intercept/elf_symbols.h"

namespace seep::intercept {

class LoadedFile {
 public:
  // Chooses the first file of the loader's list that defines the function `name`; false: none does,
  // as far as could be read.
  bool find_with(const char* name);

  // Of the chosen file; a null address where it does not define it. Definition::object is null.
  [[nodiscard]] Definition function(const char* name) const { return find(name, STT_FUNC); }
  [[nodiscard]] Definition variable(const char* name) const { return find(name, STT_OBJECT); }

 private:
  bool open(const link_map& object);
  [[nodiscard]] Definition find(const char* name, unsigned type) const;
  [[nodiscard]] bool defines(std::uint32_t index, const char* name, unsigned type,
                             ElfW(Sym) & symbol) const;

  ElfW(Addr) base_ = 0;
  const ElfW(Sym) * symbols_ = nullptr;
  const char* names_ = nullptr;
  const ElfW(Half) * versions_ = nullptr;
  const std::uint32_t* hash_ = nullptr;  // DT_GNU_HASH
};

}  // namespace seep::intercept
