// Rules, expressions and tables as pure functions: over arrays and over damaged bytes.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <bit>
#include <cstring>
#include <map>
#include <random>
#include <vector>

#include "preload/stack/byte_cursor.h"
#include "preload/stack/cfi.h"
#include "preload/stack/expression.h"
#include "preload/stack/proc_maps.h"
#include "preload/stack/rule_cache.h"
#include "preload/stack/unwind_rule.h"
#include "tests/unit/stack/mapped_elf.h"

namespace seep::stack::testing {
namespace {

// --- compact rules -------------------------------------------------------------------------------

constexpr std::uint64_t kSp = 0x7000;

// A stack given by its words; everything else cannot be read.
class Words {
 public:
  explicit Words(std::map<std::uint64_t, std::uint64_t> words) : words_(std::move(words)) {}
  bool operator()(std::uint64_t address, std::uint64_t& word) const {
    const auto found = words_.find(address);
    if (found == words_.end()) {
      return false;
    }
    word = found->second;
    return true;
  }

 private:
  std::map<std::uint64_t, std::uint64_t> words_;
};

TEST(CompactRules, FromRspWithSavedRbp) {
  FrameRegisters regs{1, kSp, 99};
  const CompactRule rule{RuleKind::kFromRsp, 0, -2, 32};
  ASSERT_TRUE(step(rule, regs, Words({{kSp + 24, 0x1234}, {kSp + 16, 0x5678}})));
  EXPECT_EQ(0x1234U, regs.ip);
  EXPECT_EQ(kSp + 32, regs.sp);
  EXPECT_EQ(0x5678U, regs.bp);
}

TEST(CompactRules, FromRspWithRbpUnchanged) {
  FrameRegisters regs{1, kSp, 99};
  ASSERT_TRUE(step({RuleKind::kFromRsp, 0, 0, 8}, regs, Words({{kSp, 0x1234}})));
  EXPECT_EQ(0x1234U, regs.ip);
  EXPECT_EQ(kSp + 8, regs.sp);
  EXPECT_EQ(99U, regs.bp);
}

TEST(CompactRules, FromRbp) {
  FrameRegisters regs{1, kSp, kSp + 64};
  const CompactRule rule{RuleKind::kFromRbp, 0, -2, 16};
  ASSERT_TRUE(step(rule, regs, Words({{kSp + 72, 0x1234}, {kSp + 64, kSp + 200}})));
  EXPECT_EQ(0x1234U, regs.ip);
  EXPECT_EQ(kSp + 80, regs.sp);
  EXPECT_EQ(kSp + 200, regs.bp);
}

TEST(CompactRules, FromWordAtRbp) {
  FrameRegisters regs{1, kSp, kSp + 64};
  const CompactRule rule{RuleKind::kFromWordAtRbp, 0, 0, -8};
  const Words words({{kSp + 56, kSp + 160}, {kSp + 64, 77}, {kSp + 152, 0x1234}});
  ASSERT_TRUE(step(rule, regs, words));
  EXPECT_EQ(0x1234U, regs.ip);
  EXPECT_EQ(kSp + 160, regs.sp);
  EXPECT_EQ(77U, regs.bp);
}

// Each of these once led to a wild read in one unwinder or another.
TEST(CompactRules, NonsenseIsRefusedAndChangesNothing) {
  const auto anything = [](std::uint64_t, std::uint64_t& word) {
    word = 8;
    return true;
  };
  const auto refused = [&](CompactRule rule, std::uint64_t bp) {
    FrameRegisters regs{1, kSp, bp};
    return !step(rule, regs, anything) && regs.ip == 1 && regs.sp == kSp && regs.bp == bp;
  };
  EXPECT_TRUE(refused({RuleKind::kFromRbp, 0, 0, 16}, 0)) << "CFA below the stack pointer";
  EXPECT_TRUE(refused({RuleKind::kFromRbp, 0, 0, 16}, kSp - 16)) << "CFA at the stack pointer";
  EXPECT_TRUE(refused({RuleKind::kFromRbp, 0, 0, 16}, kSp + 1)) << "CFA not aligned";
  EXPECT_TRUE(refused({RuleKind::kFromRbp, 0, 0, 16}, UINT64_MAX - 7)) << "CFA wraps around";
  EXPECT_TRUE(refused({RuleKind::kFromRbp, 0, 0, 16}, kSp + kMaxFrameBytes)) << "frame too large";
  EXPECT_TRUE(refused({RuleKind::kFromRsp, 0, 0, -8}, 0)) << "negative frame";
  EXPECT_TRUE(refused({RuleKind::kFromWordAtRbp, 0, 0, -8}, 16)) << "word below the stack pointer";
}

TEST(CompactRules, UnreadableWordChangesNothing) {
  FrameRegisters regs{1, kSp, 99};
  EXPECT_FALSE(step({RuleKind::kFromRsp, 0, -2, 32}, regs, Words({{kSp + 24, 0x1234}})));
  EXPECT_EQ(1U, regs.ip);
  EXPECT_EQ(kSp, regs.sp);
}

// CFA = word at rbp - 8, rbp = word at rbp + `saved_at`: gcc's realigned stack has 0 there.
CompactRule compact_of_realigned(std::uint8_t saved_at) {
  const std::uint8_t expressions[] = {3, 0x76, 0x78, 0x06, 2, 0x76, saved_at};
  Rule rule{};
  rule.cfa_register = kCfaIsExpression;
  rule.cfa_operand = 0;
  rule.registers[kRip] = {Where::kAtCfaOffset, -8};
  rule.registers[kRbp] = {Where::kAtExpression, 4};
  rule.expressions = expressions;
  rule.expressions_end = expressions + sizeof(expressions);
  return compact(rule);
}

TEST(CompactRules, AreMadeFromRealignedStacksAsGccWritesThemOnly) {
  EXPECT_EQ(RuleKind::kFromWordAtRbp, compact_of_realigned(0).kind);
  EXPECT_EQ(-8, compact_of_realigned(0).cfa_offset);
  EXPECT_EQ(RuleKind::kGeneral, compact_of_realigned(8).kind);
}

TEST(CompactRules, AreNotMadeFromWhatTheyCannotSay) {
  Rule plain{};
  plain.cfa_register = kRsp;
  plain.cfa_operand = 16;
  plain.registers[kRip] = {Where::kAtCfaOffset, -8};
  ASSERT_EQ(RuleKind::kFromRsp, compact(plain).kind);
  const auto kind_with = [&plain](auto change) {
    Rule rule = plain;
    change(rule);
    return compact(rule).kind;
  };
  EXPECT_EQ(RuleKind::kGeneral, kind_with([](Rule& rule) { rule.cfa_register = kR10; }));
  EXPECT_EQ(RuleKind::kGeneral, kind_with([](Rule& rule) { rule.signal_frame = true; }));
  EXPECT_EQ(RuleKind::kGeneral, kind_with([](Rule& rule) {
              rule.registers[kRip] = {Where::kAtCfaOffset, -16};
            }));
  EXPECT_EQ(RuleKind::kGeneral, kind_with([](Rule& rule) {
              rule.registers[kRbp] = {Where::kInRegister, kRbx};
            }));
  EXPECT_EQ(RuleKind::kGeneral, kind_with([](Rule& rule) {
              rule.registers[kRsp] = {Where::kAtCfaOffset, -24};
            }));
  EXPECT_EQ(RuleKind::kGeneral, kind_with([](Rule& rule) {
              rule.registers[kRbp] = {Where::kAtCfaOffset, -20};
            }));
  EXPECT_EQ(RuleKind::kOutermost, kind_with([](Rule& rule) {
              rule.registers[kRip] = {Where::kUndefined, 0};
            }));
}

// One word of the cache holds a rule's row and its address; growth must be a decision.
TEST(CompactRules, FitOneWord) {
  EXPECT_EQ(8U, sizeof(CompactRule));
  EXPECT_GE(kRowIndexMask, kRowCount - 1);
  EXPECT_GE(64U - kRowIndexBits, 47U) << "user addresses have 47 bits";
}

// --- expressions ---------------------------------------------------------------------------------

Registers numbered_registers() {
  Registers regs;
  for (unsigned i = 0; i < kRegisterCount; ++i) {
    regs.value[i] = 0x1000 * i;
  }
  return regs;
}

struct Outcome {
  bool ok;
  std::uint64_t value;
};

Outcome run(const std::vector<std::uint8_t>& code, const std::uint64_t* initial = nullptr) {
  const Registers regs = numbered_registers();
  const WordReader reader{[](void*, std::uint64_t address, std::uint64_t& word) {
                            word = address + 1;
                            return address != 0xdead;
                          },
                          nullptr};
  Outcome outcome{false, 0};
  outcome.ok = evaluate(ByteCursor(code.data(), code.data() + code.size()), {regs, reader, initial},
                        outcome.value);
  return outcome;
}

// What every PLT stub carries: rsp + 8 + ((rip & 15) >= 11 ? 8 : 0).
TEST(Expressions, PltStub) {
  const std::vector<std::uint8_t> code = {0x77, 0x08, 0x80, 0x00, 0x3f, 0x1a,
                                          0x3b, 0x2a, 0x33, 0x24, 0x22};
  Registers regs = numbered_registers();
  const WordReader none{[](void*, std::uint64_t, std::uint64_t&) { return false; }, nullptr};
  for (std::uint64_t low = 0; low < 16; ++low) {
    regs.value[kRip] = 0x401020 + low;
    std::uint64_t cfa = 0;
    ASSERT_TRUE(
        evaluate(ByteCursor(code.data(), code.data() + code.size()), {regs, none, nullptr}, cfa));
    EXPECT_EQ(regs.rsp() + 8 + (low >= 11 ? 8 : 0), cfa) << low;
  }
}

TEST(Expressions, OperationsOfEachKind) {
  const std::uint64_t initial = 40;
  EXPECT_EQ(40U, run({0x96}, &initial).value) << "nop leaves the initial value";
  EXPECT_EQ(41U, run({0x06}, &initial).value) << "deref";
  EXPECT_EQ(42U, run({0x23, 0x02}, &initial).value) << "plus_uconst";
  EXPECT_EQ(static_cast<std::uint64_t>(-3), run({0x09, 0xfd}).value) << "const1s";
  EXPECT_EQ(0xfffdU, run({0x0a, 0xfd, 0xff}).value) << "const2u";
  EXPECT_EQ(0x6000U - 8, run({0x76, 0x78}).value) << "breg6 -8";
  EXPECT_EQ(0x10000U + 1, run({0x92, 0x10, 0x01}).value) << "bregx";
  EXPECT_EQ(2U, run({0x38, 0x34, 0x1b}).value) << "8 / 4";
  EXPECT_EQ(4U, run({0x38, 0x34, 0x1c}).value) << "8 - 4";
  EXPECT_EQ(8U, run({0x34, 0x38, 0x16, 0x1c, 0x38, 0x22, 0x34, 0x1c}).value) << "swap";
  EXPECT_EQ(2U, run({0x31, 0x32, 0x33, 0x17}).value) << "rot: the second comes to the top";
  EXPECT_EQ(3U, run({0x31, 0x32, 0x33, 0x17, 0x13, 0x13}).value)
      << "rot: the top goes to the third";
  EXPECT_EQ(5U, run({0x35, 0x30, 0x28, 0x01, 0x00, 0x96}).value) << "bra not taken";
  EXPECT_EQ(1U, run({0x33, 0x34, 0x2d}).value) << "3 < 4";
  EXPECT_EQ(0x29U, run({0x08, 0x28, 0x94, 0x01}).value) << "deref_size";
  EXPECT_EQ(3U, run({0x09, 0xfd, 0x19}).value) << "abs";
  EXPECT_EQ(1U, run({0x31, 0x32, 0x15, 0x01}).value) << "pick";
}

TEST(Expressions, NonsenseIsRefused) {
  EXPECT_FALSE(run({}).ok) << "nothing computed";
  EXPECT_FALSE(run({0x22}).ok) << "plus on an empty stack";
  EXPECT_FALSE(run({0x38, 0x30, 0x1b}).ok) << "division by zero";
  EXPECT_FALSE(run({0xff}).ok) << "unknown operation";
  EXPECT_FALSE(run({0x0e, 1, 2}).ok) << "operand cut off";
  EXPECT_FALSE(run({0x2f, 0xfd, 0xff}).ok) << "endless loop";
  EXPECT_FALSE(run({0x2f, 0x00, 0x80}).ok) << "jump before the start";
  EXPECT_FALSE(run({0x0a, 0xad, 0xde, 0x06}).ok) << "unreadable word";
  EXPECT_FALSE(run(std::vector<std::uint8_t>(17, 0x31)).ok) << "stack overflow";
}

// --- encodings -----------------------------------------------------------------------------------

TEST(ByteCursors, LebNumbers) {
  const std::uint8_t bytes[] = {0xe5, 0x8e, 0x26, 0x80, 0x7f, 0x7f};
  ByteCursor cursor(bytes, bytes + sizeof(bytes));
  EXPECT_EQ(624485U, cursor.take_unsigned_leb());
  EXPECT_EQ(-128, cursor.take_signed_leb());
  EXPECT_EQ(-1, cursor.take_signed_leb());
  EXPECT_TRUE(cursor.ok());
  EXPECT_EQ(0U, cursor.take<std::uint8_t>());
  EXPECT_FALSE(cursor.ok());
}

TEST(ByteCursors, PointersRelativeToTheirRunTimePlace) {
  const std::uint8_t bytes[] = {0x10, 0x00, 0x00, 0x00, 0xf0, 0xff, 0xff, 0xff};
  const std::uint64_t shift = 0x5000 - reinterpret_cast<std::uint64_t>(&bytes[0]);
  ByteCursor cursor(bytes, bytes + sizeof(bytes), shift);
  EXPECT_EQ(0x5010U, cursor.take_pointer(kEncodingPcRelative | kEncodingSigned4, 0));
  EXPECT_EQ(0x8ff0U, cursor.take_pointer(kEncodingDataRelative | kEncodingSigned4, 0x9000));
  EXPECT_TRUE(cursor.ok());
}

// --- damaged tables ------------------------------------------------------------------------------

// The unwind tables of libc, copied in front of a page that cannot be read.
class CopiedTables {
 public:
  explicit CopiedTables(const UnwindTables& from) {
    const auto size = static_cast<std::size_t>(from.frames_end - from.header);
    const std::size_t room = (size + 4095) / 4096 * 4096;
    bytes_ = room + 4096;
    memory_ = static_cast<std::uint8_t*>(
        mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(memory_ + room, 4096, PROT_NONE);
    std::uint8_t* copy = memory_ + (room - size);
    std::memcpy(copy, from.header, size);
    tables_ = {copy, copy + (from.frames - from.header), copy + size,
               copy + (from.table - from.header), from.table_entries};
    original_.assign(copy, copy + size);
  }
  ~CopiedTables() { munmap(memory_, bytes_); }
  CopiedTables(const CopiedTables&) = delete;
  CopiedTables& operator=(const CopiedTables&) = delete;

  [[nodiscard]] const UnwindTables& tables() const { return tables_; }
  [[nodiscard]] std::size_t size() const { return original_.size(); }
  [[nodiscard]] std::uint8_t& byte(std::size_t at) const { return memory_at()[at]; }
  void restore() const { std::memcpy(memory_at(), original_.data(), original_.size()); }

 private:
  [[nodiscard]] std::uint8_t* memory_at() const {
    return memory_ + (bytes_ - 4096 - original_.size());
  }

  std::uint8_t* memory_;
  std::size_t bytes_;
  UnwindTables tables_{};
  std::vector<std::uint8_t> original_;
};

TEST(DamagedTables, NeverReadOutsideAndNeverHang) {
  const MappedElf libc(loaded_library("libc.so"));
  ASSERT_TRUE(libc.ok());
  const CopiedTables copy(libc.image().tables);
  const std::uint64_t header = reinterpret_cast<std::uint64_t>(copy.tables().header);
  const std::uint64_t code =
      header - (reinterpret_cast<std::uint64_t>(libc.image().tables.header) - libc.image().bias);
  std::mt19937_64 random(1);
  const WordReader reader{[](void*, std::uint64_t address, std::uint64_t& word) {
                            word = address;
                            return true;
                          },
                          nullptr};
  unsigned found = 0;
  for (int round = 0; round < 300; ++round) {
    for (int i = 0; i < 2000; ++i) {
      copy.byte(random() % copy.size()) = static_cast<std::uint8_t>(random());
    }
    for (int i = 0; i < 500; ++i) {
      Rule rule;
      Registers regs = numbered_registers();
      if (find_rule(copy.tables(), code + 0x27000 + random() % 0x150000, rule)) {
        ++found;
        compact(rule);
        step(rule, regs, reader);
      }
    }
    copy.restore();
  }
  EXPECT_GT(found, 1000U) << "most of the tables is still good";
}

TEST(DamagedTables, WithoutASearchTableAllEntriesAreWalked) {
  const MappedElf libc(loaded_library("libgcc_s"));
  ASSERT_TRUE(libc.ok());
  const UnwindTables& tables = libc.image().tables;
  UnwindTables without = tables;
  without.table = nullptr;
  without.table_entries = 0;
  unsigned found = 0;
  for (std::uint64_t pc = libc.image().begin; pc < libc.image().end; pc += 7) {
    Rule by_table;
    Rule by_walk;
    const bool in_table = find_rule(tables, pc, by_table);
    ASSERT_EQ(in_table, find_rule(without, pc, by_walk)) << pc - libc.image().bias;
    if (in_table) {
      ++found;
      EXPECT_EQ(std::bit_cast<std::uint64_t>(compact(by_table)),
                std::bit_cast<std::uint64_t>(compact(by_walk)));
    }
  }
  EXPECT_GT(found, 1000U);
}

// --- /proc/self/maps -----------------------------------------------------------------------------

TEST(MapsLines, AreTakenApart) {
  MapsLine line;
  ASSERT_TRUE(parse_maps_line(
      "7f2c0a000000-7f2c0a022000 r-xp 00001000 fe:01 1234    /usr/lib/a b (deleted)", line));
  EXPECT_EQ(0x7f2c0a000000U, line.begin);
  EXPECT_EQ(0x7f2c0a022000U, line.end);
  EXPECT_EQ(0x1000U, line.offset);
  EXPECT_EQ(1234U, line.inode);
  EXPECT_TRUE(line.readable);
  EXPECT_TRUE(line.executable);
  EXPECT_EQ("/usr/lib/a b (deleted)", line.path);
  ASSERT_TRUE(parse_maps_line("1000-2000 ---p 00000000 00:00 0", line));
  EXPECT_FALSE(line.readable);
  EXPECT_FALSE(line.executable);
  EXPECT_EQ("", line.path);
}

TEST(MapsLines, AnythingElseIsRefused) {
  MapsLine line;
  for (const char* text : {"", "1000", "1000-", "1000-2000", "1000-2000 r-", "1000-2000 r-xp 0",
                           "xyz-2000 r-xp 00000000 00:00 0", "1000-2000 r-xp 00000000 00:00"}) {
    EXPECT_FALSE(parse_maps_line(text, line)) << text;
  }
}

TEST(MapsLines, ReaderGivesTheWholeListInOrder) {
  std::vector<char> buffer(kMapsBufferBytes);
  MapsReader reader(buffer.data());
  MapsLine line;
  std::uint64_t last_end = 0;
  unsigned count = 0;
  bool has_stack = false;
  while (reader.next(line)) {
    EXPECT_GE(line.begin, last_end);
    last_end = line.end;
    has_stack = has_stack || line.path == "[stack]";
    ++count;
  }
  EXPECT_FALSE(reader.failed());
  EXPECT_GT(count, 10U);
  EXPECT_TRUE(has_stack);
}

}  // namespace
}  // namespace seep::stack::testing
