// Filters of system calls are judged as the kernel judges them.
#include "preload/runtime/call_filter.h"

#include <gtest/gtest.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <vector>

namespace seep::runtime {
namespace {

constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | 77;
constexpr long kArguments[] = {0x123456789ABCDEF0, -1, 7};

FilterText text_of(const std::vector<sock_filter>& steps) {
  return {reinterpret_cast<const FilterStep*>(steps.data()),
          static_cast<std::uint32_t>(steps.size())};
}

enum class Verdict : std::uint8_t { kAllowed, kRefused, kNotInstalled, kKilled };

// What the kernel does with getppid, in a child that installs the filter. Every other call passes.
Verdict ask_kernel(std::vector<sock_filter> steps) {
  const pid_t pid = fork();
  if (pid == 0) {
    const sock_fprog program{static_cast<unsigned short>(steps.size()), steps.data()};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
      _exit(2);
    }
    const long result = syscall(SYS_getppid, kArguments[0], kArguments[1], kArguments[2]);
    _exit(result < 0 && errno == 77 ? 1 : 0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? static_cast<Verdict>(WEXITSTATUS(status)) : Verdict::kKilled;
}

Verdict judge(const std::vector<sock_filter>& steps) {
  const std::uint32_t action =
      filter_action(text_of(steps), {SYS_getppid, {kArguments[0], kArguments[1], kArguments[2]}});
  return action == SECCOMP_RET_ALLOW   ? Verdict::kAllowed
         : action == SECCOMP_RET_ERRNO ? Verdict::kRefused
                                       : Verdict::kKilled;
}

// Calculates something of the arguments, and lets that decide.
std::vector<sock_filter> random_filter(std::mt19937& random) {
  static constexpr unsigned short kOperations[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_AND,
                                                   BPF_OR,  BPF_XOR, BPF_LSH, BPF_RSH, BPF_NEG};
  static constexpr unsigned short kJumps[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
  const auto any = [&random](unsigned count) { return static_cast<unsigned>(random() % count); };
  std::vector<sock_filter> steps = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_ST, any(16)),
      BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0),
  };
  for (unsigned i = 0; i < 12; ++i) {
    const unsigned short operation = kOperations[any(10)];
    const bool shift = operation == BPF_LSH || operation == BPF_RSH;
    const bool by_x = any(2) == 0 && !shift;
    steps.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16 + 4 * any(6)));
    steps.push_back(
        BPF_STMT(static_cast<unsigned short>(BPF_ALU | operation | (by_x ? BPF_X : BPF_K)),
                 shift ? any(32) : 1 + any(1U << 20)));
    steps.push_back(BPF_STMT(BPF_MISC | BPF_TAX, 0));
  }
  steps.push_back(BPF_STMT(BPF_MISC | BPF_TXA, 0));
  steps.push_back(BPF_JUMP(static_cast<unsigned short>(BPF_JMP | kJumps[any(4)] | BPF_K),
                           static_cast<unsigned>(random()), 0, 1));
  steps.push_back(BPF_STMT(BPF_RET | BPF_K, kRefuse));
  steps.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return steps;
}

TEST(CallFilter, IsJudgedAsByTheKernel) {
  std::mt19937 random(20260801);
  unsigned refused = 0;
  unsigned compared = 0;
  for (int i = 0; i < 400; ++i) {
    const std::vector<sock_filter> steps = random_filter(random);
    const Verdict kernel = ask_kernel(steps);
    if (kernel == Verdict::kNotInstalled) {
      continue;
    }
    ++compared;
    refused += kernel == Verdict::kRefused ? 1 : 0;
    ASSERT_EQ(judge(steps), kernel) << "filter " << i;
  }
  EXPECT_GT(compared, 200U);  // the kernel takes no operation that makes no sense
  EXPECT_GT(refused, 20U);
  EXPECT_LT(refused, compared - 20);
}

// A filter that asks where a call comes from is not understood, and taken for the worst.
TEST(CallFilter, ThatAsksForThePlaceOfTheCallIsTakenForTheWorst) {
  EXPECT_EQ(
      judge({BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 8), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}),
      Verdict::kKilled);
}

TEST(CallFilter, WithoutAnEndIsTakenForTheWorst) {
  EXPECT_EQ(judge({BPF_STMT(BPF_JMP | BPF_JA, 100)}), Verdict::kKilled);
  EXPECT_EQ(judge({}), Verdict::kKilled);
}

TEST(CallFilter, ThatCannotBeReadIsNone) {
  FilterText text;
  EXPECT_EQ(copy_filter(nullptr, text), CopyFilter::kUnreadable);
  EXPECT_EQ(copy_filter(reinterpret_cast<const void*>(64), text), CopyFilter::kUnreadable);
  const sock_fprog nowhere{5, reinterpret_cast<sock_filter*>(4096)};
  EXPECT_EQ(copy_filter(&nowhere, text), CopyFilter::kUnreadable);
}

// In a process of its own: filters are never taken back.
TEST(CallFilter, OfWhateverThreadCountsForEveryCall) {
  const auto run = [] {
    static const std::vector<sock_filter> steps = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const bool before = snapshots_are_allowed() && is_harmless({SYS_renameat, {}});
    add_filter(text_of(steps));
    const bool after = snapshots_are_allowed() || is_harmless({SYS_renameat, {}});
    _exit(before && !after && is_harmless({SYS_openat, {}}) && !allows_snapshots(text_of(steps))
              ? 0
              : 1);
  };
  EXPECT_EXIT(run(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace seep::runtime
