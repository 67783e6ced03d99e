#include "analyzer/compare/function_name.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "analyzer/symbolize/demangle.h"

namespace seep::compare {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// Ways to write the same.
constexpr std::array<Pair, 9> kSpellings = {{{"(anonymous namespace)::", ""},
                                             {"{anonymous}::", ""},
                                             {"<unnamed>::", ""},
                                             {"`anonymous namespace'::", ""},
                                             {"`anonymous-namespace'::", ""},
                                             {"[abi:cxx11]", ""},
                                             {"std::__cxx11::", "std::"},
                                             {"std::__1::", "std::"},
                                             {"std::__debug::", "std::"}}};

// Parameters and template arguments, without blanks.
constexpr std::array<Pair, 4> kTypes = {
    {{"std::basic_string<char,std::char_traits<char>,std::allocator<char>>", "std::string"},
     {"std::basic_string_view<char,std::char_traits<char>>", "std::string_view"},
     {"longunsignedint", "unsignedlong"},
     {"(void)", "()"}}};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
}

// Behind the bracket that closes the one at `open`; the end where none does.
std::size_t behind_bracket(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (depth == 0) {
      return i + 1;
    }
  }
  return text.size();
}

// "main::{lambda(int)#1}::operator()", "<lambda(int)>::operator()", "main::$_0::operator()" and
// "main::'lambda'(int)::operator()" all have the part "{lambda}".
void unify_lambdas(std::string& text) {
  constexpr std::string_view kLambda = "{lambda}";
  for (const char* begin : {"{lambda(", "<lambda(", "'lambda"}) {
    for (std::size_t at = text.find(begin); at != std::string::npos;
         at = text.find(begin, at + 1)) {
      const std::size_t bracket = text.find('(', at);
      std::size_t end = bracket == std::string::npos ? text.size() : behind_bracket(text, bracket);
      if (*begin != '\'') {
        const std::size_t close = text.find(*begin == '{' ? '}' : '>', end);
        end = close == std::string::npos ? text.size() : close + 1;
      }
      text.replace(at, end - at, kLambda);
    }
  }
  for (std::size_t at = text.find("$_"); at != std::string::npos; at = text.find("$_", at + 1)) {
    std::size_t end = at + 2;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) {
      ++end;
    }
    text.replace(at, end - at, kLambda);
  }
}

std::string without_blanks(std::string_view text) {
  std::string plain;
  std::remove_copy(text.begin(), text.end(), std::back_inserter(plain), ' ');
  for (const auto& [from, to] : kTypes) {
    replace_all(plain, from, to);
  }
  return plain;
}

// Takes a name apart from left to right; brackets of any kind may nest.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  FunctionName scan() {
    while (at_ < text_.size()) {
      if (is_operator()) {
        take_operator();
      } else if (text_[at_] == '<') {
        take_arguments();
      } else if (text_[at_] == '(') {
        take_parameters();
      } else if (text_.substr(at_).starts_with("::")) {
        next_part();
        at_ += 2;
      } else if (text_[at_] == ' ') {
        take_blank();
      } else {
        part_ += text_[at_++];
      }
    }
    if (!name_.parameters || !part_.empty()) {
      name_.base = part_;
    }
    return std::move(name_);
  }

 private:
  void next_part() {
    if (name_.parameters) {  // of a function that this one is local to
      name_.parameters.reset();
      part_ = name_.base;
      name_.base.clear();
    }
    if (!part_.empty()) {
      name_.scopes.push_back(std::move(part_));
      name_.scope_arguments.push_back(std::move(name_.arguments));
    }
    part_.clear();
    name_.arguments.clear();
  }

  void take_arguments() {
    const std::size_t begin = at_;
    int depth = 0;
    for (; at_ < text_.size(); ++at_) {
      depth += text_[at_] == '<' ? 1 : text_[at_] == '>' && text_[at_ - 1] != '-' ? -1 : 0;
      if (depth == 0) {
        ++at_;
        break;
      }
    }
    name_.arguments = without_blanks(text_.substr(begin, at_ - begin));
    if (name_.arguments == "<>") {
      name_.arguments.clear();  // shortened
    }
  }

  void take_parameters() {
    const std::size_t end = behind_bracket(text_, at_);
    name_.parameters = without_blanks(text_.substr(at_, end - at_));
    name_.base = std::exchange(part_, {});
    at_ = end;
  }

  // What stood before is a return type; what stands behind parameters are "const", "&".
  void take_blank() {
    if (name_.parameters) {
      const std::size_t scope = text_.find("::", at_);
      at_ = scope == std::string_view::npos ? text_.size() : scope;
      return;
    }
    ++at_;
    name_ = {};
    part_.clear();
  }

  [[nodiscard]] bool is_operator() const {
    constexpr std::string_view kWord = "operator";
    const std::string_view rest = text_.substr(at_);
    return part_.empty() && rest.starts_with(kWord) && rest.size() > kWord.size() &&
           std::isalnum(static_cast<unsigned char>(rest[kWord.size()])) == 0 &&
           rest[kWord.size()] != '_';
  }

  // "operator new", "operator()", "operator<<", "operator unsigned long": up to the parameters.
  void take_operator() {
    const std::string_view rest = text_.substr(at_);
    std::size_t end = rest.find('(');
    if (rest.starts_with("operator()")) {
      end = std::string_view("operator()").size();
    }
    end = std::min(end, rest.size());
    const std::size_t arguments = rest.substr(0, end).find(" <");
    part_ = without_blanks(rest.substr(0, std::min(end, arguments)));
    at_ += end;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string part_;
  FunctionName name_;
};

// "__GI___strdup", "__interceptor_strdup" and "strdup" are one.
std::string without_alias(std::string_view base) {
  constexpr std::array<std::string_view, 5> kPrefixes = {"GI_", "libc_", "interceptor_", "wrap_",
                                                         "_"};
  std::string_view name = base;
  bool changed = name.starts_with('_');
  while (changed) {
    changed = false;
    for (const std::string_view prefix : kPrefixes) {
      if (name.starts_with(prefix) && name.size() > prefix.size()) {
        name.remove_prefix(prefix.size());
        changed = true;
      }
    }
  }
  return std::string(name);
}

bool is_rust_hash(std::string_view part) {
  return part.size() == 17 && part.front() == 'h' &&
         std::all_of(part.begin() + 1, part.end(),
                     [](unsigned char c) { return std::isxdigit(c) != 0; });
}

}  // namespace

FunctionName function_name(std::string_view written) {
  constexpr std::size_t kLongest = 16384;
  std::string text = symbolize::demangle(written.substr(0, kLongest));
  if (const std::size_t clone = text.find(" [clone"); clone != std::string::npos) {
    text.resize(clone);
  }
  for (const auto& [from, to] : kSpellings) {
    replace_all(text, from, to);
  }
  unify_lambdas(text);
  FunctionName name = Scanner(text).scan();
  if (is_rust_hash(name.base) && !name.scopes.empty()) {
    name.base = std::move(name.scopes.back());
    name.scopes.pop_back();
    name.scope_arguments.pop_back();
  }
  if (name.scopes.empty()) {
    name.base = without_alias(name.base);
  }
  return name;
}

namespace {

bool differ(const std::string& a, const std::string& b) {
  return !a.empty() && !b.empty() && a != b;
}

}  // namespace

SameName compare_names(const FunctionName& a, const FunctionName& b) {
  if (a.base != b.base) {
    return SameName::kNo;
  }
  bool other = differ(a.arguments, b.arguments) ||
               (a.parameters && b.parameters && *a.parameters != *b.parameters);
  for (std::size_t i = 1; i <= std::min(a.scopes.size(), b.scopes.size()); ++i) {
    if (a.scopes[a.scopes.size() - i] != b.scopes[b.scopes.size() - i]) {
      return SameName::kNo;
    }
    other = other ||
            differ(a.scope_arguments[a.scopes.size() - i], b.scope_arguments[b.scopes.size() - i]);
  }
  return other ? SameName::kOtherInstance : SameName::kYes;
}

}  // namespace seep::compare
