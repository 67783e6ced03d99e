// The x86-64 registers as unwind tables number them.
// Context: IN-HOOK. Plain values: copied, never shared.
#pragma once

#include <cstdint>

namespace seep::stack {

// DWARF register numbers of the System V ABI for x86-64 (figure 3.36 there).
enum RegisterNumber : std::uint8_t {
  kRax = 0,
  kRdx = 1,
  kRcx = 2,
  kRbx = 3,
  kRsi = 4,
  kRdi = 5,
  kRbp = 6,
  kRsp = 7,
  kR8 = 8,
  kR10 = 10,
  kR12 = 12,
  kR13 = 13,
  kR14 = 14,
  kR15 = 15,
  kRip = 16,
};
inline constexpr unsigned kRegisterCount = 17;

// The registers of one frame at the instruction after its call. The assembly of capture() writes
// this array: its order is fixed.
struct Registers {
  std::uint64_t value[kRegisterCount];

  [[nodiscard]] std::uint64_t rip() const { return value[kRip]; }
  [[nodiscard]] std::uint64_t rsp() const { return value[kRsp]; }
  [[nodiscard]] std::uint64_t rbp() const { return value[kRbp]; }
};

// The registers right behind this place of the function it becomes part of. What a callee may
// overwrite is left out: no frame further out can be found by it.
[[gnu::always_inline]] inline Registers registers_here() {
  Registers regs = {};
  __asm__ volatile(
      "movq %%rbx, 24(%0)\n\t"
      "movq %%rbp, 48(%0)\n\t"
      "movq %%rsp, 56(%0)\n\t"
      "movq %%r12, 96(%0)\n\t"
      "movq %%r13, 104(%0)\n\t"
      "movq %%r14, 112(%0)\n\t"
      "movq %%r15, 120(%0)\n\t"
      "leaq 0f(%%rip), %%rax\n\t"
      "movq %%rax, 128(%0)\n"
      "0:"
      :
      : "r"(regs.value)
      : "rax", "memory");
  return regs;
}

}  // namespace seep::stack
