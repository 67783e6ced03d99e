#include "preload/runtime/call_filter.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "preload/runtime/arena.h"
#include "preload/runtime/file.h"
#include "preload/runtime/syscall.h"

namespace seep::runtime {

constinit std::atomic<bool> g_calls_are_filtered{false};

namespace {

constexpr std::uint32_t kMostSteps = 4096;  // BPF_MAXINSNS
constexpr std::uint32_t kMostFilters = 64;

static_assert(sizeof(FilterStep) == sizeof(sock_filter));

// Written before g_filter_count is released; never changed.
constinit FilterText g_filters[kMostFilters] = {};
constinit std::atomic<std::uint32_t> g_filter_count{0};  // acquire in is_harmless
constinit std::atomic<std::uint32_t> g_filter_claims{0};
constinit std::atomic<bool> g_all_refused{false};  // relaxed: before g_calls_are_filtered

seccomp_data data_of(const Call& call) {
  seccomp_data data{};
  data.nr = static_cast<int>(call.number);
  data.arch = AUDIT_ARCH_X86_64;
  for (unsigned i = 0; i < 6; ++i) {
    data.args[i] = static_cast<std::uint64_t>(call.arguments[i]);
  }
  return data;
}

bool does_no_harm(std::uint32_t action) {
  return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG || action == SECCOMP_RET_ERRNO;
}

// Classic BPF over struct seccomp_data, in the subset that the kernel takes for a filter. It has no
// loops: jumps lead forward only.
class Machine {
 public:
  Machine(const FilterText& filter, const seccomp_data& data) : filter_(filter), data_(data) {}

  std::uint32_t run() {
    while (at_ < filter_.count) {
      const FilterStep& step = filter_.steps[at_++];
      if (BPF_CLASS(step.code) == BPF_RET) {
        const std::uint32_t value = BPF_RVAL(step.code) == BPF_A ? a_ : step.value;
        return value & SECCOMP_RET_ACTION_FULL;
      }
      if (!execute(step)) {
        break;
      }
    }
    return SECCOMP_RET_KILL_PROCESS;
  }

 private:
  // False when the filter cannot be followed, or ends by a division by zero.
  bool execute(const FilterStep& step) {
    switch (BPF_CLASS(step.code)) {
      case BPF_LD:
        return load(step, a_);
      case BPF_LDX:
        return load(step, x_);
      case BPF_ST:
      case BPF_STX:
        if (step.value >= BPF_MEMWORDS) {
          return false;
        }
        memory_[step.value] = BPF_CLASS(step.code) == BPF_ST ? a_ : x_;
        return true;
      case BPF_ALU:
        return calculate(BPF_OP(step.code), operand(step));
      case BPF_JMP:
        jump(step);
        return true;
      default:  // BPF_MISC
        (BPF_MISCOP(step.code) == BPF_TAX ? x_ : a_) = BPF_MISCOP(step.code) == BPF_TAX ? a_ : x_;
        return true;
    }
  }

  [[nodiscard]] std::uint32_t operand(const FilterStep& step) const {
    return BPF_SRC(step.code) == BPF_X ? x_ : step.value;
  }

  bool load(const FilterStep& step, std::uint32_t& to) {
    switch (BPF_MODE(step.code)) {
      case BPF_IMM:
        to = step.value;
        return true;
      case BPF_LEN:
        to = sizeof(seccomp_data);
        return true;
      case BPF_MEM:
        to = memory_[step.value % BPF_MEMWORDS];
        return step.value < BPF_MEMWORDS;
      case BPF_ABS:
        return load_data(step.value, to);
      default:
        return false;
    }
  }

  bool load_data(std::uint32_t offset, std::uint32_t& to) {
    constexpr std::uint32_t kPlace = offsetof(seccomp_data, instruction_pointer);
    if (offset % 4 != 0 || offset >= sizeof(data_) || (offset >= kPlace && offset < kPlace + 8)) {
      return false;
    }
    __builtin_memcpy(&to, reinterpret_cast<const char*>(&data_) + offset, sizeof(to));
    return true;
  }

  bool calculate(unsigned operation, std::uint32_t by) {
    switch (operation) {
      case BPF_ADD:
        a_ += by;
        return true;
      case BPF_SUB:
        a_ -= by;
        return true;
      case BPF_MUL:
        a_ *= by;
        return true;
      case BPF_DIV:
        a_ = by == 0 ? a_ : a_ / by;
        return by != 0;
      case BPF_AND:
        a_ &= by;
        return true;
      case BPF_OR:
        a_ |= by;
        return true;
      case BPF_XOR:
        a_ ^= by;
        return true;
      case BPF_LSH:
        a_ = by < 32 ? a_ << by : 0;
        return true;
      case BPF_RSH:
        a_ = by < 32 ? a_ >> by : 0;
        return true;
      case BPF_NEG:
        a_ = 0 - a_;
        return true;
      default:
        return false;
    }
  }

  void jump(const FilterStep& step) {
    const std::uint32_t by = operand(step);
    switch (BPF_OP(step.code)) {
      case BPF_JA:
        at_ = step.value < filter_.count - at_ ? at_ + step.value : filter_.count;
        return;
      case BPF_JEQ:
        return jump_if(a_ == by, step);
      case BPF_JGT:
        return jump_if(a_ > by, step);
      case BPF_JGE:
        return jump_if(a_ >= by, step);
      case BPF_JSET:
        return jump_if((a_ & by) != 0, step);
      default:
        at_ = filter_.count;
    }
  }

  void jump_if(bool condition, const FilterStep& step) {
    at_ += condition ? step.if_true : step.if_false;
  }

  const FilterText& filter_;
  const seccomp_data& data_;
  std::uint32_t at_ = 0;
  std::uint32_t a_ = 0;
  std::uint32_t x_ = 0;
  std::uint32_t memory_[BPF_MEMWORDS] = {};
};

// What no snapshot can do without. The paths do not matter: a filter cannot read them.
constexpr Call kNeeded[] = {
    {__NR_rt_sigprocmask, {2, 4096, 4096, 8}},
    {__NR_getpid, {}},
    {__NR_clock_gettime, {3 /* CLOCK_THREAD_CPUTIME_ID */, 4096}},
    {__NR_openat, {AT_FDCWD, 4096, O_RDONLY | O_CLOEXEC, 0}},
    {__NR_openat, {800, 4096, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600}},
    {__NR_fstat, {800, 4096}},
    {__NR_read, {3, 4096, 4096}},
    {__NR_write, {3, 4096, 65536}},
    {__NR_lseek, {3, 0, 0}},
    {__NR_close, {3}},
    {__NR_mmap, {0, 65536, 3, 0x4022, -1, 0}},
    {__NR_munmap, {4096, 65536}},
    {__NR_renameat, {800, 4096, 800, 4096}},
    {__NR_unlinkat, {800, 4096, 0}},
};

}  // namespace

std::uint32_t filter_action(const FilterText& filter, const Call& call) {
  const seccomp_data data = data_of(call);
  return Machine(filter, data).run();
}

CopyFilter copy_filter(const void* program, FilterText& copy) {
  sock_fprog text{};
  if (!read_own_memory(program, &text, sizeof(text)) || text.len == 0 || text.len > kMostSteps) {
    return CopyFilter::kUnreadable;
  }
  const std::size_t bytes = text.len * sizeof(FilterStep);
  void* steps = map_pages(bytes);
  if (steps == nullptr) {
    return CopyFilter::kNoMemory;
  }
  if (!read_own_memory(text.filter, steps, bytes)) {
    unmap_pages(steps, bytes);
    return CopyFilter::kUnreadable;
  }
  copy = {static_cast<const FilterStep*>(steps), text.len};
  return CopyFilter::kDone;
}

void add_filter(const FilterText& filter) {
  const std::uint32_t place = g_filter_claims.fetch_add(1, std::memory_order_relaxed);
  if (place >= kMostFilters) {
    refuse_all_calls();
    return;
  }
  g_filters[place] = filter;
  std::uint32_t before = place;
  while (!g_filter_count.compare_exchange_weak(before, place + 1, std::memory_order_acq_rel)) {
    before = place;  // the thread with the place before has not stored its filter yet
  }
  g_calls_are_filtered.store(true, std::memory_order_release);
}

void refuse_all_calls() {
  g_all_refused.store(true, std::memory_order_relaxed);
  g_calls_are_filtered.store(true, std::memory_order_release);
}

bool allows_snapshots(const FilterText& filter) {
  for (const Call& call : kNeeded) {
    if (!does_no_harm(filter_action(filter, call)) ||
        filter_action(filter, call) == SECCOMP_RET_ERRNO) {
      return false;
    }
  }
  return true;
}

bool snapshots_are_allowed() {
  if (!g_calls_are_filtered.load(std::memory_order_acquire)) {
    return true;
  }
  for (const Call& call : kNeeded) {
    if (!is_harmless(call)) {
      return false;
    }
  }
  return true;
}

bool is_harmless(const Call& call) {
  if (g_all_refused.load(std::memory_order_relaxed) || was_deadly(call.number)) {
    return false;
  }
  const std::uint32_t count = g_filter_count.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!does_no_harm(filter_action(g_filters[i], call))) {
      return false;
    }
  }
  return true;
}

}  // namespace seep::runtime
