// Installs a filter of system calls and goes on allocating: filters HOW ACTION CALL [MILLISECONDS]
//   HOW     prctl, syscall: by that function · thread: in a second thread · exec: then executes
//   itself
//           fork: in a child · vfork: in a child that only uses our memory, and executes true
//   ACTION  kill, errno, trap: what the filter answers
//   CALL    the one it answers so · strict: SECCOMP_MODE_STRICT · few: all but those that it uses
#define _GNU_SOURCE
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "tests/scenarios/events/programs/cases.h"

enum { kBlocks = 150000 };

static struct sock_filter g_steps[64];
static unsigned short g_count;

static void add(unsigned short code, unsigned char yes, unsigned char no, unsigned value) {
  g_steps[g_count++] = (struct sock_filter){code, yes, no, value};
}

static unsigned action_of(const char* name) {
  return strcmp(name, "kill") == 0   ? SECCOMP_RET_KILL_PROCESS
         : strcmp(name, "trap") == 0 ? SECCOMP_RET_TRAP
                                     : SECCOMP_RET_ERRNO | EPERM;
}

static int number_of(const char* name) {
  static const struct {
    const char* name;
    int number;
  } kCalls[] = {{"openat", SYS_openat},    {"clone", SYS_clone},
                {"mincore", SYS_mincore},  {"process_vm_readv", SYS_process_vm_readv},
                {"tgkill", SYS_tgkill},    {"getpid", SYS_getpid},
                {"gettid", SYS_gettid},    {"rt_sigprocmask", SYS_rt_sigprocmask},
                {"mmap", SYS_mmap},        {"renameat", SYS_renameat},
                {"fcntl", SYS_fcntl},      {"wait4", SYS_wait4},
                {"readlink", SYS_readlink}};
  for (size_t i = 0; i < sizeof(kCalls) / sizeof(kCalls[0]); ++i) {
    if (strcmp(kCalls[i].name, name) == 0) {
      return kCalls[i].number;
    }
  }
  exit(2);
}

// What the program itself needs from there on.
static const int kFew[] = {SYS_write,           SYS_exit_group, SYS_exit,          SYS_brk,
                           SYS_futex,           SYS_munmap,     SYS_clock_gettime, SYS_rt_sigreturn,
                           SYS_clock_nanosleep, SYS_madvise};

static void build(const char* action, const char* call) {
  add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
  add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AUDIT_ARCH_X86_64);
  add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS);
  add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
  if (strcmp(call, "few") == 0) {
    for (size_t i = 0; i < sizeof(kFew) / sizeof(kFew[0]); ++i) {
      add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (unsigned)kFew[i]);
      add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
    }
    add(BPF_RET | BPF_K, 0, 0, action_of(action));
  } else {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (unsigned)number_of(call));
    add(BPF_RET | BPF_K, 0, 0, action_of(action));
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
  }
}

static void confine(const char* how, const char* call) {
  const struct sock_fprog program = {g_count, g_steps};
  long result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (strcmp(call, "strict") == 0) {
    result += prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
  } else if (strcmp(how, "prctl") == 0) {
    result += prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
  } else {
    result += syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) == -1 ? 0 : 1;
    result += syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
  }
  if (write(1, result == 0 ? "confined\n" : "not confined\n", result == 0 ? 9 : 13) < 0) {
    _exit(1);
  }
}

static const char* g_call = "";
static long g_work_ms = 120;

static void work(void) {
  if (strcmp(g_call, "strict") == 0) {
    churn(300000);  // without a look at the clock: strict mode forbids the time stamp counter
  } else {
    churn_for_ms(g_work_ms);
  }
  if (write(1, "done\n", 5) < 0) {
    _exit(1);
  }
}

static void* confine_and_work(void* unused) {
  confine("syscall", g_call);
  churn_for_ms(150);
  return unused;
}

static void trapped(int signal) {
  (void)signal;
  static const char kText[] = "TRAPPED\n";
  if (write(1, kText, sizeof(kText) - 1) < 0) {
    _exit(1);
  }
}

__attribute__((noinline)) static void hold_blocks(void) {
  static char* volatile blocks[kBlocks];
  for (int i = 0; i < kBlocks; ++i) {
    blocks[i] = malloc(16);
    blocks[i][0] = 'x';
  }
}

static void confine_child(const char* how) {
  const pid_t pid = strcmp(how, "fork") == 0 ? fork() : vfork();
  if (pid == 0) {
    confine("syscall", g_call);
    if (strcmp(how, "fork") == 0) {
      work();
      _exit(5);
    }
    execl("/bin/true", "true", (char*)NULL);
    _exit(6);
  }
  say_child(how, pid);
  work();
}

int main(int argc, char** argv) {
  if (argc < 4) {
    if (argc == 2) {  // executed by itself
      work();
      return 0;
    }
    return 2;
  }
  const char* how = argv[1];
  g_call = argv[3];
  g_work_ms = argc > 4 ? atol(argv[4]) : g_work_ms;
  signal(SIGSYS, trapped);
  hold_blocks();
  churn_for_ms(60);
  if (strcmp(g_call, "strict") != 0) {
    build(argv[2], g_call);
  }
  if (strcmp(how, "thread") == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, confine_and_work, NULL);
    churn_for_ms(100);
    pthread_join(thread, NULL);
  } else if (strcmp(how, "fork") == 0 || strcmp(how, "vfork") == 0) {
    confine_child(how);
    return 0;
  } else {
    confine(how, g_call);
  }
  if (strcmp(how, "exec") == 0) {
    signal(SIGSYS, SIG_DFL);
    execl("/proc/self/exe", "filters", "work", (char*)NULL);
    return 3;
  }
  work();
  if (strcmp(g_call, "strict") == 0) {
    syscall(SYS_exit, 0);
  }
  _exit(0);
}
