#include "preload/stack/unwind_rule.h"

#include <cstdint>

#include "preload/stack/expression.h"

namespace seep::stack {
namespace {

constexpr CompactRule kGeneralRule{RuleKind::kGeneral, 0, 0, 0};

bool is_at_cfa(const RegisterRule& rule, std::int32_t offset) {
  return rule.where == Where::kAtCfaOffset && rule.operand == offset;
}

// The block of an expression starts with its length.
bool evaluate_at(const Rule& rule, std::int32_t operand, const ExpressionInput& input,
                 std::uint64_t& result) {
  ByteCursor cursor(rule.expressions + operand, rule.expressions_end);
  const std::uint64_t bytes = cursor.take_unsigned_leb();
  if (!cursor.ok() || bytes > cursor.left()) {
    return false;
  }
  return evaluate(ByteCursor(cursor.position(), cursor.position() + bytes), input, result);
}

// What gcc writes for a stack that it realigned: CFA = word at rbp + n, saved rbp at rbp. Both
// expressions are a few bytes, so they are compared byte by byte.
bool is_word_at_rbp(const Rule& rule, std::int32_t& offset) {
  constexpr std::uint8_t kBreg6 = 0x76;
  constexpr std::uint8_t kDeref = 0x06;
  ByteCursor cfa(rule.expressions + rule.cfa_operand, rule.expressions_end);
  const std::uint64_t bytes = cfa.take_unsigned_leb();
  const std::uint8_t* begin = cfa.position();
  if (cfa.take<std::uint8_t>() != kBreg6) {
    return false;
  }
  const std::int64_t displacement = cfa.take_signed_leb();
  const bool is_deref = cfa.take<std::uint8_t>() == kDeref;
  const RegisterRule& rbp = rule.registers[kRbp];
  if (!cfa.ok() || !is_deref || cfa.position() != begin + bytes || displacement < INT32_MIN ||
      displacement > INT32_MAX || rbp.where != Where::kAtExpression) {
    return false;
  }
  ByteCursor saved(rule.expressions + rbp.operand, rule.expressions_end);
  offset = static_cast<std::int32_t>(displacement);
  return saved.take<std::uint8_t>() == 2 && saved.take<std::uint8_t>() == kBreg6 &&
         saved.take<std::uint8_t>() == 0 && saved.ok();
}

bool compute_cfa(const Rule& rule, const Registers& regs, const WordReader& read_word,
                 std::uint64_t& cfa) {
  if (rule.cfa_register == kCfaIsExpression) {
    return evaluate_at(rule, rule.cfa_operand, {regs, read_word, nullptr}, cfa);
  }
  cfa = regs.value[rule.cfa_register] + static_cast<std::uint64_t>(std::int64_t{rule.cfa_operand});
  return true;
}

bool restore(const Rule& rule, unsigned number, std::uint64_t cfa, const ExpressionInput& input,
             std::uint64_t& value) {
  const RegisterRule& how = rule.registers[number];
  const auto operand = static_cast<std::uint64_t>(std::int64_t{how.operand});
  switch (how.where) {
    case Where::kUnchanged:
    case Where::kUndefined:
      value = input.registers.value[number];
      return true;
    case Where::kAtCfaOffset:
      return input.read_word(cfa + operand, value);
    case Where::kIsCfaOffset:
      value = cfa + operand;
      return true;
    case Where::kInRegister:
      value = input.registers.value[how.operand];
      return true;
    case Where::kAtExpression:
      return evaluate_at(rule, how.operand, input, value) && input.read_word(value, value);
    case Where::kIsExpression:
      return evaluate_at(rule, how.operand, input, value);
  }
  return false;
}

}  // namespace

CompactRule compact(const Rule& rule) {
  const RegisterRule& rip = rule.registers[kRip];
  if (rip.where == Where::kUndefined) {
    return {RuleKind::kOutermost, 0, 0, 0};
  }
  if (rule.signal_frame || !is_at_cfa(rip, -8) || rule.registers[kRsp].where != Where::kUnchanged) {
    return kGeneralRule;
  }
  if (rule.cfa_register == kCfaIsExpression) {
    std::int32_t offset = 0;
    return is_word_at_rbp(rule, offset) ? CompactRule{RuleKind::kFromWordAtRbp, 0, 0, offset}
                                        : kGeneralRule;
  }
  if (rule.cfa_register != kRsp && rule.cfa_register != kRbp) {
    return kGeneralRule;
  }
  const RuleKind kind = rule.cfa_register == kRsp ? RuleKind::kFromRsp : RuleKind::kFromRbp;
  const RegisterRule& rbp = rule.registers[kRbp];
  if (rbp.where == Where::kUnchanged) {
    return {kind, 0, 0, rule.cfa_operand};
  }
  const std::int32_t slot = rbp.operand / 8;
  if (rbp.where != Where::kAtCfaOffset || rbp.operand % 8 != 0 || slot >= 0 || slot < INT16_MIN) {
    return kGeneralRule;
  }
  return {kind, 0, static_cast<std::int16_t>(slot), rule.cfa_operand};
}

StepResult step(const Rule& rule, Registers& regs, const WordReader& read_word) {
  const Where return_address = rule.registers[kRip].where;
  if (return_address == Where::kUndefined) {
    return StepResult::kOutermost;
  }
  std::uint64_t cfa = 0;
  if (return_address == Where::kUnchanged || !compute_cfa(rule, regs, read_word, cfa)) {
    return StepResult::kFailed;
  }
  const ExpressionInput input{regs, read_word, &cfa};
  Registers caller;
  for (unsigned number = 0; number < kRegisterCount; ++number) {
    if (!restore(rule, number, cfa, input, caller.value[number])) {
      return StepResult::kFailed;
    }
  }
  if (rule.registers[kRsp].where == Where::kUnchanged) {
    caller.value[kRsp] = cfa;
  }
  if (caller.rsp() == regs.rsp() && caller.rip() == regs.rip()) {
    return StepResult::kFailed;
  }
  regs = caller;
  return StepResult::kStepped;
}

}  // namespace seep::stack
