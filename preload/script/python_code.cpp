#include "preload/script/python_code.h"

#include <cstring>

#include "preload/script/checked_memory.h"
#include "preload/script/python_lines.h"

namespace seep::script {
namespace {

// Bytes from the beginning of the code; negative where it has not begun.
std::int64_t address_in_code(const PythonLayout& layout, const PythonInstruction& instruction) {
  switch (layout.instruction) {
    case InstructionKind::kByteIndex:
      return static_cast<std::int32_t>(instruction.place);
    case InstructionKind::kUnitIndex:
      return std::int64_t{2} * static_cast<std::int32_t>(instruction.place);
    case InstructionKind::kPointer:
      return static_cast<std::int64_t>(instruction.place - (instruction.code + layout.code_begin));
  }
  return -1;
}

// What a bytes object holds.
struct Bytes {
  std::uintptr_t begin;
  std::size_t length;

  static std::size_t read(void* context, std::size_t at, std::uint8_t* to, std::size_t capacity) {
    const auto& bytes = *static_cast<const Bytes*>(context);
    const std::size_t left = at < bytes.length ? bytes.length - at : 0;
    const std::size_t count = left < capacity ? left : capacity;
    if (count == 0 || !is_readable(bytes.begin + at, count)) {
      return 0;
    }
    std::memcpy(to, reinterpret_cast<const void*>(bytes.begin + at), count);
    return count;
  }
};

bool read_line(const PythonLayout& layout, const PythonInstruction& instruction,
               std::uint32_t& line) {
  constexpr std::uint64_t kMostLength = std::uint64_t{1} << 30;
  std::uintptr_t object = 0;
  std::int32_t first_line = 0;
  std::uint64_t length = 0;
  if (!read_checked(instruction.code + layout.code_line_table, object) ||
      !read_checked(instruction.code + layout.code_first_line, first_line) ||
      object % alignof(void*) != 0 || !read_checked(object + kVarSize, length) ||
      length > kMostLength || first_line < 0) {
    return false;
  }
  Bytes table{object + kBytesBegin, length};
  TableBytes bytes(Bytes::read, &table);
  line = line_of(layout.lines, bytes, static_cast<std::uint32_t>(first_line),
                 address_in_code(layout, instruction));
  return true;
}

}  // namespace

bool is_python_code(std::uintptr_t code_type, std::uintptr_t code) {
  std::uintptr_t type = 0;
  return code != 0 && code % alignof(void*) == 0 && read_checked(code + kObjectType, type) &&
         type == code_type;
}

bool read_python_line(const PythonLayout& layout, const PythonInstruction& instruction,
                      PythonLine& line) {
  std::uintptr_t function = 0;
  std::uintptr_t file = 0;
  return read_checked(instruction.code + layout.code_name, function) &&
         read_checked(instruction.code + layout.code_file, file) &&
         line.function.read(layout, function) && line.file.read(layout, file) &&
         read_line(layout, instruction, line.line);
}

}  // namespace seep::script
