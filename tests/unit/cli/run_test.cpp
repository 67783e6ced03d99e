// seep run: statuses, what the program inherits, and what is left behind.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/launch/child.h"
#include "cli/launch/environment.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/cli/program.h"

namespace seep::launch {
namespace {

using test::ProgramEnd;
using Words = std::vector<std::string>;

// The launcher alone, without a preload.
class Launch : public ::testing::Test {
 protected:
  static int status_of(const std::string& script) {
    return run_child({"/bin/sh", "-c", script}, [](pid_t) {}).exit_status();
  }
};

TEST_F(Launch, TheStatusIsThatOfTheProgram) {
  EXPECT_EQ(status_of("exit 0"), 0);
  EXPECT_EQ(status_of("exit 42"), 42);
  EXPECT_EQ(status_of("kill -TERM $$"), 128 + SIGTERM);
  EXPECT_EQ(status_of("kill -KILL $$"), 128 + SIGKILL);
}

TEST_F(Launch, AProgramThatCannotStartSaysWhy) {
  EXPECT_EQ(run_child({"/nonexistent"}, [](pid_t) {}).exec_errno, ENOENT);
  EXPECT_EQ(run_child({"/nonexistent"}, [](pid_t) {}).exit_status(), kStatusNotFound);
  EXPECT_EQ(run_child({"/etc/passwd"}, [](pid_t) {}).exit_status(), kStatusNotExecutable);
}

TEST_F(Launch, SignalsAreNeitherBlockedNorIgnoredInTheProgram) {
  EXPECT_EQ(status_of("grep -q '^SigBlk:\t0000000000000000$' /proc/self/status"), 0);
  EXPECT_EQ(status_of("grep -q '^SigIgn:\t0000000000000000$' /proc/self/status"), 0);
}

TEST_F(Launch, ADescriptorOfSeepDoesNotLeak) {
  EXPECT_EQ(status_of("test $(ls /proc/self/fd | wc -l) -le $(($(ls /proc/$PPID/fd | wc -l) + 1))"),
            0);
}

TEST_F(Launch, ASignalThatIsIgnoredStaysSo) {
  std::signal(SIGHUP, SIG_IGN);
  const int status = status_of("kill -HUP $$; exit 3");
  std::signal(SIGHUP, SIG_DFL);
  EXPECT_EQ(status, 3);
}

TEST_F(Launch, TheProgramKeepsItsStatusWhenSigchldIsIgnored) {
  std::signal(SIGCHLD, SIG_IGN);
  const int status = status_of("exit 5");
  std::signal(SIGCHLD, SIG_DFL);
  EXPECT_EQ(status, 5);
}

class Environment : public ::testing::Test {
 protected:
  Environment() {
    environment_.library = "/lib/libseep.so";
    environment_.directory = "/var/seep";
    environment_.program = "server";
    environment_.run_id = 0xabc;
    environment_.now = 1700000000;
  }

  // What a child sees of one variable.
  std::string variable(const std::string& name) {
    const test::TemporaryDirectory directory;
    const std::string file = directory.file("value");
    run_child({"/bin/sh", "-c", "printf %s \"$" + name + "\" > " + file},
              [&](pid_t) { environment_.apply(77); });
    return test::read_file(file);
  }

  TrackedEnvironment environment_;
};

// The loader must not be given a library that is not there: it would say so on stderr.
TEST_F(Environment, TheLibraryStandsBeforeOthers) {
  environment_.library = "libc.so.6";
  setenv("LD_PRELOAD", "libm.so.6", 1);
  EXPECT_EQ(variable("LD_PRELOAD"), "libc.so.6:libm.so.6");
  unsetenv("LD_PRELOAD");
  EXPECT_EQ(variable("LD_PRELOAD"), "libc.so.6");
}

TEST_F(Environment, TheRunAndTheSettingsAreHandedOver) {
  environment_.library = "libc.so.6";
  environment_.settings = {{"SEEP_KEEP", "16"}};
  EXPECT_EQ(variable("SEEP_RUN"), "0000000000000abc.77");
  EXPECT_EQ(variable("SEEP_KEEP"), "16");
  EXPECT_EQ(variable("SEEP_DIR"), "/var/seep");
}

TEST_F(Environment, SpecifiersAreExpanded) {
  EXPECT_EQ(expand("/a/%e.%p.%t/%%", environment_, 77), "/a/server.77.1700000000/%");
  EXPECT_EQ(expand("%h", environment_, 77), expand("%h", environment_, 1));
  EXPECT_EQ(expand("%", environment_, 77), "");
  EXPECT_EQ(expand("a%zb", environment_, 77), "ab");
}

TEST_F(Environment, TheDirectoryIsMadeAbsolute) {
  environment_.directory = "./out";
  EXPECT_EQ(environment_.directory_for(1), (std::filesystem::current_path() / "out").string());
}

TEST_F(Environment, APercentThatWasMeantSurvivesTheLibrarysOwnExpansion) {
  environment_.library = "libc.so.6";
  environment_.directory = "/a%%b";
  EXPECT_EQ(variable("SEEP_DIR"), "/a%%b");
}

TEST_F(Environment, RunIdsDiffer) {
  EXPECT_NE(new_run_id(), new_run_id());
}

// The whole command, with a library that stands in for libseep.so where tracking is not the point.
class Run : public ::testing::Test {
 protected:
  ProgramEnd run(Words options, const Words& command, const std::string& library) {
    options.insert(options.begin(), {"run", "--dir", directory_.file("out")});
    options.emplace_back("--");
    options.insert(options.end(), command.begin(), command.end());
    return test::run_seep(options, {directory_.path(), {{"SEEP_LIBRARY", library}}});
  }

  // A harmless library: the program starts and nothing is recorded.
  ProgramEnd run(const Words& options, const Words& command) {
    return run(options, command, SEEP_STAND_IN);
  }

  test::TemporaryDirectory directory_;
};

TEST_F(Run, WithoutTheLibraryNothingStarts) {
  const std::string trace = directory_.file("trace");
  const ProgramEnd end = run({}, {"/bin/sh", "-c", "touch " + trace}, "/nonexistent/libseep.so");
  EXPECT_EQ(end.status, 125);
  EXPECT_EQ(end.err.rfind("seep: /nonexistent/libseep.so: ", 0), 0U) << end.err;
  EXPECT_EQ(test::count_lines(end.err), 1U);
  EXPECT_FALSE(std::filesystem::exists(trace));
}

TEST_F(Run, WhatWasNotRecordedIsSaidAndTheStatusKept) {
  const ProgramEnd end = run({}, {"/bin/sh", "-c", "echo out; exit 6"});
  EXPECT_EQ(end.status, 6);
  EXPECT_EQ(end.out, "out\n");
  EXPECT_NE(end.err.find("left no recording"), std::string::npos) << end.err;
}

TEST_F(Run, ACheckCannotPassOnNothing) {
  EXPECT_EQ(run({"--check"}, {"/bin/true"}).status, 125);
  EXPECT_EQ(run({"--check"}, {"/bin/false"}).status, 1);
}

TEST_F(Run, AMissingCommandIs127AndAnUnusableOne126) {
  EXPECT_EQ(run({}, {"/nonexistent"}).status, 127);
  EXPECT_EQ(run({}, {"no-such-command-anywhere"}).status, 127);
  EXPECT_EQ(run({}, {directory_.write("text", "text")}).status, 126);
  EXPECT_EQ(run({}, {"/"}).status, 126);
}

TEST_F(Run, WhatCannotBeTrackedIsNamedAndStartedUntracked) {
  for (const char* program : {SEEP_STATIC, SEEP_ASAN, SEEP_TSAN}) {
    const ProgramEnd end = run({}, {program}, "/nonexistent/libseep.so");
    EXPECT_EQ(end.status, 0) << end.err;
    EXPECT_EQ(end.err.rfind(std::string("seep: ") + program + " is ", 0), 0U) << end.err;
    EXPECT_EQ(test::count_lines(end.err), 1U) << end.err;
  }
}

TEST_F(Run, ExecReplacesSeep) {
  const ProgramEnd end = run({"--exec"}, {"/bin/sh", "-c", "echo $SEEP_RUN.$$; exit 9"});
  EXPECT_EQ(end.status, 9);
  const std::string run_pid = end.out.substr(end.out.find('.') + 1);
  EXPECT_EQ(run_pid.substr(0, run_pid.find('.')) + "\n", run_pid.substr(run_pid.find('.') + 1));
  EXPECT_EQ(end.err, "");
}

TEST_F(Run, AnInternalErrorEndsWith4AndABacktrace) {
  const ProgramEnd end = run({}, {"/bin/sh", "-c", "kill -SEGV $PPID; sleep 0.2"});
  EXPECT_EQ(end.status, 4);
  EXPECT_NE(end.err.find("internal error"), std::string::npos) << end.err;
  EXPECT_NE(end.err.find("run_child"), std::string::npos) << end.err;
}

TEST_F(Run, WordsAfterTheDashesBelongToTheProgram) {
  const ProgramEnd end = run({}, {"/bin/echo", "--help", "--", "--keep", "1"});
  EXPECT_EQ(end.out, "--help -- --keep 1\n");
}

}  // namespace
}  // namespace seep::launch
