// An ELF file mapped as the loader would map it, without running or relocating it: unwind tables of
// any file can be read from it.
#pragma once

#include <cstdint>
#include <string>

#include "preload/stack/elf_image.h"

namespace seep::stack::testing {

class MappedElf {
 public:
  explicit MappedElf(const std::string& path);
  ~MappedElf();
  MappedElf(const MappedElf&) = delete;
  MappedElf& operator=(const MappedElf&) = delete;

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] const ElfImage& image() const { return image_; }

 private:
  bool map(int fd);

  bool ok_ = false;
  void* begin_ = nullptr;
  std::size_t bytes_ = 0;
  ElfImage image_{};
};

// The path of the loaded library whose file name begins with `name`; empty when none is loaded.
std::string loaded_library(const std::string& name);

}  // namespace seep::stack::testing
