// DWARF expressions as call frame information uses them: PLT stubs, signal trampolines, realigned
// stacks. Context: IN-HOOK. Pure: registers and a word reader in, one value out; 200 bytes of
// stack.
#pragma once

#include <cstdint>

#include "preload/stack/byte_cursor.h"
#include "preload/stack/registers.h"
#include "preload/stack/unwind_rule.h"

namespace seep::stack {

struct ExpressionInput {
  const Registers& registers;
  const WordReader& read_word;
  const std::uint64_t* initial;  // pushed first; null for none
};

// Evaluates the block of bytes that `block` covers. False for an unknown operation, a stack that
// runs over or empty, a word that cannot be read, or more than a few hundred operations.
bool evaluate(ByteCursor block, const ExpressionInput& input, std::uint64_t& result);

}  // namespace seep::stack
