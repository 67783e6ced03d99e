#include "preload/intercept/exec_target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "preload/intercept/preload_list.h"
#include "preload/runtime/file.h"
#include "preload/runtime/syscall.h"
#include "preload/runtime/text.h"

namespace seep::intercept {
namespace {

using runtime::as_argument;
using runtime::raw_syscall;

constexpr unsigned kMostScripts = 5;  // as the kernel: a script's interpreter may be a script
constexpr unsigned kMostHeaders = 64;
constexpr unsigned kMostEntries = 512;  // of the dynamic section
constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;

long read_at(int fd, std::uint64_t offset, void* data, std::size_t size) {
  return raw_syscall(__NR_pread64, fd, as_argument(data), static_cast<long>(size),
                     static_cast<long>(offset));
}

template <typename T>
bool read_whole(int fd, std::uint64_t offset, T& value) {
  return read_at(fd, offset, &value, sizeof(value)) == static_cast<long>(sizeof(value));
}

template <std::size_t kBytes>
std::string_view read_text(int fd, std::uint64_t offset, char (&text)[kBytes]) {
  const long size = read_at(fd, offset, text, kBytes - 1);
  text[size > 0 ? size : 0] = '\0';
  return runtime::view_of(text);
}

bool begins_with(std::string_view text, std::string_view begin) {
  return text.substr(0, begin.size()) == begin;
}

// A program of this machine's word size, by the parts of it that decide.
class Program {
 public:
  Program(int fd, const Elf64_Ehdr& header) : fd_(fd), header_(header) {}

  [[nodiscard]] bool refuses() const {
    for (unsigned i = 0; i < header_.e_phnum && i < kMostHeaders; ++i) {
      Elf64_Phdr segment;
      if (!read_segment(i, segment)) {
        return false;
      }
      if ((segment.p_type == PT_INTERP && is_musl(segment)) ||
          (segment.p_type == PT_DYNAMIC && needs_asan(segment))) {
        return true;
      }
    }
    return false;
  }

 private:
  bool read_segment(unsigned index, Elf64_Phdr& segment) const {
    return header_.e_phentsize == sizeof(segment) &&
           read_whole(fd_, header_.e_phoff + index * sizeof(segment), segment);
  }

  [[nodiscard]] bool is_musl(const Elf64_Phdr& segment) const {
    char text[128];
    return read_text(fd_, segment.p_offset, text).find("ld-musl") != std::string_view::npos;
  }

  // Where an address of the program stands in the file; 0 for nowhere.
  [[nodiscard]] std::uint64_t offset_of(std::uint64_t address) const {
    for (unsigned i = 0; i < header_.e_phnum && i < kMostHeaders; ++i) {
      Elf64_Phdr segment;
      if (read_segment(i, segment) && segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
          address - segment.p_vaddr < segment.p_filesz) {
        return address - segment.p_vaddr + segment.p_offset;
      }
    }
    return 0;
  }

  [[nodiscard]] bool needs_asan(const Elf64_Phdr& dynamic) const {
    const std::uint64_t strings = offset_of(find_entry(dynamic, DT_STRTAB));
    for (unsigned i = 0; strings != 0 && i < kMostEntries; ++i) {
      Elf64_Dyn entry;
      if (!read_entry(dynamic, i, entry)) {
        return false;
      }
      char text[32];
      if (entry.d_tag == DT_NEEDED) {
        const std::string_view name = read_text(fd_, strings + entry.d_un.d_val, text);
        if (begins_with(name, "libasan.so") || begins_with(name, "libclang_rt.asan")) {
          return true;
        }
      }
    }
    return false;
  }

  [[nodiscard]] std::uint64_t find_entry(const Elf64_Phdr& dynamic, Elf64_Sxword tag) const {
    Elf64_Dyn entry;
    for (unsigned i = 0; i < kMostEntries && read_entry(dynamic, i, entry); ++i) {
      if (entry.d_tag == tag) {
        return entry.d_un.d_ptr;
      }
    }
    return 0;
  }

  bool read_entry(const Elf64_Phdr& dynamic, unsigned index, Elf64_Dyn& entry) const {
    return (index + 1) * sizeof(entry) <= dynamic.p_filesz &&
           read_whole(fd_, dynamic.p_offset + index * sizeof(entry), entry) &&
           entry.d_tag != DT_NULL;
  }

  int fd_;
  const Elf64_Ehdr& header_;
};

bool is_regular(int fd) {
  struct stat status;
  return raw_syscall(__NR_fstat, fd, as_argument(&status)) == 0 && S_ISREG(status.st_mode);
}

// "#!  /usr/bin/env -S x" leaves "/usr/bin/env".
bool cut_interpreter(char* head) {
  std::string_view rest = runtime::view_of(head).substr(2);
  rest = rest.substr(0, rest.find('\n'));
  runtime::skip_blanks(rest);
  rest = rest.substr(0, rest.find_first_of(" \t\r"));
  memmove(head, rest.data(), rest.size());
  head[rest.size()] = '\0';
  return !rest.empty();
}

// Of the file, or of the interpreter whose path is then left in `head` for another look.
enum class Look { kTakes, kRefuses, kScript };

Look look_at(int fd, char (&head)[256]) {
  if (begins_with(read_text(fd, 0, head), "#!")) {
    return cut_interpreter(head) ? Look::kScript : Look::kTakes;
  }
  Elf64_Ehdr header;
  if (!read_whole(fd, 0, header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return Look::kTakes;
  }
  const bool other = header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64;
  return other || Program(fd, header).refuses() ? Look::kRefuses : Look::kTakes;
}

[[gnu::noinline]] bool refuses(int fd) {
  char head[256];
  Look look = is_regular(fd) ? look_at(fd, head) : Look::kTakes;
  for (unsigned i = 0; i < kMostScripts && look == Look::kScript; ++i) {
    const int interpreter = runtime::open_file(AT_FDCWD, head, kFlags);
    if (interpreter < 0) {
      return false;
    }
    look = is_regular(interpreter) ? look_at(interpreter, head) : Look::kTakes;
    runtime::close_file(interpreter);
  }
  return look == Look::kRefuses;
}

std::string_view variable(std::string_view assignment) {
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = runtime::view_of(*entry);
    if (begins_with(text, assignment)) {
      return text.substr(assignment.size());
    }
  }
  return "/bin:/usr/bin";
}

// The first file of that name in PATH that may be executed.
[[gnu::noinline]] int open_in_path(std::string_view name) {
  std::string_view path = variable("PATH=");
  while (true) {
    const std::size_t colon = path.find(':');
    runtime::Text<512> file;
    file.add(path.substr(0, colon)).add(colon == 0 || path.empty() ? "./" : "/").add(name);
    if (!file.cut() && raw_syscall(__NR_faccessat, AT_FDCWD, as_argument(file.c_str()), 1) == 0) {
      return runtime::open_file(AT_FDCWD, file.c_str(), kFlags);
    }
    if (colon == std::string_view::npos) {
      return -ENOENT;
    }
    path = path.substr(colon + 1);
  }
}

// Room for the copied array and the shortened variable; 0 when libseep.so is not in it.
std::size_t bytes_of(char* const* environment) {
  std::size_t count = 1;
  std::size_t preload = 0;
  bool named = false;
  for (; environment != nullptr && environment[count - 1] != nullptr; ++count) {
    const std::string_view entry = runtime::view_of(environment[count - 1]);
    if (is_preload_variable(entry)) {
      preload += entry.size() + 1;
      for_each_preloaded(entry, [&](std::string_view word) { named = named || is_libseep(word); });
    }
  }
  return named ? count * sizeof(char*) + preload : 0;
}

}  // namespace

std::size_t bytes_to_keep_seep_out(int fd, char* const* environment) {
  const std::size_t bytes = bytes_of(environment);
  return bytes != 0 && refuses(fd) ? bytes : 0;
}

std::size_t bytes_to_keep_seep_out(const char* program, Lookup lookup, char* const* environment) {
  const std::size_t bytes = bytes_of(environment);
  const std::string_view name = runtime::view_of(program);
  if (bytes == 0 || name.empty()) {
    return 0;
  }
  const bool is_path = lookup == Lookup::kPath || name.find('/') != std::string_view::npos;
  const int fd = is_path ? runtime::open_file(AT_FDCWD, program, kFlags) : open_in_path(name);
  if (fd < 0) {
    return 0;
  }
  const bool refused = refuses(fd);
  runtime::close_file(fd);
  return refused ? bytes : 0;
}

char* const* environment_without_seep(char* const* environment, void* memory) {
  auto** copy = static_cast<char**>(memory);
  std::size_t count = 0;
  while (environment[count] != nullptr) {
    ++count;
  }
  char* text = reinterpret_cast<char*>(copy + count + 1);
  std::size_t used = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view entry = runtime::view_of(environment[i]);
    if (!is_preload_variable(entry)) {
      copy[used++] = environment[i];
    } else if (copy_without_seep(entry, text)) {
      copy[used++] = text;
      text += entry.size() + 1;
    }
  }
  copy[used] = nullptr;
  return copy;
}

}  // namespace seep::intercept
