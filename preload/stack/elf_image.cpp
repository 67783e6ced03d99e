#include "preload/stack/elf_image.h"

#include <elf.h>

#include <cstring>

#include "preload/runtime/file.h"

namespace seep::stack {
namespace {

constexpr std::uint64_t kPageMask = 4095;
constexpr unsigned kMaxSegments = 16;

bool read_at(std::uint64_t address, void* to, std::size_t bytes) {
  return runtime::read_own_memory(reinterpret_cast<const void*>(address), to, bytes);
}

bool read_file_header(std::uint64_t base, std::uint8_t* page, Elf64_Ehdr& header) {
  if (!read_at(base, page, kElfPageBytes)) {
    return false;
  }
  std::memcpy(&header, page, sizeof(header));
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_machine == EM_X86_64 &&
         header.e_phentsize == sizeof(Elf64_Phdr) && header.e_phoff <= kElfPageBytes &&
         header.e_phnum <= (kElfPageBytes - header.e_phoff) / sizeof(Elf64_Phdr);
}

// The program headers that matter here, at run-time addresses.
struct Layout {
  ByteRange segments[kMaxSegments];  // readable ones
  unsigned segment_count = 0;
  bool has_load = false;
  ByteRange unwind{0, 0};  // .eh_frame_hdr
};

void add_load(const Elf64_Phdr& segment, std::uint64_t base, ElfImage& image, Layout& layout) {
  if (!layout.has_load) {
    layout.has_load = true;
    image.bias = base - ((segment.p_vaddr - segment.p_offset) & ~kPageMask);
    image.begin = base;
  }
  const std::uint64_t begin = image.bias + segment.p_vaddr;
  const std::uint64_t end = begin + segment.p_memsz;
  image.end = end > image.end ? end : image.end;
  if ((segment.p_flags & PF_R) != 0 && layout.segment_count < kMaxSegments) {
    layout.segments[layout.segment_count++] = {begin, begin + segment.p_filesz};
  }
}

// Looks for NT_GNU_BUILD_ID in one note segment.
void read_build_id(std::uint64_t address, std::uint64_t bytes, std::uint8_t* page,
                   ElfImage& image) {
  const std::size_t size = bytes < kElfPageBytes ? bytes : kElfPageBytes;
  if (image.build_id_bytes != 0 || !read_at(address, page, size)) {
    return;
  }
  std::size_t at = 0;
  while (at + sizeof(Elf64_Nhdr) <= size) {
    Elf64_Nhdr note;
    std::memcpy(&note, page + at, sizeof(note));
    const std::size_t name = at + sizeof(note);
    const std::size_t content = name + ((std::size_t{note.n_namesz} + 3) & ~std::size_t{3});
    const std::size_t end = content + ((std::size_t{note.n_descsz} + 3) & ~std::size_t{3});
    if (end > size) {
      return;
    }
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        std::memcmp(page + name, "GNU", 4) == 0 && note.n_descsz <= kMaxBuildId) {
      std::memcpy(image.build_id, page + content, note.n_descsz);
      image.build_id_bytes = note.n_descsz;
      return;
    }
    at = end;
  }
}

}  // namespace

bool read_elf_image(std::uint64_t base, std::uint8_t* page, ElfImage& image) {
  Elf64_Ehdr header;
  image = {};
  if (!read_file_header(base, page, header)) {
    return false;
  }
  Layout layout;
  ByteRange notes[kMaxSegments];
  unsigned note_count = 0;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, page + header.e_phoff + i * sizeof(segment), sizeof(segment));
    if (segment.p_type == PT_LOAD) {
      add_load(segment, base, image, layout);
    } else if (segment.p_type == PT_GNU_EH_FRAME) {
      layout.unwind = {segment.p_vaddr, segment.p_vaddr + segment.p_memsz};
    } else if (segment.p_type == PT_NOTE && note_count < kMaxSegments) {
      notes[note_count++] = {segment.p_vaddr, segment.p_vaddr + segment.p_memsz};
    }
  }
  if (!layout.has_load) {
    return false;
  }
  for (unsigned i = 0; i < note_count; ++i) {
    read_build_id(image.bias + notes[i].begin, notes[i].end - notes[i].begin, page, image);
  }
  const ByteRange unwind{image.bias + layout.unwind.begin, image.bias + layout.unwind.end};
  if (unwind.begin == unwind.end ||
      !read_at(unwind.begin, image.header_copy, sizeof(image.header_copy)) ||
      !parse_header(image.header_copy, unwind, layout.segments, layout.segment_count,
                    image.tables)) {
    std::memset(image.header_copy, 0, sizeof(image.header_copy));
  }
  return true;
}

}  // namespace seep::stack
