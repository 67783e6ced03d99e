// What a frame of CPython stands for: function, file and line, read from its code object.
// Context: IN-HOOK. The code, its names and its line table live as long as the frame does.
#pragma once

#include <cstdint>

#include "preload/script/python_layout.h"
#include "preload/script/python_text.h"

namespace seep::script {

// An instruction of a code object, as a frame has it: see InstructionKind.
struct PythonInstruction {
  std::uintptr_t code;
  std::uint64_t place;
};

struct PythonLine {
  PythonText function;  // the qualified name from 3.11 on, the plain one before
  PythonText file;
  std::uint32_t line = 0;  // 0: none, as code has that the compiler adds
};

// Whether `code` is an object of the type of code objects.
bool is_python_code(std::uintptr_t code_type, std::uintptr_t code);

// False where the code object holds no names, or no line table, where they ought to be; `line` is
// unspecified then.
bool read_python_line(const PythonLayout& layout, const PythonInstruction& instruction,
                      PythonLine& line);

}  // namespace seep::script
