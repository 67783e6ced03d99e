#include "analyzer/export/source_lines.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace seep::exporters {
namespace {

constexpr auto kEndings = std::to_array<std::string_view>(
    {"C",   "H",   "adb",  "ads", "asm", "c",   "c++", "cc",    "cjs",   "cpp", "cppm",
     "cs",  "cu",  "cxx",  "cyt", "d",   "f",   "f90", "go",    "h",     "h++", "hh",
     "hpp", "hxx", "i",    "ii",  "inc", "inl", "ipp", "ixx",   "java",  "js",  "kt",
     "l",   "lua", "m",    "mjs", "ml",  "mm",  "nim", "pas",   "phtml", "php", "pl",
     "pm",  "py",  "pyx",  "rb",  "rs",  "s",   "S",   "scala", "swift", "tcc", "tpp",
     "ts",  "tsx", "vala", "y",   "yy",  "zig"});

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) {
      close(value_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int value() const { return value_; }

 private:
  int value_;
};

// Empty where it cannot be read or is no source. O_NONBLOCK: a pipe by that name is not waited for.
std::string read_file(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (file.value() < 0 || fstat(file.value(), &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<std::uint64_t>(status.st_size) > SourceLines::kMostFileBytes) {
    return {};
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t got = read(file.value(), text.data() + length, text.size() - length);
    if (got <= 0) {
      break;
    }
    length += static_cast<std::size_t>(got);
  }
  text.resize(length);
  return text.find('\0') == std::string::npos ? text : std::string();
}

// Of the lines that are wanted, those that the text has.
SourceLines::Lines pick(std::string_view text, const SourceLines::Lines& wanted) {
  SourceLines::Lines found;
  unsigned number = 1;
  auto next = wanted.begin();
  while (next != wanted.end() && !text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (number == next->first) {
      std::string_view line = text.substr(0, std::min(end, SourceLines::kMostLineBytes));
      found[number] = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
      ++next;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
  }
  return found;
}

}  // namespace

bool is_source_name(const std::string& file) {
  const std::size_t slash = file.rfind('/') + 1;  // 0 without one
  const std::size_t dot = file.rfind('.');
  return dot != std::string::npos && dot > slash &&
         std::find(kEndings.begin(), kEndings.end(), std::string_view(file).substr(dot + 1)) !=
             kEndings.end();
}

void SourceLines::want(const std::string& file, unsigned line) {
  if (line == 0 || line > kMostFileBytes || !file.starts_with('/') || !is_source_name(file) ||
      lines_ >= kMostLines || (wanted_.size() >= kMostFiles && !wanted_.contains(file))) {
    return;
  }
  Lines& lines = wanted_[file];
  const std::size_t before = lines.size();
  const unsigned first = line > kLinesAround ? line - kLinesAround : 1;
  for (unsigned number = first; number <= line + kLinesAround; ++number) {
    lines.try_emplace(number);
  }
  lines_ += lines.size() - before;
}

std::map<std::string, SourceLines::Lines> SourceLines::read() const {
  std::map<std::string, Lines> all;
  for (const auto& [file, wanted] : wanted_) {
    Lines found = pick(read_file(sysroot_ + file), wanted);
    if (!found.empty()) {
      all.emplace(file, std::move(found));
    }
  }
  return all;
}

}  // namespace seep::exporters
