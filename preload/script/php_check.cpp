#include "preload/script/php_check.h"

#include "preload/runtime/file.h"
#include "preload/script/php_texts.h"

namespace seep::script {
namespace {

constexpr std::uint64_t kMostLine = 1 << 24;  // that is believed

template <typename T>
bool read_safely(std::uint64_t address, T& value) {
  return runtime::read_own_memory(reinterpret_cast<const void*>(address), &value, sizeof(value));
}

bool is_string(std::uint64_t text) {
  std::uint64_t length = 0;
  char end = 1;
  return read_safely(text + php::kLength, length) && length < kMostTextBytes &&
         read_safely(text + php::kBytes + length, end) && end == '\0';
}

bool is_user_function(const PhpLayout& layout, std::uint64_t function, std::uint64_t opline) {
  std::uint64_t file = 0;
  std::uint64_t opcodes = 0;
  std::uint32_t lines[2] = {};
  std::uint32_t last = 0;
  std::uint32_t line = 0;
  if (!read_safely(function + layout.filename, file) || !is_string(file) ||
      !read_safely(function + layout.filename + php::kLineStart, lines) ||
      !read_safely(function + layout.opcodes, opcodes) ||
      !read_safely(function + layout.last, last)) {
    return false;
  }
  if (lines[0] > lines[1] || lines[1] >= kMostLine || last == 0 || last >= kMostLine) {
    return false;
  }
  const bool in_range = opline - opcodes < last * php::kInstructionBytes;
  return read_safely((in_range ? opline : opcodes) + php::kLine, line) && line < kMostLine;
}

}  // namespace

int count_php_functions(const PhpLayout& layout, std::uint64_t frame, int most) {
  int functions = 0;
  while (frame != 0 && functions < most) {
    std::uint64_t words[7] = {};  // up to the caller
    if (!read_safely(frame, words)) {
      return -1;
    }
    const std::uint64_t function = words[php::kFunction / 8];
    frame = words[php::kCaller / 8];
    if (function == 0) {
      continue;
    }
    std::uint64_t head[3] = {};
    if (!read_safely(function, head)) {
      return -1;
    }
    const auto type = static_cast<std::uint8_t>(head[php::kType]);
    const std::uint64_t name = head[php::kFunctionName / 8];
    if ((type != 1 && type != 2 && type != 4) || (name != 0 && !is_string(name))) {
      return -1;
    }
    if (type != 1) {
      if (!is_user_function(layout, function, words[php::kOpline / 8])) {
        return -1;
      }
      ++functions;
    }
  }
  return functions;
}

}  // namespace seep::script
