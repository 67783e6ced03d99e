#include "analyzer/report/frame_kind.h"

#include <algorithm>
#include <array>

#include "analyzer/report/wrapper_name.h"

namespace seep::report {
namespace {

// Entry points of allocators.
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
constexpr std::array kAllocatorModules = {"libjemalloc.so*", "libtcmalloc*", "libmimalloc*"};

// Libraries whose functions serve the code that calls them.
constexpr std::array kLibraryModules = {
    "libc.so*",       "libc-2*",          "libstdc++.so*",   "libc++.so*",     "libc++abi.so*",
    "libgcc_s.so*",   "ld-linux*",        "libpthread*",     "libm.so*",       "libdl.so*",
    "libresolv*",     "libglib-2.0.so*",  "libgobject-2.0*", "libcrypto.so*",  "libssl.so*",
    "libxml2.so*",    "libxslt.so*",      "libsqlite3.so*",  "libQt*Core.so*", "libexpat.so*",
    "libz.so*",       "libzstd.so*",      "liblzma.so*",     "libbz2.so*",     "libjson-c.so*",
    "libjansson.so*", "libyaml-0.so*",    "libyaml-cpp.so*", "libpcre*.so*",   "libicuuc.so*",
    "libicui18n.so*", "libprotobuf*.so*", "libboost_*",      "libabsl_*",      "libfolly*",
    "libevent*.so*",  "libuv.so*",        "libapr-1.so*",    "libaprutil*",    "libcurl*.so*",
    "libonig.so*",    "libreadline.so*",  "libgmp.so*",      "libtinfo.so*",   "libncurses*"};

constexpr std::array kJitStubs = {"Builtin:*", "BytecodeHandler:*", "Handler:*", "Stub:*",
                                  "RegExp:*"};

template <std::size_t N>
bool is_listed(std::string_view name, const std::array<const char*, N>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const char* pattern) { return matches(name, pattern); });
}

// Rust's "<alloc::vec::Vec<T> as core::clone::Clone>::clone" -> "alloc::vec::Vec<T>::clone".
std::string without_trait(std::string_view name) {
  const auto as = name.find(" as ");
  const auto end = name.rfind(">::");
  if (!name.starts_with('<') || as == std::string_view::npos || end == std::string_view::npos ||
      end < as) {
    return std::string(name);
  }
  return std::string(name.substr(1, as - 1)) + std::string(name.substr(end + 1));
}

// Of code that a compiler made while the program ran: stubs of V8, and Node's own modules.
bool is_jit_library(const model::ReportFrame& frame) {
  return (frame.file && frame.file->starts_with("node:")) ||
         (frame.function && is_listed(*frame.function, kJitStubs));
}

// Without what stands between < and >, which may nest; operator< and operator<< stay.
std::string without_templates(std::string_view name) {
  std::string result;
  int depth = 0;
  for (const char c : name) {
    const bool is_operator = result.ends_with("operator") || result.ends_with("operator<");
    if (c == '<' && (depth != 0 || !is_operator)) {
      ++depth;
    } else if (c == '>' && depth > 0) {
      --depth;
    } else if (depth == 0) {
      result += c;
    }
  }
  return result;
}

// "decltype (new (p) T(x)) std::construct_at" -> "std::construct_at": a return type in brackets.
std::string_view without_decltype(std::string_view name) {
  constexpr std::string_view kWord = "decltype";
  if (!name.starts_with(kWord)) {
    return name;
  }
  int depth = 0;
  for (std::size_t i = kWord.size(); i < name.size(); ++i) {
    depth += name[i] == '(' ? 1 : name[i] == ')' ? -1 : 0;
    if (name[i] == ')' && depth == 0) {
      const auto begin = name.find_first_not_of(' ', i + 1);
      return begin == std::string_view::npos ? name : name.substr(begin);
    }
    if (depth == 0 && name[i] != ' ') {
      return name;  // a name that merely begins so
    }
  }
  return name;
}

// Where the parameter list begins, or the end. Parentheses that belong to the name are passed over:
// "(anonymous namespace)::f", "operator()", "{lambda(int)#1}".
std::size_t parameters_begin(std::string_view name) {
  int braces = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    for (const std::string_view part : {"(anonymous namespace)", "operator()"}) {
      i += name.substr(i).starts_with(part) ? part.size() : 0;
    }
    if (i >= name.size()) {
      break;
    }
    braces += name[i] == '{' ? 1 : name[i] == '}' ? -1 : 0;
    if (name[i] == '(' && braces == 0) {
      return i;
    }
  }
  return name.size();
}

// Where the name begins after a return type: behind the last space that is neither in brackets nor
// part of "operator new".
std::size_t name_begin(std::string_view name) {
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name.substr(i).starts_with("operator")) {
      break;
    }
    depth += name[i] == '(' || name[i] == '{' ? 1 : name[i] == ')' || name[i] == '}' ? -1 : 0;
    begin = name[i] == ' ' && depth == 0 ? i + 1 : begin;
  }
  return begin;
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
  if (frame.language != model::Language::kNative) {
    return *frame.function;
  }
  std::string name = without_templates(without_trait(without_decltype(*frame.function)));
  drop_clone_suffix(name);
  name.resize(parameters_begin(name));
  name.resize(name.find_last_not_of(' ') + 1);
  name.erase(0, name_begin(name));
  return name;
}

const std::string& BareNames::of(const model::ReportFrame& frame) {
  if (!frame.function) {
    return none_;
  }
  const auto [entry, is_new] = names_.try_emplace(*frame.function);
  if (is_new) {
    entry->second = bare_name(frame);
  }
  return entry->second;
}

bool is_seep_frame(const model::ReportFrame& frame) {
  return matches(base_name(frame.module), "libseep.so*");
}

bool is_allocator_frame(const model::ReportFrame& frame) {
  if (frame.language != model::Language::kNative) {
    return false;
  }
  return is_seep_frame(frame) || is_listed(base_name(frame.module), kAllocatorModules) ||
         is_listed(bare_name(frame), kAllocatorFunctions);
}

bool is_library_frame(const model::ReportFrame& frame) {
  if (frame.language == model::Language::kJit) {
    return is_jit_library(frame);
  }
  if (frame.language != model::Language::kNative) {
    return !frame.file;
  }
  return is_allocator_frame(frame) || is_listed(base_name(frame.module), kLibraryModules) ||
         wrapper_name(bare_name(frame)) == WrapperName::kYes;
}

bool may_be_wrapper(const model::ReportFrame& frame) {
  return frame.language == model::Language::kNative &&
         wrapper_name(bare_name(frame)) != WrapperName::kNo;
}

}  // namespace seep::report
