#include "cli/launch/elf_facts.h"

#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

#include <memory>
#include <string_view>

namespace seep::launch {
namespace {

struct ElfCloser {
  void operator()(Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, ElfCloser>;

class FileDescriptor {
 public:
  explicit FileDescriptor(const std::string& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~FileDescriptor() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

void read_interpreter(Elf* elf, const GElf_Phdr& header, ElfFacts& facts) {
  Elf_Data* data =
      elf_getdata_rawchunk(elf, static_cast<int64_t>(header.p_offset), header.p_filesz, ELF_T_BYTE);
  if (data != nullptr && data->d_size > 1) {
    const std::string_view text(static_cast<const char*>(data->d_buf), data->d_size);
    facts.interpreter = text.substr(0, text.find('\0'));
  }
}

void read_program_headers(Elf* elf, ElfFacts& facts) {
  std::size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0) {
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (gelf_getphdr(elf, static_cast<int>(i), &header) != nullptr && header.p_type == PT_INTERP) {
      read_interpreter(elf, header, facts);
    }
  }
}

void read_needed(Elf* elf, Elf_Data* data, const GElf_Shdr& header, ElfFacts& facts) {
  for (int i = 0;; ++i) {
    GElf_Dyn entry;
    if (gelf_getdyn(data, i, &entry) == nullptr || entry.d_tag == DT_NULL) {
      return;
    }
    const char* name =
        entry.d_tag == DT_NEEDED ? elf_strptr(elf, header.sh_link, entry.d_un.d_val) : nullptr;
    if (name != nullptr) {
      facts.needed.emplace_back(name);
    }
  }
}

void read_symbols(Elf* elf, Elf_Data* data, const GElf_Shdr& header, ElfFacts& facts) {
  for (int i = 0;; ++i) {
    GElf_Sym symbol;
    if (gelf_getsym(data, i, &symbol) == nullptr) {
      return;
    }
    const char* name = elf_strptr(elf, header.sh_link, symbol.st_name);
    const std::string_view text = name != nullptr ? name : "";
    facts.has_asan = facts.has_asan || text == "__asan_init";
    facts.has_tsan = facts.has_tsan || text == "__tsan_init";
  }
}

// Both symbol tables: gcc's -static-libasan leaves the names in .symtab only.
void read_sections(Elf* elf, ElfFacts& facts) {
  for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr;
       section = elf_nextscn(elf, section)) {
    GElf_Shdr header;
    Elf_Data* data = nullptr;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type == SHT_NOBITS ||
        (data = elf_getdata(section, nullptr)) == nullptr) {
      continue;
    }
    if (header.sh_type == SHT_DYNAMIC) {
      read_needed(elf, data, header, facts);
    } else if (header.sh_type == SHT_DYNSYM || header.sh_type == SHT_SYMTAB) {
      read_symbols(elf, data, header, facts);
    }
  }
}

}  // namespace

std::optional<ElfFacts> read_elf_facts(const std::string& path) {
  elf_version(EV_CURRENT);
  const FileDescriptor file(path);
  if (file.get() < 0) {
    return std::nullopt;
  }
  const ElfHandle elf(elf_begin(file.get(), ELF_C_READ_MMAP, nullptr));
  GElf_Ehdr header;
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF || gelf_getehdr(elf.get(), &header) == nullptr) {
    return std::nullopt;
  }
  ElfFacts facts;
  facts.is_64_bit = gelf_getclass(elf.get()) == ELFCLASS64;
  facts.machine = header.e_machine;
  read_program_headers(elf.get(), facts);
  read_sections(elf.get(), facts);
  return facts;
}

}  // namespace seep::launch
