// How to get from one frame to its caller, as data, and the pure functions that carry it out.
// Context: IN-HOOK. Rules are values; nothing here reads memory but through the reader it is given.
//
// CompactRule covers code as compilers write it and needs rsp and rbp only:
//
//   higher addresses
//   | caller's frame   |
//   |------------------| <- CFA = caller's rsp = rsp + n, or rbp + n, or the word at rbp + n
//   | return address   |    CFA - 8
//   | saved rbp        |    CFA + 8 * rbp_slot
//   | locals           |
//   |------------------| <- rsp
//
// Rule is the whole of what unwind tables can say; it is what the others are made from.
#pragma once

#include <cstdint>

#include "preload/stack/registers.h"

namespace seep::stack {

enum class RuleKind : std::uint8_t {
  kNone = 0,       // not a rule: an empty slot
  kFromRsp,        // CFA = rsp + cfa_offset
  kFromRbp,        // CFA = rbp + cfa_offset
  kFromWordAtRbp,  // CFA = word at rbp + cfa_offset, rbp = word at rbp: a realigned stack
  kOutermost,      // the tables say that no caller exists
  kGeneral,        // needs the full Rule and all registers
  kNoTables,       // no unwind information covers this address
};

struct CompactRule {
  RuleKind kind;
  std::uint8_t unused;
  std::int16_t rbp_slot;    // words from the CFA to the saved rbp; 0: rbp is the caller's
  std::int32_t cfa_offset;  // bytes
};
static_assert(sizeof(CompactRule) == 8);

// What a compact rule needs and produces.
struct FrameRegisters {
  std::uint64_t ip;
  std::uint64_t sp;
  std::uint64_t bp;
};

// A frame larger than this is taken for nonsense, bytes.
inline constexpr std::uint64_t kMaxFrameBytes = 64u << 20;

inline bool plausible_cfa(std::uint64_t cfa, std::uint64_t sp) {
  // Unsigned: a CFA at or below sp wraps and fails as well.
  return cfa - sp - 8 < kMaxFrameBytes && cfa % 8 == 0;
}

// (ip, sp, bp) = (word at CFA - 8, CFA, saved rbp). `read_word(address, word&)` tells whether the
// word could be read; words are asked for at ascending frames only. False leaves `regs` as it was.
// Takes the kinds kFromRsp, kFromRbp and kFromWordAtRbp.
template <typename ReadWord>
inline bool step(CompactRule rule, FrameRegisters& regs, ReadWord&& read_word) {
  const auto offset = static_cast<std::uint64_t>(std::int64_t{rule.cfa_offset});
  std::uint64_t cfa = (rule.kind == RuleKind::kFromRsp ? regs.sp : regs.bp) + offset;
  std::uint64_t bp = regs.bp;
  if (rule.kind == RuleKind::kFromWordAtRbp) [[unlikely]] {
    if (!plausible_cfa(regs.bp + 8, regs.sp) || !read_word(cfa, cfa) || !read_word(bp, bp)) {
      return false;
    }
  }
  std::uint64_t ip = 0;
  if (!plausible_cfa(cfa, regs.sp) || !read_word(cfa - 8, ip)) [[unlikely]] {
    return false;
  }
  if (rule.rbp_slot != 0) {
    const auto slot = static_cast<std::uint64_t>(std::int64_t{rule.rbp_slot} * 8);
    if (!read_word(cfa + slot, bp)) [[unlikely]] {
      return false;
    }
  }
  regs = {ip, cfa, bp};
  return true;
}

// Where a caller's register is found.
enum class Where : std::uint8_t {
  kUnchanged = 0,
  kUndefined,
  kAtCfaOffset,   // word at CFA + operand
  kIsCfaOffset,   // CFA + operand
  kInRegister,    // the register with number `operand`
  kAtExpression,  // word at the address that the expression computes
  kIsExpression,  // what the expression computes
};

struct RegisterRule {
  Where where;
  std::int32_t operand;  // for expressions: bytes from Rule::expressions to the length of the block
};

inline constexpr std::uint8_t kCfaIsExpression = 0xff;

struct Rule {
  RegisterRule registers[kRegisterCount];
  std::uint8_t cfa_register;  // or kCfaIsExpression
  bool signal_frame;          // the caller was interrupted, it has not called
  std::int32_t cfa_operand;   // bytes to add, or as in RegisterRule
  const std::uint8_t* expressions;
  const std::uint8_t* expressions_end;
};
static_assert(sizeof(Rule) == 160);

// Reads a word of the stack for the functions below; false when it cannot be read.
struct WordReader {
  bool (*read)(void* context, std::uint64_t address, std::uint64_t& word);
  void* context;

  bool operator()(std::uint64_t address, std::uint64_t& word) const {
    return read(context, address, word);
  }
};

// The same rule in compact form; kGeneral when it has none.
CompactRule compact(const Rule& rule);

enum class StepResult : std::uint8_t { kStepped, kOutermost, kFailed };

// Replaces `regs` by the caller's; on anything but kStepped they are as before.
StepResult step(const Rule& rule, Registers& regs, const WordReader& read_word);

}  // namespace seep::stack
