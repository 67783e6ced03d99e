#include "preload/stack/elf_image.h"

#include <elf.h>

#include <cstring>

#include "preload/runtime/file.h"

namespace seep::stack {
namespace {

constexpr std::uint64_t kPageMask = 4095;

bool read_at(std::uint64_t address, void* to, std::size_t bytes) {
  return runtime::read_own_memory(reinterpret_cast<const void*>(address), to, bytes);
}

bool read_file_header(std::uint64_t base, ElfScratch& scratch, Elf64_Ehdr& header) {
  constexpr std::size_t kBytes = ElfScratch::kPageBytes;
  if (!read_at(base, scratch.headers, kBytes)) {
    return false;
  }
  std::memcpy(&header, scratch.headers, sizeof(header));
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_machine == EM_X86_64 &&
         header.e_phentsize == sizeof(Elf64_Phdr) && header.e_phoff <= kBytes &&
         header.e_phnum <= (kBytes - header.e_phoff) / sizeof(Elf64_Phdr);
}

Elf64_Phdr segment_at(const Elf64_Ehdr& header, const ElfScratch& scratch, unsigned index) {
  Elf64_Phdr segment;
  std::memcpy(&segment, scratch.headers + header.e_phoff + index * sizeof(segment),
              sizeof(segment));
  return segment;
}

// Finds the file's place from its PT_LOAD segments; false when it has none.
bool read_segments(std::uint64_t base, const Elf64_Ehdr& header, ElfScratch& scratch,
                   ElfImage& image) {
  scratch.segment_count = 0;
  scratch.code_count = 0;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const Elf64_Phdr segment = segment_at(header, scratch, i);
    if (segment.p_type != PT_LOAD) {
      continue;
    }
    if (image.begin == 0) {
      image.bias = base - ((segment.p_vaddr - segment.p_offset) & ~kPageMask);
      image.begin = base;
    }
    const std::uint64_t begin = image.bias + segment.p_vaddr;
    const std::uint64_t end = begin + segment.p_memsz;
    image.end = end > image.end ? end : image.end;
    if ((segment.p_flags & PF_R) != 0 && scratch.segment_count < ElfScratch::kMaxSegments) {
      scratch.segments[scratch.segment_count++] = {begin, begin + segment.p_filesz};
    }
    if ((segment.p_flags & PF_X) != 0 && scratch.code_count < ElfScratch::kMaxSegments) {
      scratch.code[scratch.code_count++] = {begin, end};
    }
  }
  return image.begin != 0;
}

// Looks for NT_GNU_BUILD_ID in one note segment.
void read_build_id(const Elf64_Phdr& segment, ElfScratch& scratch, ElfImage& image) {
  const std::size_t size =
      segment.p_memsz < sizeof(scratch.notes) ? segment.p_memsz : sizeof(scratch.notes);
  if (image.build_id_bytes != 0 || !read_at(image.bias + segment.p_vaddr, scratch.notes, size)) {
    return;
  }
  constexpr std::size_t kAlignment = 3;
  std::size_t at = 0;
  while (at + sizeof(Elf64_Nhdr) <= size) {
    Elf64_Nhdr note;
    std::memcpy(&note, scratch.notes + at, sizeof(note));
    const std::size_t name = at + sizeof(note);
    const std::size_t content = name + ((std::size_t{note.n_namesz} + kAlignment) & ~kAlignment);
    const std::size_t end = content + ((std::size_t{note.n_descsz} + kAlignment) & ~kAlignment);
    if (end > size) {
      return;
    }
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        std::memcmp(scratch.notes + name, "GNU", 4) == 0 && note.n_descsz <= kMaxBuildId) {
      std::memcpy(image.build_id, scratch.notes + content, note.n_descsz);
      image.build_id_bytes = note.n_descsz;
      return;
    }
    at = end;
  }
}

void read_unwind_tables(const Elf64_Phdr& segment, const ElfScratch& scratch, ElfImage& image) {
  const std::uint64_t begin = image.bias + segment.p_vaddr;
  const ByteRange section{begin, begin + segment.p_memsz};
  if (!read_at(begin, image.header_copy, sizeof(image.header_copy)) ||
      !parse_header(image.header_copy, section, scratch.segments, scratch.segment_count,
                    image.tables)) {
    image.tables = {};
  }
}

}  // namespace

bool read_elf_image(std::uint64_t base, ElfScratch& scratch, ElfImage& image) {
  Elf64_Ehdr header;
  image = {};
  if (!read_file_header(base, scratch, header) || !read_segments(base, header, scratch, image)) {
    return false;
  }
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const Elf64_Phdr segment = segment_at(header, scratch, i);
    if (segment.p_type == PT_NOTE) {
      read_build_id(segment, scratch, image);
    } else if (segment.p_type == PT_GNU_EH_FRAME) {
      read_unwind_tables(segment, scratch, image);
    }
  }
  return true;
}

}  // namespace seep::stack
