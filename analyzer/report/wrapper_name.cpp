#include "analyzer/report/wrapper_name.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <string>
#include <vector>

namespace seep::report {
namespace {

using namespace std::string_view_literals;

// Whole libraries and types that only ever allocate for their caller.
constexpr std::array kLibraries = {
    // C++, and libraries of containers
    "std::*"sv, "__gnu_cxx::*"sv, "__cxxabiv1::*"sv, "__cxa_*"sv, "__gnu_debug::*"sv, "boost::*"sv,
    "absl::*"sv, "folly::*"sv, "eastl::*"sv, "fmt::*"sv, "tbb::*"sv, "phmap::*"sv, "tsl::*"sv,
    "robin_hood::*"sv, "ankerl::*"sv, "google::protobuf::*"sv, "Eigen::*"sv, "nlohmann::*"sv,
    "rapidjson::*"sv, "llvm::SmallVector*"sv, "llvm::DenseMap*"sv, "llvm::StringMap*"sv,
    "llvm::BumpPtrAllocator*"sv, "llvm::allocate_buffer"sv, "llvm::safe_malloc"sv,
    // Qt
    "QArrayData::*"sv, "QTypedArrayData::*"sv, "QListData::*"sv, "QHashData::*"sv,
    "QMapDataBase::*"sv, "QString::*"sv, "QByteArray::*"sv, "QVector::*"sv, "QList::*"sv,
    "QHash::*"sv, "QMap::*"sv, "QVarLengthArray::*"sv, "QSharedPointer::*"sv, "QtPrivate::*"sv,
    "QHashPrivate::*"sv, "qMalloc*"sv, "qRealloc*"sv,
    // GLib
    "g_slice_*"sv, "g_array_*"sv, "g_ptr_array_*"sv, "g_byte_array_*"sv, "g_string_*"sv,
    "g_hash_table_*"sv, "g_list_*"sv, "g_slist_*"sv, "g_queue_*"sv, "g_tree_*"sv, "g_strconcat"sv,
    "g_strjoin*"sv, "g_strsplit*"sv, "g_strdup*"sv, "g_convert*"sv, "g_build_*"sv,
    "g_object_new*"sv, "g_type_create_instance"sv, "g_bytes_new*"sv,
    // OpenSSL, libxml2, SQLite, PCRE
    "CRYPTO_*"sv, "OPENSSL_*alloc*"sv, "OPENSSL_*dup"sv, "OPENSSL_sk_*"sv, "OPENSSL_LH_*"sv,
    "BUF_MEM_*"sv, "xmlMalloc*"sv, "xmlMemMalloc*"sv, "xmlMem*Dup*"sv, "xmlStr*dup"sv, "xmlBuf*"sv,
    "xmlDict*"sv, "sqlite3*Malloc*"sv, "sqlite3*Realloc*"sv, "sqlite3*StrDup"sv,
    "sqlite3*StrNDup"sv, "pcache1*"sv,
    // PHP and Python
    "_emalloc*"sv, "_ecalloc*"sv, "_erealloc*"sv, "_safe_*alloc*"sv, "_estrdup*"sv, "_estrndup*"sv,
    "__zend_*alloc"sv, "zend_string_alloc*"sv, "zend_string_init*"sv, "_zend_new_array*"sv,
    "zend_hash_*"sv, "zend_mm_*"sv, "smart_str_*"sv, "_PyMem_*"sv, "PyMem_*"sv, "PyObject_Malloc"sv,
    "PyObject_Calloc"sv, "PyObject_Realloc"sv, "_PyObject_Malloc*"sv, "_PyObject_Calloc*"sv,
    "_PyObject_Realloc*"sv, "_PyObject_New*"sv, "_PyObject_GC_*"sv, "PyType_GenericAlloc"sv,
    "_PyType_Alloc*"sv, "PyUnicode_New"sv, "PyUnicode_From*"sv, "PyBytes_From*"sv, "PyList_New"sv,
    "PyDict_New"sv, "PyTuple_New"sv, "PyLong_From*"sv, "PyFloat_From*"sv,
    // Rust and Go
    "alloc::*"sv, "core::*"sv, "hashbrown::*"sv, "__rust_*alloc*"sv, "__rdl_*alloc*"sv,
    "__rg_*alloc*"sv, "_cgo_*"sv, "x_cgo_*"sv, "runtime.*"sv, "runtime/*"sv,
    // jq, nginx, Apache's runtime
    "jv_mem_*"sv, "ngx_alloc"sv, "ngx_calloc"sv, "ngx_memalign"sv, "ngx_p*alloc*"sv,
    "apr_p*alloc*"sv, "apr_pstr*dup"sv, "apr_allocator_*"sv,
    // libc, when it is linked in
    "asprintf"sv, "__asprintf*"sv, "vasprintf"sv, "__vasprintf*"sv, "getline"sv, "__getline"sv,
    "getdelim"sv, "__getdelim"sv, "open_memstream"sv, "open_wmemstream"sv, "fmemopen"sv,
    "scandir*"sv, "__scandir*"sv, "getaddrinfo"sv, "realpath"sv, "__realpath*"sv,
    "canonicalize_file_name"sv, "getcwd"sv, "get_current_dir_name"sv, "fopen"sv, "fopen64"sv,
    "__fopen_*"sv, "fdopen"sv, "freopen"sv, "freopen64"sv, "popen"sv, "tmpfile"sv, "tmpfile64"sv,
    "opendir"sv, "fdopendir"sv, "__opendir*"sv, "__alloc_dir"sv, "wcsdup"sv, "tempnam"sv,
    "regcomp"sv, "glob"sv, "glob64"sv, "wordexp"sv, "iconv_open"sv, "newlocale"sv, "duplocale"sv,
    "setlocale"sv, "getifaddrs"sv, "_IO_*"sv, "_nl_*"sv, "__nss_*"sv, "_dl_*"sv};

// What libc's own functions are called; in a name of their own they are the plainest sign.
constexpr std::array kLibcVerbs = {"malloc"sv,   "calloc"sv,  "realloc"sv,  "strdup"sv,
                                   "strndup"sv,  "memdup"sv,  "memalign"sv, "reallocarray"sv,
                                   "reallocf"sv, "mallocz"sv, "valloc"sv,   "mallocarray"sv};
// Others, which are also used of what a program makes of memory: "alloc_session".
constexpr std::array kVerbs = {"alloc"sv,      "allocate"sv,  "allocation"sv,
                               "reallocate"sv, "callocate"sv, "allocz"sv};

// Words that say how memory is allocated, not what for.
constexpr std::array kQualities = {"a"sv,       "or"sv,         "die"sv,
                                   "fail"sv,    "nofail"sv,     "abort"sv,
                                   "exit"sv,    "fatal"sv,      "panic"sv,
                                   "safe"sv,    "checked"sv,    "check"sv,
                                   "try"sv,     "must"sv,       "do"sv,
                                   "my"sv,      "mem"sv,        "memory"sv,
                                   "raw"sv,     "zero"sv,       "zeroed"sv,
                                   "clear"sv,   "cleared"sv,    "array"sv,
                                   "n"sv,       "aligned"sv,    "align"sv,
                                   "size"sv,    "sized"sv,      "flags"sv,
                                   "usable"sv,  "bytes"sv,      "internal"sv,
                                   "impl"sv,    "helper"sv,     "wrapper"sv,
                                   "fast"sv,    "slow"sv,       "default"sv,
                                   "std"sv,     "sys"sv,        "system"sv,
                                   "generic"sv, "x"sv,          "z"sv,
                                   "from"sv,    "nothrow"sv,    "noexcept"sv,
                                   "no"sv,      "null"sv,       "atomic"sv,
                                   "debug"sv,   "persistent"sv, "count"sv,
                                   "loc"sv,     "ex"sv,         "uninitialized"sv,
                                   "raise"sv,   "throw"sv,      "rpl"sv};

// Where memory may come from. In front of the verb only: "pool_alloc" serves others, "alloc_pool"
// makes a pool.
constexpr std::array kSources = {"heap"sv,  "arena"sv,  "pool"sv,   "zone"sv,   "slab"sv,
                                 "local"sv, "global"sv, "thread"sv, "buffer"sv, "stack"sv};

// Prefixes of libraries whose allocation functions are well known.
constexpr std::array kPrefixes = {
    "g"sv,       "av"sv,      "sk"sv,     "sqlite3"sv, "sqlite"sv,  "xml"sv,    "crypto"sv,
    "openssl"sv, "ngx"sv,     "apr"sv,    "ap"sv,      "png"sv,     "zend"sv,   "php"sv,
    "curl"sv,    "uv"sv,      "evutil"sv, "event"sv,   "git"sv,     "rb"sv,     "ruby"sv,
    "lua"sv,     "lual"sv,    "jv"sv,     "duk"sv,     "js"sv,      "pg"sv,     "redis"sv,
    "cairo"sv,   "ft"sv,      "fc"sv,     "hb"sv,      "uprv"sv,    "icu"sv,    "nss"sv,
    "port"sv,    "gcry"sv,    "gnutls"sv, "mbedtls"sv, "wolfssl"sv, "vpx"sv,    "x264"sv,
    "ogg"sv,     "vorbis"sv,  "jpeg"sv,   "tiff"sv,    "webp"sv,    "gst"sv,    "xcb"sv,
    "wl"sv,      "sdl"sv,     "al"sv,     "mpg123"sv,  "pcre"sv,    "pcre2"sv,  "yaml"sv,
    "json"sv,    "jansson"sv, "hts"sv,    "gmp"sv,     "pam"sv,     "nbdkit"sv, "virt"sv,
    "vir"sv,     "mozilla"sv, "moz"sv,    "ares"sv,    "nghttp2"sv, "lws"sv,    "bf"sv,
    "bfd"sv,     "gc"sv};

// Types that hand out memory: "Arena::Allocate" is a wrapper, "Session::allocate" is not.
constexpr std::array kAllocatingTypes = {"allocator"sv, "alloc"sv,  "arena"sv,   "pool"sv,
                                         "heap"sv,      "memory"sv, "mem"sv,     "malloc"sv,
                                         "zone"sv,      "slab"sv,   "resource"sv};

// The last part of a scope that says nothing of what is allocated in it: "base::Allocate" is a
// wrapper, "session::allocate" may make a session.
constexpr std::array kPlainScopes = {"base"sv,    "core"sv,     "common"sv,  "util"sv, "utils"sv,
                                     "utility"sv, "detail"sv,   "details"sv, "impl"sv, "internal"sv,
                                     "support"sv, "platform"sv, "os"sv,      "sys"sv,  "system"sv,
                                     "lib"sv,     "runtime"sv,  "rt"sv,      "priv"sv, "private"sv};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The words of a name, in lower case: at '_', at '.', before capitals, and around digits that do
// not end a word ("malloc0" is "malloc"; "sqlite3" and "x264" stay whole).
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) {
      words.push_back(std::move(word));
    }
    word.clear();
  };
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (std::isalnum(c) == 0) {
      end_word();
      continue;
    }
    const bool next_is_lower =
        i + 1 < name.size() && std::islower(static_cast<unsigned char>(name[i + 1])) != 0;
    const bool after_lower = i > 0 && std::isupper(static_cast<unsigned char>(name[i - 1])) == 0;
    if (std::isupper(c) != 0 && (after_lower || next_is_lower)) {
      end_word();
    }
    word += static_cast<char>(std::tolower(c));
  }
  end_word();
  return words;
}

std::string_view without_digits(std::string_view word) {
  while (!word.empty() && std::isdigit(static_cast<unsigned char>(word.back())) != 0) {
    word.remove_suffix(1);
  }
  return word;
}

bool is_quality(std::string_view word) {
  return contains(kQualities, word) || without_digits(word).empty();
}

// What stands before "malloc" in one word with it: a letter, a word of quality, or both, as in
// "xmalloc", "safemalloc", "ztrymalloc", "x2nrealloc".
bool is_head(std::string_view word) {
  std::string head;
  std::copy_if(word.begin(), word.end(), std::back_inserter(head),
               [](unsigned char c) { return std::isdigit(c) == 0; });
  return head.size() <= 1 || is_quality(head) || is_quality(std::string_view(head).substr(1));
}

template <std::size_t N>
bool is_verb(std::string_view word, const std::array<std::string_view, N>& verbs) {
  word = without_digits(word);
  return std::any_of(verbs.begin(), verbs.end(), [&](std::string_view verb) {
    return word.ends_with(verb) && is_head(word.substr(0, word.size() - verb.size()));
  });
}

struct Judgement {
  WrapperName name = WrapperName::kNo;
  bool libc_verb = false;  // "xmalloc", not "allocate"
};

Judgement judge_words(const std::vector<std::string>& words) {
  const auto is_libc_verb = [](std::string_view word) { return is_verb(word, kLibcVerbs); };
  const auto is_any_verb = [&](std::string_view word) {
    return is_libc_verb(word) || is_verb(word, kVerbs);
  };
  const auto verb = std::find_if(words.begin(), words.end(), is_any_verb);
  const bool plain_end = std::all_of(verb, words.end(), [&](std::string_view word) {
    return is_any_verb(word) || is_quality(word);
  });
  if (verb == words.end() || !plain_end) {
    return {};
  }
  const auto says_how = [](std::string_view word) {
    return is_quality(word) || contains(kSources, word);
  };
  const bool has_prefix = contains(kPrefixes, words.front());
  const bool libc_verb = is_libc_verb(*verb);
  if (std::all_of(words.begin() + (has_prefix && verb != words.begin() ? 1 : 0), verb, says_how)) {
    return {WrapperName::kYes, libc_verb};
  }
  return {libc_verb ? WrapperName::kPerhaps : WrapperName::kNo, libc_verb};
}

// An unnamed namespace says nothing of a function.
std::string without_unnamed(std::string_view name) {
  constexpr std::string_view kUnnamed = "(anonymous namespace)::";
  std::string rest(name);
  for (auto at = rest.find(kUnnamed); at != std::string::npos; at = rest.find(kUnnamed)) {
    rest.erase(at, kUnnamed.size());
  }
  return rest;
}

// A function of a type or a namespace. Which of the two it is, only its first letter tells.
WrapperName judge_scoped(std::string_view scope, std::string_view function) {
  if (function.starts_with("operator new")) {
    return WrapperName::kYes;  // also a type's own: whoever wants an object calls it
  }
  const Judgement judged = judge_words(words_of(function));
  const std::vector<std::string> words = words_of(scope);
  if (std::any_of(words.begin(), words.end(),
                  [](std::string_view word) { return contains(kAllocatingTypes, word); })) {
    return judged.name;
  }
  const auto outer = scope.rfind("::");
  const std::string_view last = outer == std::string_view::npos ? scope : scope.substr(outer + 2);
  const bool is_namespace = !last.empty() && std::islower(static_cast<unsigned char>(last[0])) != 0;
  if (judged.name != WrapperName::kYes) {
    return is_namespace ? judged.name : WrapperName::kNo;
  }
  if (is_namespace && (judged.libc_verb || contains(kPlainScopes, last))) {
    return WrapperName::kYes;
  }
  return is_namespace || judged.libc_verb ? WrapperName::kPerhaps : WrapperName::kNo;
}

}  // namespace

bool matches(std::string_view name, std::string_view pattern) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) {
    return name == pattern;
  }
  if (!name.starts_with(pattern.substr(0, star))) {
    return false;
  }
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t at = star; at <= name.size(); ++at) {
    if (rest.empty() || matches(name.substr(at), rest)) {
      return true;
    }
  }
  return false;
}

WrapperName wrapper_name(std::string_view name) {
  if (std::any_of(kLibraries.begin(), kLibraries.end(),
                  [&](std::string_view pattern) { return matches(name, pattern); })) {
    return WrapperName::kYes;
  }
  const std::string text = without_unnamed(name);
  const std::string_view named = text;
  const auto scope = named.rfind("::");
  return scope == std::string_view::npos
             ? judge_words(words_of(named)).name
             : judge_scoped(named.substr(0, scope), named.substr(scope + 2));
}

}  // namespace seep::report
