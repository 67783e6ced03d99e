#include "analyzer/suppress/pattern.h"

#include <optional>

namespace seep::suppress {
namespace {

// A place in a pattern to come back to: behind its last '*', and how much text that has taken.
struct Star {
  std::size_t pattern = 0;
  std::size_t text = 0;
};

// Length of the element of `pattern` at `at` that stands for `c`: 1, 2 with a backslash; 0: none.
std::size_t element_for(std::string_view pattern, std::size_t at, char c) {
  if (at >= pattern.size()) {
    return 0;
  }
  if (pattern[at] == '\\' && at + 1 < pattern.size()) {
    return pattern[at + 1] == c ? 2 : 0;
  }
  return pattern[at] == '?' || pattern[at] == c ? 1 : 0;
}

}  // namespace

bool matches_anywhere(std::string_view pattern, std::string_view text) {
  if (text.empty()) {
    return false;
  }
  bool tied = pattern.starts_with('^');
  pattern.remove_prefix(tied ? 1 : 0);
  const std::size_t dollar = pattern.find('$');
  const bool to_the_end = dollar != std::string_view::npos;
  pattern = pattern.substr(0, dollar);
  std::size_t from = 0;  // of the text: everything before it is taken
  bool after_star = false;
  for (;;) {
    const std::size_t star = pattern.find('*');
    const std::string_view piece = pattern.substr(0, star);
    const std::string_view rest = text.substr(from);
    if (star == std::string_view::npos && to_the_end) {
      return piece.empty() ? after_star : tied ? rest == piece : rest.ends_with(piece);
    }
    const std::size_t found = tied ? 0 : rest.find(piece);
    if (found == std::string_view::npos || !rest.substr(found).starts_with(piece)) {
      return false;
    }
    if (star == std::string_view::npos) {
      return true;
    }
    from += found + piece.size();
    pattern.remove_prefix(star + 1);
    tied = false;
    after_star = true;
  }
}

bool matches_whole(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::optional<Star> star;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = Star{++p, t};
    } else if (const std::size_t length = element_for(pattern, p, text[t]); length != 0) {
      p += length;
      ++t;
    } else if (star) {  // let the last star take one character more
      p = star->pattern;
      t = ++star->text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace seep::suppress
