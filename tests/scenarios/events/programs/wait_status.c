// Starts a program with an environment of its own and prints its wait status as waitpid gives it,
// the core flag included: wait_status NAME=VALUE… -- PROGRAM ARGUMENT…
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  (void)argc;
  ++argv;
  const pid_t pid = fork();
  if (pid == 0) {
    for (; *argv != NULL && strcmp(*argv, "--") != 0; ++argv) {
      putenv(*argv);
    }
    execv(argv[1], argv + 1);
    _exit(127);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  printf("%s %d core %d\n", WIFSIGNALED(status) ? "signal" : "exit",
         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
         WIFSIGNALED(status) && WCOREDUMP(status) ? 1 : 0);
  return 0;
}
