// Runs the call frame instructions of one function up to an address.
// Context: IN-HOOK. Pure; 800 bytes of stack; the tables must stay mapped during the call.
#pragma once

#include <cstdint>

#include "preload/stack/cfi.h"

namespace seep::stack {

// What a common information entry says; its program sets the rules at a function's entry.
struct Cie {
  std::uint64_t code_alignment;
  std::int64_t data_alignment;
  const std::uint8_t* program;
  const std::uint8_t* program_end;
  std::uint8_t pointer_encoding;
  bool has_augmentation;
  bool signal_frame;
};

// What a frame description entry says about the code from `begin` to `end`.
struct Fde {
  std::uint64_t begin;
  std::uint64_t end;
  const std::uint8_t* program;
  const std::uint8_t* program_end;
};

// The rule in force at `pc`. False when the program is damaged, uses an instruction that x86-64
// has not, or nests remembered states deeper than compilers do.
bool run_cfa_program(const UnwindTables& tables, const Cie& cie, const Fde& fde, std::uint64_t pc,
                     Rule& rule);

}  // namespace seep::stack
