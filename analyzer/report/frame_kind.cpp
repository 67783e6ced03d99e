#include "analyzer/report/frame_kind.h"

#include <algorithm>
#include <array>

namespace seep::report {
namespace {

// Entry points of allocators. Names that end in '*' stand for all that begin so.
constexpr std::array kAllocatorFunctions = {
    "malloc",          "calloc",        "realloc",       "reallocarray",
    "posix_memalign",  "aligned_alloc", "memalign",      "valloc",
    "pvalloc",         "operator new*", "mmap",          "mmap64",
    "mremap",          "__libc_malloc", "__libc_calloc", "__libc_realloc",
    "__libc_memalign", "_int_malloc",   "mallocx",       "rallocx",
    "xallocx",         "je_*",          "tc_malloc*",    "tc_new*",
    "tc_calloc*",      "tc_realloc*",   "mi_malloc*",    "mi_new*",
    "mi_calloc*",      "mi_zalloc*",    "mi_realloc*",   "_mi_*",
    "tcmalloc::*",     "seep_*"};

// Modules that consist of an allocator.
constexpr std::array kAllocatorModules = {"libseep.so*", "libjemalloc.so*", "libtcmalloc*",
                                          "libmimalloc*"};

// Functions that pass on what they allocate: their caller decides.
constexpr std::array kWrappers = {
    "xmalloc*",          "xcalloc*",         "xrealloc*",      "xzalloc*",
    "xstrdup*",          "xstrndup*",        "xmemdup*",       "zmalloc*",
    "zcalloc*",          "zrealloc*",        "ztrymalloc*",    "ztrycalloc*",
    "ztryrealloc*",      "zstrdup*",         "g_malloc*",      "g_try_malloc*",
    "g_realloc*",        "g_slice_*",        "g_strdup*",      "g_strndup",
    "g_memdup*",         "ngx_alloc",        "ngx_calloc",     "ngx_memalign",
    "safe_malloc",       "safe_calloc",      "safe_realloc",   "_emalloc*",
    "_ecalloc*",         "_erealloc*",       "_safe_emalloc*", "__zend_malloc",
    "__zend_calloc",     "__zend_realloc",   "_PyMem_*",       "PyMem_*",
    "_PyObject_Malloc*", "PyObject_Malloc",  "av_malloc*",     "av_mallocz*",
    "CRYPTO_malloc",     "CRYPTO_zalloc",    "CRYPTO_realloc", "strdup",
    "strndup",           "__strdup",         "__strndup",      "asprintf",
    "vasprintf",         "jv_mem_*",         "sqlite3Malloc*", "sqlite3MemMalloc",
    "sqlite3MemRealloc", "sqlite3DbMalloc*", "sqlite3Realloc", "sqlite3_malloc*",
    "xmlMalloc*",        "xmlStrdup",        "xmlStrndup",     "std::*",
    "__gnu_cxx::*",      "__cxxabiv1::*",    "__cxa_*"};

constexpr std::array kLibraryModules = {
    "libc.so*",     "libc-2*",   "libstdc++.so*", "libc++.so*", "libc++abi.so*",
    "libgcc_s.so*", "ld-linux*", "libpthread*",   "libm.so*",   "libdl.so*"};

bool matches(std::string_view name, std::string_view pattern) {
  if (pattern.ends_with('*')) {
    return name.starts_with(pattern.substr(0, pattern.size() - 1));
  }
  return name == pattern;
}

template <std::size_t N>
bool is_listed(std::string_view name, const std::array<const char*, N>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const char* pattern) { return matches(name, pattern); });
}

// Without what stands between < and >, which may nest; operator<, -> and the like stay.
std::string without_templates(std::string_view name) {
  std::string result;
  int depth = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool is_operator =
        result.ends_with("operator") || result.ends_with("operator<") || result.ends_with('-');
    if (c == '<' && !(depth == 0 && is_operator)) {
      ++depth;
    } else if (c == '>' && depth > 0) {
      --depth;
    } else if (depth == 0) {
      result += c;
    }
  }
  return result;
}

// Clones the compiler makes (".constprop.0", ".part.1", ".cold") are the same function.
void drop_clone_suffix(std::string& name) {
  if (const auto clone = name.find(" [clone"); clone != std::string::npos) {
    name.resize(clone);
  }
  for (const char* suffix : {".constprop", ".isra", ".part", ".cold", ".lto_priv", ".llvm."}) {
    if (const auto at = name.find(suffix); at != std::string::npos && at != 0) {
      name.resize(at);
    }
  }
}

}  // namespace

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string bare_name(const model::ReportFrame& frame) {
  if (!frame.function) {
    return {};
  }
  std::string name = without_templates(*frame.function);
  drop_clone_suffix(name);
  // "operator()" keeps its own parentheses, and "(anonymous namespace)::f" begins with some.
  const auto call = name.find("operator()");
  const auto anonymous = name.rfind("(anonymous namespace)");
  std::size_t from = call != std::string::npos ? call + std::string_view("operator()").size() : 0;
  if (anonymous != std::string::npos) {
    from = std::max(from, anonymous + std::string_view("(anonymous namespace)").size());
  }
  name.resize(std::min(name.size(), name.find('(', from)));
  const auto conversion = name.find("operator ");
  const auto space = name.rfind(' ', conversion == std::string::npos ? conversion : conversion);
  const bool in_anonymous =
      space != std::string::npos && name.substr(0, space).ends_with("(anonymous");
  if (space != std::string::npos && conversion == std::string::npos && !in_anonymous) {
    name.erase(0, space + 1);
  }
  return name;
}

bool is_allocator_frame(const model::ReportFrame& frame) {
  return is_listed(base_name(frame.module), kAllocatorModules) ||
         is_listed(bare_name(frame), kAllocatorFunctions);
}

bool is_library_frame(const model::ReportFrame& frame) {
  return is_allocator_frame(frame) || is_listed(base_name(frame.module), kLibraryModules) ||
         is_listed(bare_name(frame), kWrappers);
}

}  // namespace seep::report
