// Where CPython keeps what a walk of its frames reads, for each version.
// Context: IN-HOOK. Pure.
//
//   thread state -> (C frame, 3.11 and 3.12) -> frame -> frame …, outward
//                                                 |-> code -> file, name, first line, line table
//                                                 |-> instruction
//
// From 3.13 on the interpreter tells itself, at the beginning of _PyRuntime; before that these are
// tables, of the release versions with their usual options on x86-64.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/script/python_lines.h"

namespace seep::script {

inline constexpr std::uint16_t kNoOffset = UINT16_MAX;

enum class InstructionKind : std::uint8_t {
  kByteIndex,  // int: bytes from the beginning of the code (3.8, 3.9)
  kUnitIndex,  // int: code units of 2 bytes (3.10)
  kPointer     // into the code that stands in the code object (from 3.11)
};

struct PythonLayout {
  std::uint8_t minor;          // of the version: 11 of 3.11
  std::uint16_t thread_frame;  // of the thread state: pointer to the innermost frame …
  std::uint16_t c_frame;       // … or to a C frame, which has that pointer here; or kNoOffset
  std::uint16_t frame_previous;
  std::uint16_t frame_code;
  std::uint16_t frame_instruction;
  std::uint16_t frame_owner;         // a byte, or kNoOffset
  std::uint8_t first_foreign_owner;  // a frame with this owner or a greater one runs no Python code
  std::uint8_t tag_bits;             // of frame_code, not part of the pointer
  InstructionKind instruction;
  LineTableKind lines;
  std::uint16_t code_file;
  std::uint16_t code_name;
  std::uint16_t code_first_line;  // int
  std::uint16_t code_line_table;
  std::uint16_t code_begin;      // of the instructions, with kPointer
  std::uint16_t text_ascii;      // where the characters of an ASCII string stand
  std::uint16_t text_other;      // and those of others
  std::uint16_t runtime_ending;  // of _PyRuntime: a pointer, null until the interpreter ends
};

// The same in all of these versions.
inline constexpr std::size_t kObjectType = 8;   // PyObject.ob_type
inline constexpr std::size_t kVarSize = 16;     // PyVarObject.ob_size; PyASCIIObject.length
inline constexpr std::size_t kBytesBegin = 32;  // PyBytesObject.ob_sval
inline constexpr std::size_t kTextFlags = 32;   // PyASCIIObject.state

// `version` is PY_VERSION_HEX: 0x030B02F0 for 3.11.2. Null for versions that have no table: other
// ones, and those that tell themselves.
const PythonLayout* known_layout(std::uint32_t version);

// Words at the beginning of _PyRuntime that say how it is laid out.
inline constexpr std::size_t kSelfDescriptionWords = 96;
// What a version from 3.13 on says of itself. False where it says nothing, is of another version
// than 3.13 and 3.14, runs without the global lock, or says what cannot be.
bool read_self_description(const std::uint64_t (&words)[kSelfDescriptionWords], PythonLayout& out);

}  // namespace seep::script
