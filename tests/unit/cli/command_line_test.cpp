// Usage: what is refused, and whether --help and the manual are complete.
#include "cli/command_line.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cli/help.h"
#include "cli/man_page.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/cli/program.h"

namespace seep::cli {
namespace {

using test::ProgramEnd;
using test::run_seep;

using Words = std::vector<std::string>;

TEST(CommandLine, WrongUsageIsSaidOnStderrWithStatus2) {
  const std::vector<Words> wrong = {{},
                                    {"frobnicate"},
                                    {"--frobnicate"},
                                    {"report"},
                                    {"report", "x", "--limit", "much"},
                                    {"report", "x", "--json", "--to", "markdown"},
                                    {"report", "x", "--to", "html"},
                                    {"report", "x", "--top", "many"},
                                    {"report", "x", "--error-exitcode", "256"},
                                    {"report", "x", "--warmup", "soon"},
                                    {"diff", "one"},
                                    {"diff", "one", "two", "three"},
                                    {"snapshot"},
                                    {"snapshot", "nginx"},
                                    {"snapshot", "0"},
                                    {"snapshot", "-1"},
                                    {"mark", "1"},
                                    {"mark", "1", ""},
                                    {"mark", "1", std::string(124, 'x')},
                                    {"mark", "1", "x", "--units", "-3"},
                                    {"prune"},
                                    {"prune", "x", "--to", "much"},
                                    {"run"},
                                    {"run", "--"},
                                    {"run", "ls"},
                                    {"run", "--bogus", "--", "ls"},
                                    {"run", "--interval", "bogus", "--", "ls"},
                                    {"run", "--exec", "--check", "--", "ls"}};
  for (const Words& words : wrong) {
    const ProgramEnd end = run_seep(words);
    const std::string last = words.empty() ? "no words" : words.back();
    EXPECT_EQ(end.status, 2) << last << "\n" << end.err;
    EXPECT_EQ(end.out, "") << last;
    EXPECT_EQ(end.err.rfind("seep", 0), 0U) << end.err;
    EXPECT_LE(test::count_lines(end.err), 2U) << end.err;
  }
}

TEST(CommandLine, LaterVerbsSayThatTheyAreNotAvailable) {
  for (const char* verb : later_verbs()) {
    const ProgramEnd end = run_seep({verb, "1", "--whatever"});
    EXPECT_EQ(end.status, 2) << verb;
    EXPECT_NE(end.err.find("is not available in this version"), std::string::npos) << end.err;
  }
}

TEST(CommandLine, HelpNamesEveryVerb) {
  const ProgramEnd end = run_seep({"--help"});
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(end.err, "");
  for (const Command& command : commands()) {
    EXPECT_NE(end.out.find(std::string("\n  ") + command.name + " "), std::string::npos);
    EXPECT_NE(end.out.find(command.summary), std::string::npos) << command.name;
  }
}

TEST(CommandLine, HelpOfAVerbNamesEveryOption) {
  const CommandLine line;
  for (const CLI::App* verb : line.app().get_subcommands([](const CLI::App*) { return true; })) {
    const ProgramEnd end = run_seep({verb->get_name(), "--help"});
    EXPECT_EQ(end.status, 0);
    for (const CLI::Option* option : verb->get_options()) {
      EXPECT_NE(end.out.find("  " + option->get_name(option->get_positional(), true)),
                std::string::npos)
          << verb->get_name() << " " << option->get_name();
    }
  }
}

TEST(CommandLine, EveryOptionIsDescribed) {
  const CommandLine line;
  for (const CLI::App* verb : line.app().get_subcommands([](const CLI::App*) { return true; })) {
    for (const CLI::Option* option : verb->get_options()) {
      EXPECT_NE(option->get_description(), "") << verb->get_name() << " " << option->get_name();
    }
  }
}

TEST(CommandLine, TheManualInDocsIsTheOneOfThisProgram) {
  const ProgramEnd end = run_seep({"--man"});
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(end.out, test::read_file(SEEP_MAN_PAGE))
      << "refresh it: build/release/bin/seep --man > docs/man/seep.1";
}

TEST(CommandLine, TheVersionIsPrinted) {
  const ProgramEnd end = run_seep({"--version"});
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(end.out.rfind("seep ", 0), 0U);
}

TEST(Help, LongTextIsWrapped) {
  EXPECT_EQ(wrap("one two three", 7), "one two\nthree");
  EXPECT_EQ(wrap("one two three", 6), "one\ntwo\nthree");
  EXPECT_EQ(wrap("incomprehensible", 4), "incomprehensible");
  EXPECT_EQ(wrap("", 4), "");
}

}  // namespace
}  // namespace seep::cli
