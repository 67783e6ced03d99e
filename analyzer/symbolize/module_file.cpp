#include "analyzer/symbolize/module_file.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "analyzer/symbolize/debug_servers.h"

namespace seep::symbolize {
namespace {

struct EndElf {
  void operator()(Elf* elf) const { elf_end(elf); }
};

std::string hex(const unsigned char* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += fmt::format("{:02x}", bytes[i]);
  }
  return text;
}

std::optional<std::string> build_id_of(int descriptor) {
  struct stat status {};
  // A FIFO or a device at the path must not hold us up.
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  elf_version(EV_CURRENT);
  const std::unique_ptr<Elf, EndElf> elf(elf_begin(descriptor, ELF_C_READ_MMAP, nullptr));
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF) {
    return std::nullopt;
  }
  const void* bytes = nullptr;
  const ssize_t count = dwelf_elf_gnu_build_id(elf.get(), &bytes);
  return count > 0 ? hex(static_cast<const unsigned char*>(bytes), static_cast<std::size_t>(count))
                   : std::string();
}

// Lower-case hex, empty for an ELF file without one; nothing when it is no readable ELF file.
std::optional<std::string> build_id_of(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    return std::nullopt;
  }
  std::optional<std::string> id = build_id_of(descriptor);
  ::close(descriptor);
  return id;
}

std::string shown(const std::string& build_id) {
  return build_id.empty() ? "none" : build_id.substr(0, 12);
}

std::string changed(const std::string& file, const std::string& was, const std::string& is) {
  return fmt::format(
      "{} has changed since the recording (build-id {}, now {}): give the old file with --sysroot "
      "or --debug-dir",
      file, shown(was), shown(is));
}

std::string missing(const std::string& file) {
  return fmt::format("{} cannot be read: give it with --sysroot or --debug-dir to name its frames",
                     file);
}

}  // namespace

ModuleFile::ModuleFile(const model::Module& module, const DebugSearch& search) {
  if (!module.path.starts_with('/')) {
    return;
  }
  std::string other;  // the first file that there is, with another build-id
  std::string other_id;
  for (const std::string& file : search.candidates(module)) {
    const std::optional<std::string> id = build_id_of(file);
    if (id && *id == module.build_id) {
      open(file, search);
      return;
    }
    if (id && other.empty()) {
      other = file;
      other_id = *id;
    }
  }
  if (const std::string file = fetch_module_file(module.build_id, search.callbacks());
      !file.empty()) {
    open(file, search);
  } else if (!other.empty()) {
    warning_ = changed(other, module.build_id, other_id);
  } else {
    warning_ = missing(path_on_disk(module.path));
  }
}

void ModuleFile::open(const std::string& file, const DebugSearch& search) {
  session_.reset(dwfl_begin(&search.callbacks()));
  if (!session_) {
    warning_ = missing(file);
    return;
  }
  dwfl_report_begin(session_.get());
  handle_ = dwfl_report_elf(session_.get(), file.c_str(), file.c_str(), -1, 0, true);
  if (dwfl_report_end(session_.get(), nullptr, nullptr) != 0 || handle_ == nullptr) {
    handle_ = nullptr;
    warning_ = missing(file);
  }
}

}  // namespace seep::symbolize
