#include "cli/launch/target.h"

#include <elf.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string_view>

#include "cli/launch/elf_facts.h"

namespace seep::launch {
namespace {

#if defined(__x86_64__)
constexpr unsigned kOwnMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kOwnMachine = EM_AARCH64;
#else
#error "seep knows x86-64 and aarch64"
#endif

constexpr int kMaxScriptDepth = 5;  // as the kernel: a script's interpreter may be a script

bool is_regular(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

FoundCommand look_at(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) {
    return {};
  }
  const bool runs = is_regular(path) && access(path.c_str(), X_OK) == 0;
  return {runs ? FoundCommand::Outcome::kFound : FoundCommand::Outcome::kNotExecutable, path};
}

// "#!  /usr/bin/env -S x" gives "/usr/bin/env"; empty when the line is none.
std::string interpreter_of(std::string_view head) {
  if (!head.starts_with("#!")) {
    return {};
  }
  head = head.substr(2, head.find('\n') - 2);
  const std::size_t begin = head.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    return {};
  }
  return std::string(head.substr(begin, head.find_first_of(" \t\r", begin) - begin));
}

// The loader ignores LD_PRELOAD where an exec changes what the process may do (AT_SECURE).
std::string why_secure(const std::string& program) {
  struct stat status {};
  struct statvfs mount {};
  const bool no_suid = statvfs(program.c_str(), &mount) == 0 && (mount.f_flag & ST_NOSUID) != 0;
  if (no_suid || stat(program.c_str(), &status) != 0) {
    return {};
  }
  // A process whose real uid is root is not restricted by file capabilities. no_new_privs keeps
  // them from being granted, but the program is started as one that has them.
  if (getuid() != 0 && getxattr(program.c_str(), "security.capability", nullptr, 0) > 0) {
    return "has file capabilities";
  }
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
    return {};
  }
  if ((status.st_mode & S_ISUID) != 0 && status.st_uid != getuid()) {
    return "is set-uid";
  }
  if ((status.st_mode & S_ISGID) != 0 && (status.st_mode & S_IXGRP) != 0 &&
      status.st_gid != getgid()) {
    return "is set-gid";
  }
  return {};
}

bool needs(const ElfFacts& facts, std::string_view part) {
  for (const std::string& library : facts.needed) {
    if (library.find(part) != std::string::npos) {
      return true;
    }
  }
  return false;
}

std::string why_elf(const ElfFacts& facts) {
  if (!facts.is_64_bit) {
    return "is a 32-bit program";
  }
  if (facts.machine != kOwnMachine) {
    return "is built for another machine";
  }
  if (facts.interpreter.empty()) {
    return "is statically linked";
  }
  if (facts.interpreter.find("ld-musl") != std::string::npos) {
    return "is linked with musl";
  }
  if (facts.has_asan || needs(facts, "libasan.") || needs(facts, "libclang_rt.asan")) {
    return "is linked with AddressSanitizer";
  }
  if (facts.has_tsan || needs(facts, "libtsan.") || needs(facts, "libclang_rt.tsan")) {
    return "is linked with ThreadSanitizer";
  }
  return {};
}

}  // namespace

FoundCommand find_command(const std::string& name, const std::string& search_path) {
  if (name.find('/') != std::string::npos) {
    return look_at(name);
  }
  FoundCommand best;
  std::size_t begin = 0;
  while (!name.empty() && begin <= search_path.size()) {
    const std::size_t end = std::min(search_path.find(':', begin), search_path.size());
    const std::string directory = search_path.substr(begin, end - begin);
    FoundCommand found = look_at((directory.empty() ? "." : directory) + "/" + name);
    if (found.outcome == FoundCommand::Outcome::kFound) {
      return found;
    }
    if (found.outcome == FoundCommand::Outcome::kNotExecutable && is_regular(found.path)) {
      best = found;
    }
    begin = end + 1;
  }
  return best;
}

std::string loaded_program(const std::string& path) {
  std::string program = path;
  for (int depth = 0; depth < kMaxScriptDepth; ++depth) {
    std::array<char, 256> head{};  // as much as the kernel looks at
    std::ifstream file(program, std::ios::binary);
    file.read(head.data(), head.size());
    const std::string_view text(head.data(), static_cast<std::size_t>(file.gcount()));
    if (text.empty() || text.starts_with(ELFMAG)) {
      return program;
    }
    const std::string interpreter = interpreter_of(text);
    program = interpreter.empty() ? "/bin/sh" : interpreter;
  }
  return program;
}

std::string why_untracked(const std::string& program) {
  if (std::string why = why_secure(program); !why.empty()) {
    return why;
  }
  const std::optional<ElfFacts> facts = read_elf_facts(program);
  return facts ? why_elf(*facts) : std::string();
}

}  // namespace seep::launch
