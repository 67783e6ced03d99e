// Drops privileges, changes its root and its namespaces: what it may do afterwards is what it may
// do without seep, and says so.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/scenarios/events/programs/cases.h"

enum { kNobody = 65534 };

// The lines of /proc/self/status that name rights, and the number of threads.
static void say_rights(void) {
  static const char* const kLines[] = {"Uid:",        "Gid:",     "Groups:", "Cap",
                                       "NoNewPrivs:", "Seccomp:", "Threads:"};
  FILE* status = fopen("/proc/self/status", "r");
  char line[256];
  while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
    for (size_t i = 0; i < sizeof(kLines) / sizeof(kLines[0]); ++i) {
      if (strncmp(line, kLines[i], strlen(kLines[i])) == 0) {
        fputs(line, stdout);
      }
    }
  }
  if (status != NULL) {
    fclose(status);
  }
  fflush(stdout);
}

// Nothing that is open gives more than the rights that are left: no file can be written, none can
// be made relative to a directory.
static void say_what_descriptors_give(void) {
  int gives = 0;
  for (int fd = 3; fd < 2000; ++fd) {
    struct stat status;
    if (fstat(fd, &status) != 0) {
      continue;
    }
    const int flags = fcntl(fd, F_GETFL);
    gives += (flags & O_ACCMODE) != O_RDONLY;
    const int made = openat(fd, "made-by-the-program", O_WRONLY | O_CREAT, 0600);
    gives += made >= 0;
    close(made);
    gives += (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0;
  }
  say("descriptors that give rights", gives);
}

static void drop_uid(void) {
  churn_for_ms(60);
  say_result("setgroups", setgroups(0, NULL));
  say_result("setresgid", setresgid(kNobody, kNobody, kNobody));
  say_result("setresuid", setresuid(kNobody, kNobody, kNobody));
  say_rights();
  say_what_descriptors_give();
  say_result("shadow", open("/etc/shadow", O_RDONLY));
  say_result("back", setresuid(0, 0, 0));
  churn_for_ms(150);
  say_rights();
}

// As a server's worker does: privileges go in the child.
static void drop_uid_in_child(void) {
  const pid_t pid = fork();
  if (pid == 0) {
    say_result("setresuid", setresuid(kNobody, kNobody, kNobody));
    say_what_descriptors_give();
    churn_for_ms(150);
    exit(7);
  }
  say_child("worker", pid);
}

static void drop_capabilities(void) {
  churn_for_ms(60);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
  say_result("capset", syscall(SYS_capset, &header, none));
  say_result("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  say_result("dumpable", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
  say_rights();
  say_result("mknod", mknod("/dev/seep-test", S_IFBLK | 0600, 0));
  churn_for_ms(100);
  say_result("still not dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
  say_rights();
}

// A thread of ours would make these fail.
static void unshare_namespaces(void) {
  churn_for_ms(60);
  say_result("unshare mount", unshare(CLONE_NEWNS));
  say_result("unshare pid", unshare(CLONE_NEWPID));
  churn_for_ms(60);
  const pid_t pid = fork();
  if (pid == 0) {
    churn_for_ms(100);
    say("pid in its namespace", getpid());
    exit(3);
  }
  say_child("child", pid);
}

static void unshare_user(void) {
  churn_for_ms(60);
  say_result("unshare user", unshare(CLONE_NEWUSER));
  churn_for_ms(100);
  say("uid", getuid());
}

static void set_namespace(void) {
  churn_for_ms(60);
  const int space = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
  say_result("unshare", unshare(CLONE_NEWUTS));
  say_result("setns", setns(space, CLONE_NEWUTS));
  close(space);
  churn_for_ms(60);
}

__attribute__((noinline)) static void hold_blocks_in_jail(void) {
  static char* volatile blocks[100];
  for (int i = 0; i < 100; ++i) {
    blocks[i] = malloc(64);
    blocks[i][0] = 'x';
  }
}

static int chroot_by_number(const char* path) {
  return (int)syscall(SYS_chroot, path);
}

// Into an empty root, without /proc.
static void enter_empty_root(int (*change)(const char*)) {
  churn_for_ms(60);
  char path[] = "/tmp/seep-root-XXXXXX";
  if (mkdtemp(path) == NULL) {
    exit(2);
  }
  say_result("chroot", change(path));
  say_result("chdir", chdir("/"));
  say_result("rmdir is outside", rmdir(path));
  hold_blocks_in_jail();
  churn_for_ms(200);
  DIR* root = opendir("/");
  int entries = 0;
  while (readdir(root) != NULL) {
    ++entries;
  }
  closedir(root);
  say("entries", entries);
}

static void change_root(void) {
  enter_empty_root(chroot);
}

static void change_root_by_number(void) {
  enter_empty_root(chroot_by_number);
}

// Another file system comes to lie over the directory of the recordings, in a space of mounts of
// the program's own.
static void cover_recordings(void) {
  churn_for_ms(60);
  say_result("unshare", unshare(CLONE_NEWNS));
  say_result("private", mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
  say_result("mount", mount("none", g_arguments[0], "tmpfs", 0, NULL));
  hold_blocks_in_jail();
  churn_for_ms(200);
}

// Executed as a set-uid program of root's by another user.
static void become_set_uid(void) {
  const char* copy = g_arguments[0];
  if (setresuid(kNobody, kNobody, kNobody) == 0) {
    execl(copy, "privileges", "set_uid", (char*)NULL);
  }
  say_result("exec", -1);
}

static void set_uid(void) {
  churn_for_ms(100);
  say("secure", getauxval(AT_SECURE) != 0);
  say("effective uid", geteuid());
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[512];
  int ours = 0;
  while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
    ours += strstr(line, "libseep") != NULL;
  }
  say("mappings of seep", ours);
}

static void run_another(void) {
  const pid_t pid = fork();
  if (pid == 0) {
    execv(g_arguments[0], g_arguments);
    _exit(errno);
  }
  say_child("it", pid);
  churn_for_ms(50);
}

int main(int argc, char** argv) {
  (void)argc;
  static const struct Case kCases[] = {{"drop_uid", drop_uid},
                                       {"drop_uid_in_child", drop_uid_in_child},
                                       {"drop_capabilities", drop_capabilities},
                                       {"unshare_namespaces", unshare_namespaces},
                                       {"unshare_user", unshare_user},
                                       {"set_namespace", set_namespace},
                                       {"change_root", change_root},
                                       {"change_root_by_number", change_root_by_number},
                                       {"cover_recordings", cover_recordings},
                                       {"become_set_uid", become_set_uid},
                                       {"set_uid", set_uid},
                                       {"run_another", run_another},
                                       {NULL, NULL}};
  return run_case(kCases, argv);
}
