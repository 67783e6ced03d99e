// Every row of the unwind tables of real files: a step by our rule and a step by libdw's must give
// the same registers. Both are executed over the same invented registers and memory, so that
// expressions are compared by what they compute.
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "preload/stack/cfi.h"
#include "preload/stack/unwind_rule.h"
#include "tests/unit/stack/mapped_elf.h"

namespace seep::stack::testing {
namespace {

constexpr std::uint64_t kStackPointer = 0x7ff000000000;

// Any word of the invented stack: an address further out, different for each place.
std::uint64_t word_at(std::uint64_t address) {
  return kStackPointer + 0x10000 + ((address * 0x9e3779b97f4a7c15) >> 48) * 8;
}

bool read_invented(void*, std::uint64_t address, std::uint64_t& word) {
  word = word_at(address);
  return true;
}

Registers invented_registers(std::uint64_t pc) {
  Registers regs;
  for (unsigned i = 0; i < kRegisterCount; ++i) {
    regs.value[i] = kStackPointer + 0x1000 + i * 0x100;
  }
  regs.value[kRsp] = kStackPointer;
  regs.value[kRip] = pc;
  return regs;
}

// --- libdw's side --------------------------------------------------------------------------------

// Runs operations as libdw lists them; nothing when one is not known here.
std::optional<std::uint64_t> run(const Dwarf_Op* ops, std::size_t count, const Registers& regs,
                                 std::uint64_t cfa) {
  std::vector<std::uint64_t> stack;
  const auto pop = [&stack] {
    const std::uint64_t value = stack.back();
    stack.pop_back();
    return value;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const Dwarf_Op& op = ops[i];
    if (op.atom >= DW_OP_lit0 && op.atom <= DW_OP_lit31) {
      stack.push_back(op.atom - DW_OP_lit0);
    } else if (op.atom >= DW_OP_breg0 && op.atom <= DW_OP_breg16) {
      stack.push_back(regs.value[op.atom - DW_OP_breg0] + op.number);
    } else if (op.atom == DW_OP_bregx) {
      stack.push_back(regs.value[op.number] + op.number2);
    } else if (op.atom == DW_OP_regx) {
      stack.push_back(regs.value[op.number]);
    } else if (op.atom == DW_OP_call_frame_cfa) {
      stack.push_back(cfa);
    } else if (op.atom == DW_OP_plus_uconst) {
      stack.push_back(pop() + op.number);
    } else if (op.atom == DW_OP_deref) {
      stack.push_back(word_at(pop()));
    } else if (op.atom == DW_OP_const1u || op.atom == DW_OP_const1s || op.atom == DW_OP_consts ||
               op.atom == DW_OP_const2s || op.atom == DW_OP_constu || op.atom == DW_OP_const4s) {
      stack.push_back(op.number);
    } else if (op.atom == DW_OP_plus || op.atom == DW_OP_and || op.atom == DW_OP_shl ||
               op.atom == DW_OP_ge || op.atom == DW_OP_minus || op.atom == DW_OP_mul) {
      const std::uint64_t right = pop();
      const std::uint64_t left = pop();
      stack.push_back(op.atom == DW_OP_plus    ? left + right
                      : op.atom == DW_OP_and   ? left & right
                      : op.atom == DW_OP_shl   ? left << right
                      : op.atom == DW_OP_minus ? left - right
                      : op.atom == DW_OP_mul
                          ? left * right
                          : static_cast<std::int64_t>(left) >= static_cast<std::int64_t>(right));
    } else if (op.atom != DW_OP_nop && op.atom != DW_OP_stack_value) {
      return std::nullopt;
    }
  }
  return stack.empty() ? std::nullopt : std::optional(stack.back());
}

enum class Known { kValue, kUndefined, kNotComparable };

struct ExpectedRegister {
  Known known;
  std::uint64_t value;
};

ExpectedRegister expected_register(Dwarf_Frame* frame, unsigned number, const Registers& regs,
                                   std::uint64_t cfa) {
  Dwarf_Op memory[3];
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  if (dwarf_frame_register(frame, static_cast<int>(number), memory, &ops, &count) != 0) {
    return {Known::kNotComparable, 0};
  }
  if (count == 0) {
    return ops == nullptr ? ExpectedRegister{Known::kValue, regs.value[number]}
                          : ExpectedRegister{Known::kUndefined, 0};
  }
  // An expression of the tables is run with the CFA as its first operand.
  const bool from_tables = ops != memory && ops[0].atom != DW_OP_call_frame_cfa;
  const std::optional<std::uint64_t> result = run(ops, count, regs, cfa);
  if (!result.has_value()) {
    return {Known::kNotComparable, 0};
  }
  const bool is_value =
      ops[count - 1].atom == DW_OP_stack_value || (!from_tables && ops[0].atom == DW_OP_regx);
  return {Known::kValue, is_value ? *result : word_at(*result)};
}

// --- the comparison ------------------------------------------------------------------------------

struct Tally {
  std::uint64_t functions = 0;
  std::uint64_t rows = 0;
  std::uint64_t different = 0;
  std::uint64_t not_comparable = 0;
  std::uint64_t compact = 0;
  std::string first_difference;

  void differ(std::uint64_t address, const std::string& what) {
    if (different++ == 0) {
      char text[32];
      std::snprintf(text, sizeof(text), "0x%lx: ", static_cast<unsigned long>(address));
      first_difference = text + what;
    }
  }
};

// A compact rule must do what the rule does that it was made from.
void compare_compact(const Rule& rule, const Registers& before, const Registers& after,
                     std::uint64_t address, Tally& tally) {
  const CompactRule compact_rule = compact(rule);
  if (compact_rule.kind >= RuleKind::kOutermost) {
    return;
  }
  ++tally.compact;
  FrameRegisters regs{before.rip(), before.rsp(), before.rbp()};
  const bool stepped = step(compact_rule, regs, [](std::uint64_t at, std::uint64_t& word) {
    word = word_at(at);
    return true;
  });
  if (!stepped || regs.ip != after.rip() || regs.sp != after.rsp() || regs.bp != after.rbp()) {
    tally.differ(address, "compact rule");
  }
}

void compare_row(Dwarf_Frame* frame, const MappedElf& file, std::uint64_t address, Tally& tally) {
  const std::uint64_t pc = address + file.image().bias;
  Rule rule;
  if (!find_rule(file.image().tables, pc, rule)) {
    tally.differ(address, "no rule");
    return;
  }
  const Registers before = invented_registers(pc);
  Registers after = before;
  const StepResult result = step(rule, after, {read_invented, nullptr});
  Dwarf_Op* cfa_ops = nullptr;
  std::size_t cfa_count = 0;
  if (dwarf_frame_cfa(frame, &cfa_ops, &cfa_count) != 0) {
    ++tally.not_comparable;
    return;
  }
  const std::optional<std::uint64_t> cfa = run(cfa_ops, cfa_count, before, 0);
  if (!cfa.has_value()) {
    ++tally.not_comparable;
    return;
  }
  const ExpectedRegister return_address = expected_register(frame, kRip, before, *cfa);
  if (return_address.known == Known::kUndefined || result == StepResult::kOutermost) {
    if ((return_address.known == Known::kUndefined) != (result == StepResult::kOutermost)) {
      tally.differ(address, "outermost");
    }
    return;
  }
  if (result != StepResult::kStepped) {
    tally.differ(address, "step failed");
    return;
  }
  for (unsigned number = 0; number < kRegisterCount; ++number) {
    const ExpectedRegister expected = expected_register(frame, number, before, *cfa);
    tally.not_comparable += expected.known == Known::kNotComparable ? 1 : 0;
    if (expected.known == Known::kValue && expected.value != after.value[number]) {
      tally.differ(address, "register " + std::to_string(number));
    }
  }
  compare_compact(rule, before, after, address, tally);
}

// All rows of one function; libdw says where each begins and ends.
void compare_function(Dwarf_CFI* cfi, const MappedElf& file, std::uint64_t begin,
                      std::uint64_t next, Tally& tally) {
  ++tally.functions;
  std::uint64_t address = begin;
  while (address < next) {
    Dwarf_Frame* frame = nullptr;
    if (dwarf_cfi_addrframe(cfi, address, &frame) != 0) {
      return;  // the gap behind the function
    }
    Dwarf_Addr row_begin = 0;
    Dwarf_Addr row_end = 0;
    bool is_signal = false;
    dwarf_frame_info(frame, &row_begin, &row_end, &is_signal);
    ++tally.rows;
    compare_row(frame, file, address, tally);
    compare_row(frame, file, row_end - 1, tally);
    std::free(frame);
    address = row_end > address ? row_end : next;
  }
}

// Compares each `stride`-th function of a file.
Tally compare_file(const std::string& path, unsigned stride) {
  Tally tally;
  const MappedElf file(path);
  elf_version(EV_CURRENT);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  Elf* elf = elf_begin(fd, ELF_C_READ_MMAP, nullptr);
  Dwarf_CFI* cfi = elf == nullptr ? nullptr : dwarf_getcfi_elf(elf);
  const UnwindTables& tables = file.image().tables;
  if (file.ok() && cfi != nullptr && tables.table != nullptr) {
    const auto begin_of = [&](std::uint32_t index) {
      std::int32_t distance = 0;
      std::memcpy(&distance, tables.table + std::size_t{index} * 8, sizeof(distance));
      return reinterpret_cast<std::uint64_t>(tables.header) + distance - file.image().bias;
    };
    for (std::uint32_t i = 0; i < tables.table_entries; i += stride) {
      const std::uint64_t next =
          i + 1 < tables.table_entries ? begin_of(i + 1) : file.image().end - file.image().bias;
      compare_function(cfi, file, begin_of(i), next, tally);
    }
  }
  dwarf_cfi_end(cfi);
  elf_end(elf);
  close(fd);
  return tally;
}

void expect_equal(const std::string& path, unsigned stride) {
  const Tally tally = compare_file(path, stride);
  ::testing::Test::RecordProperty("rows", std::to_string(tally.rows));
  std::printf("%s: %lu functions, %lu rows, %lu comparisons compact, %lu not comparable\n",
              path.c_str(), static_cast<unsigned long>(tally.functions),
              static_cast<unsigned long>(tally.rows), static_cast<unsigned long>(tally.compact),
              static_cast<unsigned long>(tally.not_comparable));
  EXPECT_GT(tally.rows, 10U) << path;
  EXPECT_EQ(0U, tally.different) << path << ": first at " << tally.first_difference;
  EXPECT_EQ(0U, tally.not_comparable) << path;
}

TEST(Tables, EveryRowOfLibc) {
  expect_equal(loaded_library("libc.so"), 1);
}
TEST(Tables, EveryRowOfTheLoader) {
  expect_equal(loaded_library("ld-linux"), 1);
}
TEST(Tables, EveryRowOfTheCompilersRuntime) {
  expect_equal(loaded_library("libgcc_s"), 1);
}
TEST(Tables, EveryRowOfLibstdcxx) {
  expect_equal(loaded_library("libstdc++"), 1);
}
TEST(Tables, EveryRowOfThisProgram) {
  expect_equal("/proc/self/exe", 1);
}

// SEEP_TEST_ELF names a file instead of CMake's own program, which is large and always there.
TEST(Tables, EveryRowOfALargeProgram) {
  const char* path = std::getenv("SEEP_TEST_ELF");
  expect_equal(path != nullptr ? path : SEEP_LARGE_ELF, 1);
}

}  // namespace
}  // namespace seep::stack::testing
