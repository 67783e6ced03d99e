#include "analyzer/suppress/built_in.h"

#include <array>
#include <string>

namespace seep::suppress {
namespace {

// Functions whose own or callees' memory is made once and has no owner when the process ends. Names
// are whole: these are few, and a part of a name could be a program's own.
constexpr std::array kLostAtStartUp = {
    // The loader: search paths, dependencies, thread-local storage of loaded libraries.
    "_dl_map_object*", "_dl_new_object", "__tls_get_addr", "_dl_relocate_object",
    // libc: messages of dlopen, locales, character sets, name services, time zones.
    "dlerror", "_dlerror_run", "setlocale", "_nl_*", "__gconv_*", "__nss_*", "tzset",
    // Interpreters, while they start.
    "Py_InitializeFromConfig", "perl_construct", "perl_parse", "php_module_startup"};

Suppression lost_once(const char* function) {
  Suppression suppression;
  suppression.name = std::string("built-in leak:^") + function + "$";
  suppression.pattern = std::string("^") + function + "$";
  suppression.once_only = true;
  return suppression;
}

std::vector<Suppression> make_built_in() {
  std::vector<Suppression> list;
  list.reserve(std::size(kLostAtStartUp));
  for (const char* function : kLostAtStartUp) {
    list.push_back(lost_once(function));
  }
  return list;
}

}  // namespace

const std::vector<Suppression>& built_in() {
  static const std::vector<Suppression> list = make_built_in();
  return list;
}

}  // namespace seep::suppress
