#include "preload/stack/cfa_program.h"

#include "preload/stack/byte_cursor.h"

namespace seep::stack {
namespace {

// Call frame instructions: DWARF 4, section 7.23, and two of GNU.
enum Instruction : std::uint8_t {
  kNop = 0x00,
  kSetLoc,
  kAdvanceLoc1,
  kAdvanceLoc2,
  kAdvanceLoc4,
  kOffsetExtended,
  kRestoreExtended,
  kUndefined,
  kSameValue,
  kRegister,
  kRememberState,
  kRestoreState,
  kDefCfa,
  kDefCfaRegister,
  kDefCfaOffset,
  kDefCfaExpression,
  kExpression,
  kOffsetExtendedSf,
  kDefCfaSf,
  kDefCfaOffsetSf,
  kValOffset,
  kValOffsetSf,
  kValExpression,
  kGnuArgsSize = 0x2e,
  kGnuNegativeOffset = 0x2f,
  kAdvanceLoc = 0x40,  // with the operand in the low six bits, as the next two
  kOffset = 0x80,
  kRestore = 0xc0,
};

constexpr unsigned kMaxRemembered = 2;  // compilers use one

class Interpreter {
 public:
  Interpreter(const UnwindTables& tables, const Cie& cie, std::uint64_t pc, Rule& rule)
      : tables_(tables), cie_(cie), pc_(pc), rule_(rule) {}

  bool run(const Fde& fde) {
    rule_ = {};
    rule_.signal_frame = cie_.signal_frame;
    rule_.expressions = tables_.frames;
    rule_.expressions_end = tables_.frames_end;
    location_ = 0;
    if (!execute_all(ByteCursor(cie_.program, cie_.program_end))) {
      return false;
    }
    initial_ = rule_;
    location_ = fde.begin;
    return execute_all(ByteCursor(fde.program, fde.program_end));
  }

 private:
  // Stops at the end of the program or at the first row that begins above pc.
  bool execute_all(ByteCursor code) {
    while (code.ok() && !code.at_end()) {
      const auto instruction = code.take<std::uint8_t>();
      if (!execute(instruction, code)) {
        return false;
      }
      if (location_ > pc_) {
        return true;
      }
    }
    return code.ok();
  }

  bool execute(std::uint8_t instruction, ByteCursor& code) {
    const std::uint8_t low = instruction & 0x3f;
    switch (instruction & 0xc0) {
      case kAdvanceLoc:
        return advance(low);
      case kOffset:
        return set(low, Where::kAtCfaOffset, factored(code.take_unsigned_leb()));
      case kRestore:
        return restore(low);
      default:
        return instruction <= kAdvanceLoc4 ? execute_location(instruction, code)
                                           : execute_rule(instruction, code);
    }
  }

  bool execute_location(std::uint8_t instruction, ByteCursor& code) {
    switch (instruction) {
      case kNop:
        return true;
      case kSetLoc:
        location_ = code.take_pointer(cie_.pointer_encoding, 0);
        return code.ok();
      case kAdvanceLoc1:
        return advance(code.take<std::uint8_t>());
      case kAdvanceLoc2:
        return advance(code.take<std::uint16_t>());
      default:
        return advance(code.take<std::uint32_t>());
    }
  }

  bool execute_rule(std::uint8_t instruction, ByteCursor& code) {
    switch (instruction) {
      case kRememberState:
        return remember();
      case kRestoreState:
        return recall();
      case kDefCfa:
      case kDefCfaSf:
      case kDefCfaRegister:
      case kDefCfaOffset:
      case kDefCfaOffsetSf:
      case kDefCfaExpression:
        return define_cfa(instruction, code);
      case kGnuArgsSize:
        code.take_unsigned_leb();
        return true;
      default:
        return set_register(instruction, code);
    }
  }

  bool define_cfa(std::uint8_t instruction, ByteCursor& code) {
    switch (instruction) {
      case kDefCfa:
      case kDefCfaSf: {
        const std::uint64_t number = code.take_unsigned_leb();
        const std::int64_t offset = take_cfa_offset(instruction == kDefCfaSf, code);
        return set_cfa(number, offset);
      }
      case kDefCfaRegister:
        return set_cfa(code.take_unsigned_leb(), rule_.cfa_operand);
      case kDefCfaOffset:
      case kDefCfaOffsetSf:
        return set_cfa(rule_.cfa_register, take_cfa_offset(instruction == kDefCfaOffsetSf, code));
      default:
        rule_.cfa_register = kCfaIsExpression;
        return take_expression(code, rule_.cfa_operand);
    }
  }

  bool set_register(std::uint8_t instruction, ByteCursor& code) {
    const std::uint64_t number = code.take_unsigned_leb();
    switch (instruction) {
      case kOffsetExtended:
        return set(number, Where::kAtCfaOffset, factored(code.take_unsigned_leb()));
      case kOffsetExtendedSf:
        return set(number, Where::kAtCfaOffset, take_factored_signed(code));
      case kGnuNegativeOffset:
        return set(number, Where::kAtCfaOffset, factored(0 - code.take_unsigned_leb()));
      case kRestoreExtended:
        return restore(number);
      case kUndefined:
        return set(number, Where::kUndefined, 0);
      case kSameValue:
        return set(number, Where::kUnchanged, 0);
      case kRegister: {
        const std::uint64_t source = code.take_unsigned_leb();
        return source < kRegisterCount &&
               set(number, Where::kInRegister, static_cast<std::int64_t>(source));
      }
      case kValOffset:
        return set(number, Where::kIsCfaOffset, factored(code.take_unsigned_leb()));
      case kValOffsetSf:
        return set(number, Where::kIsCfaOffset, take_factored_signed(code));
      case kExpression:
        return set_expression(number, Where::kAtExpression, code);
      case kValExpression:
        return set_expression(number, Where::kIsExpression, code);
      default:
        return false;
    }
  }

  bool advance(std::uint64_t units) {
    location_ += units * cie_.code_alignment;
    return true;
  }

  [[nodiscard]] std::int64_t factored(std::uint64_t value) const {
    return static_cast<std::int64_t>(value * static_cast<std::uint64_t>(cie_.data_alignment));
  }

  // Unsigned multiplication: a damaged operand may overflow, and is refused by its range later.
  [[nodiscard]] std::int64_t take_factored_signed(ByteCursor& code) const {
    return factored(static_cast<std::uint64_t>(code.take_signed_leb()));
  }

  [[nodiscard]] std::int64_t take_cfa_offset(bool is_factored, ByteCursor& code) const {
    return is_factored ? take_factored_signed(code)
                       : static_cast<std::int64_t>(code.take_unsigned_leb());
  }

  bool set_cfa(std::uint64_t number, std::int64_t offset) {
    if (number >= kRegisterCount || offset < INT32_MIN || offset > INT32_MAX) {
      return false;
    }
    rule_.cfa_register = static_cast<std::uint8_t>(number);
    rule_.cfa_operand = static_cast<std::int32_t>(offset);
    return true;
  }

  // Vector and flag registers have numbers too; nothing needs them, so their rules are dropped.
  bool set(std::uint64_t number, Where where, std::int64_t operand) {
    if (operand < INT32_MIN || operand > INT32_MAX) {
      return false;
    }
    if (number < kRegisterCount) {
      rule_.registers[number] = {where, static_cast<std::int32_t>(operand)};
    }
    return true;
  }

  bool set_expression(std::uint64_t number, Where where, ByteCursor& code) {
    std::int32_t operand = 0;
    return take_expression(code, operand) && set(number, where, operand);
  }

  bool take_expression(ByteCursor& code, std::int32_t& operand) {
    const std::int64_t distance = code.position() - tables_.frames;
    code.skip(code.take_unsigned_leb());
    operand = static_cast<std::int32_t>(distance);
    return code.ok() && distance <= INT32_MAX;
  }

  bool restore(std::uint64_t number) {
    if (number < kRegisterCount) {
      rule_.registers[number] = initial_.registers[number];
    }
    return true;
  }

  bool remember() {
    if (remembered_count_ == kMaxRemembered) {
      return false;
    }
    remembered_[remembered_count_++] = rule_;
    return true;
  }

  bool recall() {
    if (remembered_count_ == 0) {
      return false;
    }
    rule_ = remembered_[--remembered_count_];
    return true;
  }

  const UnwindTables& tables_;
  const Cie& cie_;
  std::uint64_t pc_;
  std::uint64_t location_ = 0;
  Rule& rule_;
  Rule initial_{};
  Rule remembered_[kMaxRemembered];
  unsigned remembered_count_ = 0;
};

}  // namespace

bool run_cfa_program(const UnwindTables& tables, const Cie& cie, const Fde& fde, std::uint64_t pc,
                     Rule& rule) {
  return Interpreter(tables, cie, pc, rule).run(fde);
}

}  // namespace seep::stack
