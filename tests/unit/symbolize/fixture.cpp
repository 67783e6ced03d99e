#include "tests/unit/symbolize/fixture.h"

#include <dlfcn.h>
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <link.h>
#include <unistd.h>

#include <fstream>

namespace seep::symbolize {
namespace {

std::string build_id_of(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  elf_version(EV_CURRENT);
  Elf* elf = elf_begin(descriptor, ELF_C_READ, nullptr);
  const void* bytes = nullptr;
  const ssize_t count = dwelf_elf_gnu_build_id(elf, &bytes);
  std::string text;
  for (ssize_t i = 0; i < count; ++i) {
    text += fmt::format("{:02x}", static_cast<const unsigned char*>(bytes)[i]);
  }
  elf_end(elf);
  ::close(descriptor);
  return text;
}

std::string file_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

Fixture::Fixture(const std::string& file) {
  module_.path = fixture_path(file);
  module_.build_id = build_id_of(module_.path);
  handle_ = ::dlopen(module_.path.c_str(), RTLD_NOW | RTLD_LOCAL);
  EXPECT_NE(handle_, nullptr) << ::dlerror();
  link_map* map = nullptr;
  if (handle_ != nullptr && ::dlinfo(handle_, RTLD_DI_LINKMAP, &map) == 0) {
    bias_ = map->l_addr;
  }
}

Fixture::~Fixture() {
  if (handle_ != nullptr) {
    ::dlclose(handle_);
  }
}

void* Fixture::find(const char* symbol) {
  void* found = handle_ == nullptr ? nullptr : ::dlsym(handle_, symbol);
  EXPECT_NE(found, nullptr) << symbol;
  return found;
}

std::uint64_t Fixture::return_address(const char* function) {
  using Function = void* (*)();
  const auto call = reinterpret_cast<Function>(find(function));
  return call == nullptr ? 0 : reinterpret_cast<std::uint64_t>(call()) - bias_;
}

std::uint64_t Fixture::address_of(const char* symbol) {
  return reinterpret_cast<std::uint64_t>(find(symbol)) - bias_;
}

std::uint64_t Fixture::symbol_address(unsigned index) {
  const auto* addresses = static_cast<const std::uint64_t*>(find("symbol_addresses"));
  return addresses == nullptr ? 0 : addresses[index] - bias_;
}

model::ReportStack Fixture::frames(const char* function, const Options& options) {
  Symbolizer symbolizer(options);
  return symbolizer.frames(module_, node_at(return_address(function), false));
}

std::string fixture_path(const std::string& file) {
  return std::string(SEEP_FIXTURES) + "/" + file;
}

unsigned line_of(const std::string& marker) {
  std::ifstream source(std::string(SEEP_FIXTURE_SOURCES) + "/frames.cpp");
  std::string line;
  for (unsigned number = 1; std::getline(source, line); ++number) {
    if (line.ends_with("// MARKER " + marker)) {
      return number;
    }
  }
  ADD_FAILURE() << "no marker " << marker;
  return 0;
}

model::Node node_at(std::uint64_t offset, bool exact_pc) {
  model::Node node;
  node.offset = offset;
  node.module = 1;
  node.exact_pc = exact_pc;
  return node;
}

std::vector<std::string> described(const model::ReportStack& stack) {
  std::vector<std::string> lines;
  for (const model::ReportFrame& frame : stack) {
    const std::string line = frame.line ? std::to_string(*frame.line) : "?";
    lines.push_back(fmt::format("{} {}:{}", frame.function.value_or("?"),
                                file_name(frame.file.value_or("?")), line));
  }
  return lines;
}

}  // namespace seep::symbolize
