// Every place: what `seep run` says of targets that no preload can enter, and containers of all
// kinds.
#include <linux/capability.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <ostream>

#include "tests/scenarios/harmless/harmless.h"

namespace seep::scenarios {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNobody = "65534";

// A program that cannot be tracked, and what is said of it.
struct Target {
  std::string program;
  std::string why;
};

class Untracked : public Harmless, public ::testing::WithParamInterface<Target> {
 protected:
  void SetUp() override {
    Harmless::SetUp();
    fs::permissions(directory(), fs::perms::all);  // other users record here too
  }

  // One sentence about `who`, then the program as it is without seep.
  void expect_untracked(const Output& output, const std::string& who, const std::string& why) {
    EXPECT_EQ(output.err, "seep: " + who + " " + why + ": it cannot be tracked and runs without\n");
    EXPECT_EQ(output.out, "hello\n");
    EXPECT_EQ(output.status, 5);
    EXPECT_TRUE(recordings().empty());
  }

  std::string script(const std::string& interpreter) {
    const fs::path path = directory() / "script";
    std::ofstream(path) << "#!" << interpreter << "\n";
    fs::permissions(path, fs::perms::owner_all);
    return path.string();
  }

  // The ordinary program, which can be tracked.
  std::string copy_of_hello() {
    const fs::path path = directory() / "hello";
    fs::copy_file(program("hello"), path);
    chmod(path.c_str(), 0755);
    return path.string();
  }

  Arguments as_nobody(const Arguments& arguments) {
    Arguments command = {"setpriv", "--reuid", kNobody, "--regid", kNobody, "--clear-groups"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }

  Arguments under_seep(const std::string& target) {
    return {seep_command(), "run", "--dir", recordings_directory().string(), "--", target};
  }
};

// For the names of tests.
void PrintTo(const Target& target, std::ostream* out) {
  *out << target.program;
}

TEST_P(Untracked, IsNamedAndStartedAsItIs) {
  const std::string target = program(GetParam().program);
  expect_untracked(run_under_seep({}, {target}), target, GetParam().why);
}

TEST_P(Untracked, IsNamedAsTheInterpreterOfAScript) {
  const std::string target = program(GetParam().program);
  expect_untracked(run_under_seep({}, {script(target)}), target, GetParam().why);
}

TEST_P(Untracked, IsReplacedWithExec) {
  const std::string target = program(GetParam().program);
  expect_untracked(run_under_seep({"--exec"}, {target}), target, GetParam().why);
}

INSTANTIATE_TEST_SUITE_P(Targets, Untracked,
                         ::testing::Values(Target{"hello_musl", "is linked with musl"},
                                           Target{"hello_static", "is statically linked"},
                                           Target{"hello_static_pie", "is statically linked"},
                                           Target{"hello_32", "is a 32-bit program"},
                                           Target{"hello_asan", "is linked with AddressSanitizer"},
                                           Target{"hello_tsan", "is linked with ThreadSanitizer"}),
                         [](const auto& instance) { return instance.param.program; });

class Rights : public Untracked {};

TEST_F(Rights, ASetUidProgramIsNamed) {
  if (getuid() != 0) {
    GTEST_SKIP() << "only root can make one of another user";
  }
  const std::string target = copy_of_hello();
  ASSERT_EQ(chmod(target.c_str(), 04755), 0);
  expect_untracked(run(as_nobody(under_seep(target))), target, "is set-uid");
  Arguments without_rights = as_nobody(under_seep(target));
  without_rights.insert(without_rights.begin() + 1, "--no-new-privs");
  EXPECT_EQ(run(without_rights).status, 5);
  EXPECT_EQ(recordings("hello").size(), 1U) << "the bit does nothing there";
}

TEST_F(Rights, AProgramWithFileCapabilitiesIsNamed) {
  if (getuid() != 0) {
    GTEST_SKIP() << "only root can make one";
  }
  const std::string target = copy_of_hello();
  vfs_cap_data capabilities{};
  capabilities.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
  capabilities.data[0].permitted = 1U << CAP_NET_RAW;
  ASSERT_EQ(setxattr(target.c_str(), "security.capability", &capabilities, XATTR_CAPS_SZ_2, 0), 0);
  expect_untracked(run(as_nobody(under_seep(target))), target, "has file capabilities");
  Arguments without_rights = as_nobody(under_seep(target));
  without_rights.insert(without_rights.begin() + 1, "--no-new-privs");
  expect_untracked(run(without_rights), target, "has file capabilities");
}

// ---- the same as children of a tracked process: they get no preload ----

class Spared : public Untracked {
 protected:
  void expect_spared(const Output& output, int status) {
    EXPECT_EQ(output.status, status);
    EXPECT_EQ(output.err, "");
    for (const auto& recording : recordings()) {
      EXPECT_EQ(recording.filename().string().rfind("hello", 0), std::string::npos) << recording;
    }
  }
};

TEST_F(Spared, HoweverTheyAreStarted) {
  for (const char* way : {"execve", "execv", "execvp", "execl", "execlp", "fexecve", "posix_spawn",
                          "posix_spawnp", "vfork"}) {
    for (const char* name : {"hello_asan", "hello_musl"}) {
      SCOPED_TRACE(std::string(way) + " " + name);
      const Output output =
          run_preloaded({program("spawner"), way, program(name)}, {{"SEEP_MIN_LIFE", "0s"}});
      EXPECT_EQ(output.out, "hello\nhello\nLD_PRELOAD is there\n");
      expect_spared(output, 5);
    }
  }
}

TEST_F(Spared, AsInterpretersOfScriptsAndOfAShell) {
  const Output by_script =
      run_preloaded({program("spawner"), "execve", script(program("hello_asan"))});
  EXPECT_EQ(by_script.out, "hello\nhello\nLD_PRELOAD is there\n");
  expect_spared(by_script, 5);
  const Output by_env = run_preloaded({script("/usr/bin/env " + program("hello_asan"))});
  EXPECT_EQ(by_env.out, "hello\n");
  expect_spared(by_env, 5);
  const Output by_shell = run_preloaded({"/bin/sh", "-c", program("hello_musl") + " && true"});
  EXPECT_EQ(by_shell.out, "hello\n");
  expect_spared(by_shell, 5);
}

// The rest of LD_PRELOAD stays, and programs that can be tracked are.
TEST_F(Spared, AndNothingElseIsTakenAway) {
  const std::string other = program("libsignal_safe_malloc.so");
  const Output kept = run_preloaded({"/usr/bin/env", program("hello_asan")},
                                    {{"LD_PRELOAD", library() + ":" + other}});
  EXPECT_NE(kept.err.find("ASan runtime does not come first"), std::string::npos)
      << "AddressSanitizer minds the other library as well: " << kept.err;
  run_preloaded({program("spawner"), "posix_spawnp", program("hello")}, {{"SEEP_MIN_LIFE", "0s"}});
  EXPECT_EQ(recordings("hello").size(), 2U);
}

// ---- containers: what a container is made of, one piece at a time ----

class Containers : public Untracked {
 protected:
  void SetUp() override {
    Untracked::SetUp();
    if (getuid() != 0) {
      GTEST_SKIP() << "namespaces are made by root here";
    }
  }
  // In new namespaces, after `prepare`, as PID 1 of its own.
  Output in_container(const std::string& prepare, const Arguments& arguments,
                      const Environment& environment = {}) {
    std::string command = prepare + " exec";
    for (const std::string& argument : arguments) {
      command.append(" '").append(argument).append("'");
    }
    return run({"unshare", "--mount", "--pid", "--fork", "--mount-proc", "/bin/sh", "-c", command},
               environment);
  }
  void expect_recorded(const std::string& name, std::uint32_t pid) {
    const Json report = only_report(name);
    ASSERT_TRUE(report.contains("processes"));
    EXPECT_EQ(report.at("processes").at(0).at("pid"), pid);
    EXPECT_EQ(report.at("processes").at(0).at("end").at("how"), "exit");
    expect_site(report, "site_freed_elsewhere", 30, 10);
  }
  Arguments target() const { return {program("contracts"), "threads", "30"}; }
};

TEST_F(Containers, SeepAsPidOneReapsAndReports) {
  Arguments arguments = {seep_command(), "run", "--dir", recordings_directory().string(), "--"};
  const Arguments inner = target();
  arguments.insert(arguments.end(), inner.begin(), inner.end());
  const Output output = in_container("", arguments);
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_EQ(output.out, "threads 30: done\n");
  EXPECT_NE(output.err.find("contracts[2]"), std::string::npos) << output.err;
  expect_recorded("contracts", 2);
}

TEST_F(Containers, TheProgramAsPidOne) {
  Arguments arguments = {
      seep_command(), "run", "--exec", "--dir", recordings_directory().string(), "--"};
  const Arguments inner = target();
  arguments.insert(arguments.end(), inner.begin(), inner.end());
  const Output output = in_container("", arguments);
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_EQ(output.err, "");
  expect_recorded("contracts", 1);
}

// Nothing can be written but one volume; no HOME, no PATH, a /proc of its own.
TEST_F(Containers, AReadOnlyRootWithOneVolume) {
  const std::string volume = recordings_directory().string();
  fs::create_directory(volume);
  const std::string prepare =
      "mount --bind / /mnt && mount -o remount,bind,ro /mnt && mount -t proc proc /mnt/proc && "
      "mount --bind " +
      volume + " /mnt" + volume + " && cd / && ";
  const std::string command = prepare + "exec chroot /mnt /usr/bin/env -i SEEP_DIR=" + volume +
                              " LD_PRELOAD=" + library() + " " + target()[0] + " threads 30";
  const Output output = run({"unshare", "--mount", "--uts", "/bin/sh", "-c", command});
  EXPECT_EQ(output.out, "threads 30: done\n");
  EXPECT_EQ(output.err, "");
  EXPECT_EQ(output.status, 0);
  ASSERT_EQ(recordings("contracts").size(), 1U);
  expect_site(only_report("contracts"), "site_freed_elsewhere", 30, 10);
}

// A jail without /proc: stacks are as ever, also those through a library that comes later.
TEST_F(Containers, AJailWithoutProc) {
  const std::string volume = recordings_directory().string();
  fs::create_directory(volume);
  const std::string command = "mount --bind / /mnt && mount --bind " + volume + " /mnt" + volume +
                              " && cd / && exec chroot /mnt /usr/bin/env -i SEEP_DIR=" + volume +
                              " LD_PRELOAD=" + library() + " ";
  const auto in_jail = [&](const std::string& target) {
    return run(
        {"unshare", "--mount", "/bin/sh", "-c", "test ! -e /mnt/proc/self && " + command + target});
  };
  EXPECT_EQ(in_jail(target()[0] + " threads 30").out, "threads 30: done\n");
  Json report = only_report("contracts");
  expect_site(report, "site_freed_elsewhere", 30, 10);
  EXPECT_EQ(loss(report, "unwind_failed"), 0U);
  const Output output = in_jail(program("modules") + " storm " + program("libmodule_plugin_a.so") +
                                " " + program("libmodule_plugin_b.so") + " 1");
  EXPECT_EQ(output.status, 0) << output.err;
  report = only_report("modules");
  EXPECT_GT(sums_through(report, "plugin_block").allocated_blocks, 0U);
  EXPECT_EQ(sums_through(report, "plugin_block").live_blocks, 0U);
  EXPECT_EQ(in_jail(program("life")).status, 3) << "its resolvers allocate";
}

// Nowhere to write at all and no /proc: the program runs as ever and says nothing.
TEST_F(Containers, NothingCanBeWritten) {
  const std::string command =
      "mount --bind / /mnt && mount -o remount,bind,ro /mnt && cd / && exec chroot /mnt "
      "/usr/bin/env -i SEEP_DIR=/nowhere LD_PRELOAD=" +
      library() + " " + target()[0] + " threads 30";
  const Output output = run({"unshare", "--mount", "/bin/sh", "-c", command});
  EXPECT_EQ(output.out, "threads 30: done\n");
  EXPECT_EQ(output.err, "");
  EXPECT_EQ(output.status, 0);
}

TEST_F(Containers, AUserWithoutNameOrHome) {
  fs::create_directory(recordings_directory());
  fs::permissions(recordings_directory(), fs::perms::all);
  const Output output = run({"setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups",
                             "/usr/bin/env", "-i", "SEEP_DIR=" + recordings_directory().string(),
                             "LD_PRELOAD=" + library(), target()[0], "threads", "30"});
  EXPECT_EQ(output.out, "threads 30: done\n");
  EXPECT_EQ(output.err, "");
  const Json report = only_report("contracts");
  EXPECT_EQ(report.at("processes").at(0).at("uid"), 54321);
}

// A daemon that gives up root goes on in a recording of its own, which is the one that is found.
TEST_F(Containers, AProcessThatChangedItsUserIsSpokenTo) {
  fs::create_directory(recordings_directory());
  fs::permissions(recordings_directory(), fs::perms::all | fs::perms::sticky_bit);
  const auto daemon = start_preloaded({program("drop_user"), kNobody}, {{"SEEP_INTERVAL", "20ms"}});
  const std::string pid = std::to_string(daemon->pid());
  const std::string expected = "drop_user." + pid + ".2";
  std::string status;
  for (int i = 0; i < 500 && status.find(expected) == std::string::npos; ++i) {
    usleep(20000);
    status = run({seep_command(), "status", pid}).out;
  }
  EXPECT_NE(status.find(expected), std::string::npos) << status;
  const Output asked = run({seep_command(), "snapshot", pid});
  EXPECT_EQ(asked.status, 0) << asked.err;
  EXPECT_NE(asked.out.find(expected), std::string::npos) << asked.out;
  daemon->send(SIGTERM);
  daemon->wait();
  struct stat entry {};
  ASSERT_EQ(stat((recordings_directory() / expected).c_str(), &entry), 0);
  EXPECT_EQ(std::to_string(entry.st_uid), kNobody);
  EXPECT_EQ(entry.st_mode & 0777U, 0700U);
}

// Where root records, others may make entries: none of theirs stops root's processes, is written
// to, or is followed.
TEST_F(Containers, WhatOthersPutIntoTheDirectoryIsLeftAlone) {
  const fs::path victim = directory() / "victim";
  std::ofstream(victim) << "as it was";
  fs::create_directory(recordings_directory());
  fs::permissions(recordings_directory(), fs::perms::all | fs::perms::sticky_bit);
  for (const char* file : {"index", "seep.log"}) {
    ASSERT_EQ(mkfifo((recordings_directory() / file).c_str(), 0666), 0);
  }
  const fs::path stranger = recordings_directory() / "stranger.1";
  fs::create_directory(stranger);
  ASSERT_EQ(mkfifo((stranger / "control").c_str(), 0666), 0);
  EXPECT_EQ(expect_same(target()).status, 0);
  for (const char* file : {"index", "seep.log"}) {
    fs::remove(recordings_directory() / file);
    fs::create_symlink(victim, recordings_directory() / file);
  }
  EXPECT_EQ(expect_same(target()).status, 0);
  fs::remove(recordings_directory() / "index");
  fs::create_hard_link(victim, recordings_directory() / "index");
  EXPECT_EQ(expect_same(target()).status, 0);
  EXPECT_EQ(read_text(victim), "as it was");
  EXPECT_EQ(recordings("contracts").size(), 3U);
  EXPECT_TRUE(fs::exists(stranger / "control"));
}

// As systemd starts a service of Type=notify: the pid that it knows is the program's own.
TEST_F(Containers, ANotifyServiceIsTheProgramItself) {
  const Output output = run(
      {"/bin/sh", "-c",
       "echo $$; exec " + seep_command() + " run --exec --dir " + recordings_directory().string() +
           " -- /bin/sh -c 'echo $$; echo $NOTIFY_SOCKET $WATCHDOG_PID $LISTEN_FDS'"},
      {{"NOTIFY_SOCKET", "/run/notify"}, {"WATCHDOG_PID", "17"}, {"LISTEN_FDS", "2"}});
  const std::vector<std::string> lines = lines_of(output.out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], lines[1]);
  EXPECT_EQ(lines[2], "/run/notify 17 2");
  EXPECT_EQ(output.err, "");
}

// Valgrind ends a program that makes a task in a way it does not know; snapshots and scans do that
// elsewhere.
using UnderValgrind = Harmless;

TEST_F(UnderValgrind, AProgramEndsAsItWouldAndIsRecorded) {
  const Output output = expect_same({"valgrind", "-q", "--tool=none", program("hello")},
                                    {{"SEEP_INTERVAL", "100ms"}, {"SEEP_SCAN", "always"}});
  EXPECT_EQ(output.out, "hello\n");
  EXPECT_EQ(recordings("hello").size(), 1U);
}

}  // namespace
}  // namespace seep::scenarios
