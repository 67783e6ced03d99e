// Starts a program in the way that the first argument names, and ends with its status.
// usage: spawner WAY PROGRAM
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

static const char* g_way;

static int is(const char* way) {
  return strcmp(g_way, way) == 0;
}

static void become(char* path) {
  char* arguments[] = {path, NULL};
  const char* name = strrchr(path, '/') + 1;
  if (is("execve")) {
    execve(path, arguments, environ);
  } else if (is("execv")) {
    execv(path, arguments);
  } else if (is("execvp")) {
    execvp(name, arguments);
  } else if (is("execl")) {
    execl(path, path, (char*)NULL);
  } else if (is("execlp")) {
    execlp(name, path, (char*)NULL);
  } else if (is("fexecve")) {
    fexecve(open(path, O_RDONLY), arguments, environ);
  }
  _exit(99);
}

static pid_t start(char* path) {
  char* arguments[] = {path, NULL};
  pid_t child = -1;
  if (is("posix_spawn")) {
    return posix_spawn(&child, path, NULL, NULL, arguments, environ) == 0 ? child : -1;
  }
  if (is("posix_spawnp")) {
    const char* name = strrchr(path, '/') + 1;
    return posix_spawnp(&child, name, NULL, NULL, arguments, environ) == 0 ? child : -1;
  }
  if (is("vfork")) {
    child = vfork();
    if (child == 0) {
      execve(path, arguments, environ);
      _exit(98);
    }
    return child;
  }
  child = fork();
  if (child == 0) {
    become(path);
  }
  return child;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    return 2;
  }
  g_way = argv[1];
  char* folder = strdup(argv[2]);
  *strrchr(folder, '/') = '\0';
  setenv("PATH", folder, 1);
  int status = 0;
  for (int i = 0; i < 2; ++i) {
    if (waitpid(start(argv[2]), &status, 0) < 0 || !WIFEXITED(status)) {
      return 97;
    }
  }
  printf("LD_PRELOAD is %s\n", getenv("LD_PRELOAD") != NULL ? "there" : "not there");
  free(folder);
  return WEXITSTATUS(status);
}
