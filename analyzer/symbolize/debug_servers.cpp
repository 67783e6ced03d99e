#include "analyzer/symbolize/debug_servers.h"

#include <chrono>
#include <cstdlib>
#include <memory>
#include <vector>

namespace seep::symbolize {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kServers = "DEBUGINFOD_URLS";
// Waiting in vain, over all modules, ends here.
constexpr std::chrono::seconds kLongestWait{10};

Clock::duration g_waited{};
bool g_given_up = false;

bool has_servers() {
  const char* servers = std::getenv(kServers);
  return servers != nullptr && *servers != '\0';
}

void count_wait(Clock::time_point start) {
  g_waited += Clock::now() - start;
  if (g_waited > kLongestWait && has_servers()) {
    ::unsetenv(kServers);
    g_given_up = true;
  }
}

std::vector<unsigned char> bytes_of(const std::string& hex) {
  std::vector<unsigned char> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<unsigned char>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

struct EndSession {
  void operator()(Dwfl* session) const { dwfl_end(session); }
};

}  // namespace

void limit_debug_servers() {
  ::setenv("DEBUGINFOD_TIMEOUT", "10", 0);
  ::setenv("DEBUGINFOD_MAXTIME", "60", 0);
  ::setenv("DEBUGINFOD_RETRY_LIMIT", "0", 0);
}

bool debug_servers_given_up() {
  return g_given_up;
}

// NOLINTNEXTLINE(readability-function-size): the parameters are libdwfl's
int find_debug_file(Dwfl_Module* module, void** user_data, const char* name, Dwarf_Addr base,
                    const char* file, const char* debug_link, GElf_Word crc, char** found) {
  const Clock::time_point start = Clock::now();
  const int descriptor =
      dwfl_standard_find_debuginfo(module, user_data, name, base, file, debug_link, crc, found);
  if (descriptor < 0) {
    count_wait(start);
  }
  return descriptor;
}

int find_module_file(Dwfl_Module* module, void** user_data, const char* name, Dwarf_Addr base,
                     char** file, Elf** elf) {
  const int descriptor = dwfl_build_id_find_elf(module, user_data, name, base, file, elf);
  if (descriptor >= 0 && *file == nullptr) {
    *file = ::realpath(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), nullptr);
  }
  return descriptor;
}

std::string fetch_module_file(const std::string& build_id, const Dwfl_Callbacks& callbacks) {
  const bool hex = build_id.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!has_servers() || build_id.empty() || !hex) {
    return {};
  }
  const Clock::time_point start = Clock::now();
  const std::vector<unsigned char> bytes = bytes_of(build_id);
  const std::unique_ptr<Dwfl, EndSession> session(dwfl_begin(&callbacks));
  if (!session) {
    return {};
  }
  dwfl_report_begin(session.get());
  // libdwfl looks for files of modules only: here one anywhere, of any size.
  Dwfl_Module* module = dwfl_report_module(session.get(), build_id.c_str(), 0x1000, 0x2000);
  GElf_Addr bias = 0;
  const char* file = nullptr;
  if (module != nullptr &&
      dwfl_module_report_build_id(module, bytes.data(), bytes.size(), 0) == 0 &&
      dwfl_module_getelf(module, &bias) != nullptr) {
    dwfl_module_info(module, nullptr, nullptr, nullptr, nullptr, nullptr, &file, nullptr);
  }
  if (file == nullptr) {
    count_wait(start);
    return {};
  }
  return file;
}

}  // namespace seep::symbolize
