#include "analyzer/suppress/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace seep::suppress {
namespace {

constexpr std::string_view kSpaces = " \t\r\f\v";
constexpr std::string_view kLeak = "leak:";
constexpr std::string_view kKindsLine = "match-leak-kinds:";

constexpr std::array<std::pair<std::string_view, unsigned>, 6> kKindNames = {
    {{"definite", kDefinite},
     {"indirect", kIndirect},
     {"possible", kPossible},
     {"reachable", kReachable},
     {"all", kAllKinds},
     {"none", 0}}};

constexpr std::array<std::pair<std::string_view, FrameRule::Kind>, 3> kRuleKinds = {
    {{"fun:", FrameRule::Kind::kFunction},
     {"obj:", FrameRule::Kind::kObject},
     {"src:", FrameRule::Kind::kSource}}};

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

struct Line {
  std::string_view text;
  unsigned number = 0;
};

// The lines of a text that say something.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  // Unset at the end.
  std::optional<Line> next() {
    while (!rest_.empty()) {
      const std::size_t end = rest_.find('\n');
      const std::string_view line = trimmed(rest_.substr(0, end));
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
      ++number_;
      if (!line.empty() && line.front() != '#') {
        return Line{line, number_};
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] unsigned number() const { return number_; }

 private:
  std::string_view rest_;
  unsigned number_ = 0;
};

// The parts between commas, trimmed.
std::vector<std::string_view> parts_of(std::string_view list) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t comma = list.find(',');
    parts.push_back(trimmed(list.substr(0, comma)));
    if (comma == std::string_view::npos) {
      return parts;
    }
    list.remove_prefix(comma + 1);
  }
}

// "FILE" or "FILE:LINE".
FrameRule source_rule(std::string_view pattern) {
  FrameRule rule{FrameRule::Kind::kSource, std::string(pattern), 0};
  const std::size_t colon = pattern.rfind(':');
  const std::string_view number =
      colon == std::string_view::npos ? std::string_view() : pattern.substr(colon + 1);
  unsigned line = 0;
  const char* end = number.data() + number.size();
  const auto [rest, trouble] = std::from_chars(number.data(), end, line);
  if (!number.empty() && trouble == std::errc() && rest == end) {
    rule.pattern.resize(colon);
    rule.line = line;
  }
  return rule;
}

FrameRule rule_of(FrameRule::Kind kind, std::string_view pattern) {
  if (kind == FrameRule::Kind::kSource) {
    return source_rule(pattern);
  }
  // Symbol versions ("pthread_create@@GLIBC_2.34") are not part of our names.
  const bool is_function = kind == FrameRule::Kind::kFunction;
  return {kind, std::string(is_function ? pattern.substr(0, pattern.find('@', 1)) : pattern), 0};
}

std::string shown(std::string_view text) {
  constexpr std::size_t kMostShown = 60;
  return text.size() <= kMostShown ? fmt::format("`{}`", text)
                                   : fmt::format("`{}...`", text.substr(0, kMostShown));
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& file) : lines_(text), file_(file) {}

  Result<std::vector<Suppression>> parse() {
    while (const std::optional<Line> line = lines_.next()) {
      if (const auto error = parse_top_level(*line)) {
        return *error;
      }
      if (found_.size() > kMostSuppressions) {
        return fail(line->number, fmt::format("more than {} suppressions", kMostSuppressions),
                    "divide the file");
      }
    }
    return std::move(found_);
  }

 private:
  using Trouble = std::optional<Error>;

  [[nodiscard]] Error fail(unsigned line, const std::string& what,
                           const std::string& advice) const {
    return {ErrorKind::kBadInput, file_, {}, {}, fmt::format("line {}: {}", line, what), advice};
  }

  Trouble parse_top_level(const Line& line) {
    if (line.text.size() > kMostLineBytes) {
      return fail(line.number, fmt::format("longer than {} bytes", kMostLineBytes),
                  "is it a suppression file?");
    }
    if (line.text == "{") {
      return parse_block(line.number);
    }
    if (line.text.starts_with(kLeak)) {
      return parse_leak(line);
    }
    return fail(line.number, shown(line.text) + " is no suppression",
                "give leak:PATTERN (LeakSanitizer) or a block in braces (Valgrind)");
  }

  Trouble parse_leak(const Line& line) {
    const std::string_view pattern = trimmed(line.text.substr(kLeak.size()));
    if (pattern.empty()) {
      return fail(line.number, "leak: without a pattern would silence everything",
                  "give a part of a function, file or module: leak:open_session");
    }
    Suppression suppression;
    suppression.name = fmt::format("{}{}", kLeak, pattern);
    suppression.file = file_;
    suppression.line = line.number;
    suppression.pattern = pattern;
    found_.push_back(std::move(suppression));
    return std::nullopt;
  }

  // The next line of a block; "}" is one too.
  Result<Line> block_line(unsigned begin) {
    const std::optional<Line> line = lines_.next();
    if (!line) {
      return fail(lines_.number(), fmt::format("the block of line {} has no end", begin),
                  "close it by }");
    }
    if (line->text.size() > kMostLineBytes) {
      return fail(line->number, fmt::format("longer than {} bytes", kMostLineBytes),
                  "is it a suppression file?");
    }
    return *line;
  }

  Trouble parse_block(unsigned begin) {
    const Result<Line> name = block_line(begin);
    if (!name || name->text == "}") {
      return name ? fail(name->number, "a block without a name", "{, NAME, TOOL:ERROR, frames, }")
                  : name.error();
    }
    const Result<Line> error = block_line(begin);
    if (!error) {
      return error.error();
    }
    const std::size_t colon = error->text.find(':');
    if (colon == std::string_view::npos) {
      return fail(error->number, shown(error->text) + " names no tool and error",
                  "give TOOL:ERROR, such as Memcheck:Leak");
    }
    const auto tools = parts_of(error->text.substr(0, colon));
    const bool is_ours = std::find(tools.begin(), tools.end(), "Memcheck") != tools.end() &&
                         trimmed(error->text.substr(colon + 1)) == "Leak";
    if (!is_ours) {
      return skip_block(begin);
    }
    Suppression suppression;
    suppression.form = Form::kValgrind;
    suppression.name = name->text;
    suppression.file = file_;
    suppression.line = begin;
    return parse_rules(begin, std::move(suppression));
  }

  Trouble skip_block(unsigned begin) {
    for (;;) {
      const Result<Line> line = block_line(begin);
      if (!line) {
        return line.error();
      }
      if (line->text == "}") {
        return std::nullopt;
      }
    }
  }

  Trouble parse_rules(unsigned begin, Suppression suppression) {
    for (;;) {
      const Result<Line> line = block_line(begin);
      if (!line) {
        return line.error();
      }
      if (line->text == "}") {
        break;
      }
      const bool may_be_kinds = suppression.rules.empty() && line->text.starts_with(kKindsLine);
      Trouble trouble = may_be_kinds ? parse_kinds(*line, suppression.kinds)
                                     : parse_rule(*line, suppression.rules);
      if (trouble) {
        return trouble;
      }
    }
    if (suppression.rules.empty()) {
      return fail(begin, "a block without a frame would silence everything",
                  "name frames by fun:, obj: or src:, innermost first");
    }
    found_.push_back(std::move(suppression));
    return std::nullopt;
  }

  Trouble parse_kinds(const Line& line, unsigned& kinds) const {
    kinds = 0;
    for (const std::string_view part : parts_of(line.text.substr(kKindsLine.size()))) {
      const auto known = std::find_if(kKindNames.begin(), kKindNames.end(),
                                      [&](const auto& kind) { return kind.first == part; });
      if (known == kKindNames.end()) {
        return fail(line.number, shown(part) + " is no kind of leak",
                    "give definite, indirect, possible, reachable, all or none");
      }
      kinds |= known->second;
    }
    return std::nullopt;
  }

  Trouble parse_rule(const Line& line, std::vector<FrameRule>& rules) const {
    if (rules.size() == kMostRules) {
      return fail(line.number, fmt::format("more than {} frames", kMostRules), "use ...");
    }
    if (line.text == "...") {
      rules.push_back({});
      return std::nullopt;
    }
    const auto kind = std::find_if(kRuleKinds.begin(), kRuleKinds.end(), [&](const auto& known) {
      return line.text.starts_with(known.first);
    });
    const std::string_view pattern =
        kind == kRuleKinds.end() ? "" : trimmed(line.text.substr(kind->first.size()));
    if (pattern.empty()) {
      return fail(line.number, shown(line.text) + " is no frame",
                  "give fun:FUNCTION, obj:MODULE, src:FILE, src:FILE:LINE or ...");
    }
    rules.push_back(rule_of(kind->second, pattern));
    return std::nullopt;
  }

  Lines lines_;
  std::string file_;
  std::vector<Suppression> found_;
};

}  // namespace

Result<std::vector<Suppression>> parse(std::string_view text, const std::string& file) {
  if (text.size() > kMostBytes) {
    return Error{ErrorKind::kBadInput,
                 file,
                 {},
                 {},
                 fmt::format("{} bytes are more than a suppression file has", text.size()),
                 "is it the right file?"};
  }
  return Parser(text, file).parse();
}

std::string line_for(std::string_view function) {
  if (function.empty()) {
    return {};
  }
  std::string line(kLeak);
  for (const char c : trimmed(function)) {
    const bool has_meaning = c == '$' || c == '^' || static_cast<unsigned char>(c) < 0x20;
    line += has_meaning ? '*' : c;
  }
  return line;
}

}  // namespace seep::suppress
