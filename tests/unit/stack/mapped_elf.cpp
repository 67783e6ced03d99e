#include "tests/unit/stack/mapped_elf.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace seep::stack::testing {
namespace {

constexpr std::uint64_t kPageMask = 4095;

std::vector<Elf64_Phdr> read_segments(int fd) {
  Elf64_Ehdr header{};
  std::vector<Elf64_Phdr> segments;
  if (pread(fd, &header, sizeof(header), 0) != sizeof(header)) {
    return segments;
  }
  segments.resize(header.e_phnum);
  const std::size_t bytes = segments.size() * sizeof(Elf64_Phdr);
  if (pread(fd, segments.data(), bytes, static_cast<off_t>(header.e_phoff)) !=
      static_cast<ssize_t>(bytes)) {
    segments.clear();
  }
  std::erase_if(segments, [](const Elf64_Phdr& segment) { return segment.p_type != PT_LOAD; });
  return segments;
}

}  // namespace

MappedElf::MappedElf(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    auto scratch = std::make_unique<ElfScratch>();
    ok_ = map(fd) && read_elf_image(reinterpret_cast<std::uint64_t>(begin_), *scratch, image_);
    close(fd);
  }
}

MappedElf::~MappedElf() {
  if (begin_ != nullptr) {
    munmap(begin_, bytes_);
  }
}

bool MappedElf::map(int fd) {
  const std::vector<Elf64_Phdr> segments = read_segments(fd);
  if (segments.empty()) {
    return false;
  }
  const std::uint64_t first = segments.front().p_vaddr & ~kPageMask;
  const Elf64_Phdr& last = segments.back();
  bytes_ = ((last.p_vaddr + last.p_memsz + kPageMask) & ~kPageMask) - first;
  void* room = mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) {
    return false;
  }
  begin_ = room;
  return std::all_of(segments.begin(), segments.end(), [&](const Elf64_Phdr& segment) {
    const std::uint64_t begin = segment.p_vaddr & ~kPageMask;
    const std::uint64_t shift = segment.p_vaddr - begin;
    return segment.p_filesz == 0 ||
           mmap(static_cast<char*>(begin_) + (begin - first), segment.p_filesz + shift, PROT_READ,
                MAP_PRIVATE | MAP_FIXED, fd,
                static_cast<off_t>(segment.p_offset - shift)) != MAP_FAILED;
  });
}

std::string loaded_library(const std::string& name) {
  std::pair<std::string, std::string> search{name, ""};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* argument) {
        auto& [wanted, found] = *static_cast<std::pair<std::string, std::string>*>(argument);
        const std::string path = info->dlpi_name;
        if (path.compare(path.rfind('/') + 1, wanted.size(), wanted) == 0) {
          found = path;
        }
        return 0;
      },
      &search);
  return search.second;
}

}  // namespace seep::stack::testing
