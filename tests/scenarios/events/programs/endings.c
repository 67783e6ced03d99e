// Ends by a signal in the way that the arguments name: SIGNAL default|handler|siginfo|jump|stack.
// Holds 100 blocks of 64 bytes, and waits until seep has had time for a snapshot.
#define _GNU_SOURCE
#include <setjmp.h>
#include <sys/resource.h>

#include "tests/scenarios/events/programs/cases.h"

static sigjmp_buf g_back;
static int g_signal;
static volatile sig_atomic_t g_jumped;

static void tell_and_leave(int signal) {
  static const char kText[] = "handler\n";
  if (write(1, kText, sizeof(kText) - 1) > 0) {
    _exit(signal);
  }
}

// As crash reporters do: tell, then let the signal do what it does.
static void tell_and_die(int signal, siginfo_t* info, void* context) {
  (void)context;
  dprintf(1, "signal %d code %d\n", signal, info->si_code);
  struct sigaction plain = {.sa_handler = SIG_DFL};
  sigaction(signal, &plain, NULL);
  raise(signal);
}

static void jump(int signal) {
  (void)signal;
  g_jumped = 1;
  siglongjmp(g_back, 1);
}

static volatile int g_zero;

static void bring_about(void) {
  switch (g_signal) {
    case SIGSEGV:
      *(volatile char*)8 = 1;
      break;
    case SIGFPE:
      g_zero = 1 / g_zero;
      break;
    case SIGILL:
      __builtin_trap();
    case SIGABRT:
      abort();
    default:
      raise(g_signal);
  }
}

static void set_handler(const char* how) {
  struct sigaction action = {.sa_flags = 0};
  if (strcmp(how, "handler") == 0) {
    action.sa_handler = tell_and_leave;
  } else if (strcmp(how, "siginfo") == 0) {
    action.sa_sigaction = tell_and_die;
    action.sa_flags = SA_SIGINFO;
  } else if (strcmp(how, "jump") == 0) {
    action.sa_handler = jump;
  } else if (strcmp(how, "stack") == 0) {
    static char alternate[64 << 10];
    const stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
    sigaltstack(&stack, NULL);
    action.sa_sigaction = tell_and_die;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  } else {
    return;
  }
  sigaction(g_signal, &action, NULL);
}

// The handlers of all signals, the mask and the alternate stack, as the program finds them.
static void say_signals(void) {
  unsigned long set = 0;
  for (int signal = 1; signal < 65; ++signal) {
    struct sigaction now;
    if (sigaction(signal, NULL, &now) == 0 && now.sa_handler != SIG_DFL) {
      set |= 1UL << (signal - 1);
    }
  }
  sigset_t mask;
  unsigned long blocked = 0;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  for (int signal = 1; signal < 65; ++signal) {
    blocked |= sigismember(&mask, signal) == 1 ? 1UL << (signal - 1) : 0;
  }
  stack_t stack;
  sigaltstack(NULL, &stack);
  printf("handlers %lx blocked %lx stack %d\n", set, blocked, stack.ss_flags);
  fflush(stdout);
}

__attribute__((noinline)) static void hold_blocks(void) {
  static char* volatile blocks[100];
  for (int i = 0; i < 100; ++i) {
    blocks[i] = malloc(64);
    blocks[i][0] = 'x';
  }
}

int main(int argc, char** argv) {
  if (argc < 3) {
    return 2;
  }
  const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_CORE, &unlimited);
  g_signal = atoi(argv[1]);
  say_signals();
  hold_blocks();
  churn_for_ms(60);
  set_handler(argv[2]);
  if (sigsetjmp(g_back, 1) == 0) {
    bring_about();
  }
  churn_for_ms(20);
  say("jumped", g_jumped);
  return 3;
}
