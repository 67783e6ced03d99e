#include "analyzer/symbolize/demangle.h"

#include <libiberty/demangle.h>

#include <array>
#include <cstdlib>
#include <memory>

namespace seep::symbolize {
namespace {

// Suffixes that GCC and Clang give to parts and copies of a function.
constexpr std::array<std::string_view, 8> kCloneSuffixes = {
    ".cold", ".part", ".isra", ".constprop", ".lto_priv", ".llvm", ".clone", ".localalias"};

// A suffix counts only as a whole word: ".cold" and ".cold.1", not ".coldest".
bool starts_with_word(std::string_view text, std::string_view word) {
  return text.starts_with(word) && (text.size() == word.size() || text[word.size()] == '.');
}

std::string_view without_clone_suffix(std::string_view symbol) {
  for (std::size_t dot = symbol.find('.', 1); dot != std::string_view::npos;
       dot = symbol.find('.', dot + 1)) {
    for (const std::string_view suffix : kCloneSuffixes) {
      if (starts_with_word(symbol.substr(dot), suffix)) {
        return symbol.substr(0, dot);
      }
    }
  }
  return symbol;
}

std::string_view without_version(std::string_view symbol) {
  const std::size_t at = symbol.find('@', 1);
  return at == std::string_view::npos ? symbol : symbol.substr(0, at);
}

struct FreeText {
  void operator()(char* text) const { std::free(text); }
};

}  // namespace

std::string demangle(std::string_view symbol) {
  // The demangler takes a terminated string.
  std::string plain(without_clone_suffix(without_version(symbol)));
  const int options = DMGL_AUTO | DMGL_PARAMS | DMGL_ANSI | DMGL_RET_DROP;
  const std::unique_ptr<char, FreeText> text(cplus_demangle(plain.c_str(), options));
  return text ? std::string(text.get()) : plain;
}

}  // namespace seep::symbolize
