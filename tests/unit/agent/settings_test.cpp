#include "preload/agent/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

namespace seep::agent {
namespace {

// Settings refer to the strings of the environment, so both live here.
class Environment {
 public:
  explicit Environment(std::vector<std::string> entries) : entries_(std::move(entries)) {
    for (const std::string& entry : entries_) {
      pointers_.push_back(entry.c_str());
    }
    pointers_.push_back(nullptr);
    parse_settings(pointers_.data(), settings_);
  }
  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] std::string problem() const { return std::string(settings_.problem.view()); }

 private:
  std::vector<std::string> entries_;
  std::vector<const char*> pointers_;
  Settings settings_;
};

TEST(Settings, AreTheDocumentedDefaultsInAnEmptyEnvironment) {
  const Environment environment({});
  EXPECT_EQ(environment.problem(), "");
  EXPECT_TRUE(environment.settings().interval_auto);
  EXPECT_EQ(environment.settings().keep, 64U);
  EXPECT_EQ(environment.settings().disk_bytes, std::uint64_t{1} << 30);
  EXPECT_EQ(environment.settings().min_life_ms, 1000U);
  EXPECT_EQ(environment.settings().stack_depth, 64U);
  EXPECT_EQ(environment.settings().signal, 0);
  EXPECT_EQ(environment.settings().inactive.view(), "");
}

TEST(Settings, TakeGoodValues) {
  const Environment environment({"SEEP_INTERVAL=250ms", "SEEP_KEEP=4", "SEEP_DISK=2G",
                                 "SEEP_SIGNAL=SIGUSR2", "SEEP_TRACK=mmap", "SEEP_CHILDREN=fork"});
  EXPECT_EQ(environment.problem(), "");
  EXPECT_FALSE(environment.settings().interval_auto);
  EXPECT_EQ(environment.settings().interval_ms, 250U);
  EXPECT_EQ(environment.settings().keep, 4U);
  EXPECT_EQ(environment.settings().disk_bytes, std::uint64_t{2} << 30);
  EXPECT_EQ(environment.settings().signal, SIGUSR2);
  EXPECT_FALSE(environment.settings().track_heap);
  EXPECT_TRUE(environment.settings().track_mmap);
  EXPECT_EQ(environment.settings().children, Children::kFork);
}

TEST(Settings, SayWhenRecordingBegins) {
  EXPECT_EQ(Environment({}).settings().start, Start::kNow);
  EXPECT_EQ(Environment({"SEEP_START=now"}).settings().start, Start::kNow);
  EXPECT_EQ(Environment({"SEEP_START=paused"}).settings().start, Start::kPaused);
  const Environment at_size({"SEEP_START=rss:512M"});
  EXPECT_EQ(at_size.problem(), "");
  EXPECT_EQ(at_size.settings().start, Start::kSize);
  EXPECT_EQ(at_size.settings().start_rss_bytes, std::uint64_t{512} << 20);
  EXPECT_EQ(at_size.settings().inactive.view(), "");
}

TEST(Settings, SayHowAllocationsAreRecorded) {
  EXPECT_FALSE(Environment({}).settings().sample);
  EXPECT_EQ(Environment({}).settings().sample_bytes, 524288U);
  const Environment sampled({"SEEP_MODE=sample", "SEEP_SAMPLE_BYTES=1K"});
  EXPECT_EQ(sampled.problem(), "");
  EXPECT_TRUE(sampled.settings().sample);
  EXPECT_EQ(sampled.settings().sample_bytes, 1024U);
  EXPECT_EQ(sampled.settings().inactive.view(), "");
  EXPECT_EQ(Environment({"SEEP_SAMPLE_BYTES=1G"}).settings().sample_bytes, 1U << 30);
}

TEST(Settings, AreNotMisledByNamesThatOnlyBeginAlike) {
  const Environment environment({"SEEP_KEEPER=9", "XSEEP_KEEP=9", "SEEP_KEEP=8"});
  EXPECT_EQ(environment.settings().keep, 8U);
}

TEST(Settings, AcceptAndNameWhatIsNotActiveYet) {
  const Environment environment({"SEEP_TRACK=heap,fd,thread", "SEEP_KEEP=8"});
  EXPECT_EQ(environment.problem(), "");
  EXPECT_EQ(environment.settings().inactive.view(), "SEEP_TRACK");
}

TEST(Settings, LimitsAreSizesOrSharesOfTheGroupsLimit) {
  const Environment by_default({});
  EXPECT_EQ(by_default.settings().rss_limits[0].percent, 80U);
  EXPECT_EQ(by_default.settings().rss_limits[1].percent, 95U);
  const Environment mixed({"SEEP_RSS_LIMIT=512M,90%"});
  EXPECT_EQ(mixed.problem(), "");
  EXPECT_EQ(mixed.settings().rss_limits[0].bytes, std::uint64_t{512} << 20);
  EXPECT_EQ(mixed.settings().rss_limits[1].percent, 90U);
  const Environment one({"SEEP_RSS_LIMIT=1G"});
  EXPECT_EQ(one.settings().rss_limits[0].bytes, 0U);
  EXPECT_EQ(one.settings().rss_limits[1].bytes, std::uint64_t{1} << 30) << "the critical one";
  const Environment off({"SEEP_RSS_LIMIT=off"});
  EXPECT_EQ(off.problem(), "");
  EXPECT_EQ(off.settings().rss_limits[1].percent, 0U);
}

TEST(Settings, ChooseTheLanguagesWhoseStacksAreRead) {
  const Environment by_default({});
  EXPECT_TRUE(by_default.settings().languages.php && by_default.settings().languages.python);
  const Environment off({"SEEP_LANG=off"});
  EXPECT_FALSE(off.settings().languages.php || off.settings().languages.python);
  const Environment php({"SEEP_LANG=php"});
  EXPECT_TRUE(php.settings().languages.php && !php.settings().languages.python);
}

TEST(Settings, GiveOffsetsOfAPhp) {
  EXPECT_EQ(Environment({}).settings().languages.php_layout.version, 0);
  const Environment given({"SEEP_PHP_OFFSETS=8.10:512,81,168,96,104"});
  EXPECT_EQ(given.problem(), "");
  const script::PhpLayout layout = given.settings().languages.php_layout;
  EXPECT_EQ(layout.version, 810);
  EXPECT_EQ(layout.current_execute_data, 512);
  EXPECT_EQ(layout.in_compilation, 81);
  EXPECT_EQ(layout.filename, 168);
  EXPECT_EQ(layout.last, 96);
  EXPECT_EQ(layout.opcodes, 104);
}

class BadSetting : public testing::TestWithParam<const char*> {};

TEST_P(BadSetting, IsOneLineWithVariableValueAndWhatIsAccepted) {
  const std::string entry = GetParam();
  const Environment environment({entry});
  const std::string problem = environment.problem();
  EXPECT_NE(problem.find(entry), std::string::npos) << problem;
  EXPECT_NE(problem.find("accepted"), std::string::npos) << problem;
  EXPECT_EQ(std::count(problem.begin(), problem.end(), '\n'), 1);
  EXPECT_TRUE(problem.ends_with("\n"));
}

INSTANTIATE_TEST_SUITE_P(
    Values, BadSetting,
    testing::Values("SEEP_INTERVAL=10", "SEEP_INTERVAL=0s", "SEEP_INTERVAL=fast", "SEEP_KEEP=3",
                    "SEEP_KEEP=4097", "SEEP_KEEP=64x", "SEEP_DISK=-1", "SEEP_DISK=99999999999G",
                    "SEEP_STACK_DEPTH=0", "SEEP_STACK_DEPTH=65", "SEEP_SIGNAL=KILL",
                    "SEEP_SIGNAL=9", "SEEP_TRACK=heap,all", "SEEP_CHILDREN=some", "SEEP_MODE=fuzzy",
                    "SEEP_START=later", "SEEP_START=", "SEEP_START=rss:", "SEEP_START=rss:0",
                    "SEEP_START=rss:80%", "SEEP_START=rss:1G,2G", "SEEP_RSS_LIMIT=120%",
                    "SEEP_RSS_LIMIT=", "SEEP_RSS_LIMIT=0", "SEEP_RSS_LIMIT=1G,512M",
                    "SEEP_RSS_LIMIT=95%,80%", "SEEP_RSS_LIMIT=1G,", "SEEP_RSS_LIMIT=1M,2M,3M",
                    "SEEP_METRICS=here", "SEEP_SCAN=yes", "SEEP_LANG=perl", "SEEP_PHP_OFFSETS=8.6",
                    "SEEP_PHP_OFFSETS=512,81,168,96,104", "SEEP_PHP_OFFSETS=8.6:512,81,168,96",
                    "SEEP_PHP_OFFSETS=8.6:512,81,168,96,104,1",
                    "SEEP_PHP_OFFSETS=8.6:512,81,168,96,",
                    "SEEP_PHP_OFFSETS=8.6:512,81,168,96,1025", "SEEP_SCAN_LIMIT=2",
                    "SEEP_SAMPLE_BYTES=0", "SEEP_SAMPLE_BYTES=1023", "SEEP_SAMPLE_BYTES=1025M",
                    "SEEP_MIN_LIFE=soon"));

// The program's own faults must reach it, and libc keeps 32 and 33 for itself.
TEST(Settings, RefuseSignalsThatAreNotFreeToUse) {
  for (const char* number : {"4", "5", "6", "7", "8", "11", "19", "31", "32", "33", "65"}) {
    EXPECT_EQ(parse_signal(number), 0) << number;
  }
  EXPECT_EQ(parse_signal("10"), SIGUSR1);
}

TEST(Settings, ParseTimesAndSizesWithTheirUnits) {
  std::uint64_t value = 0;
  EXPECT_TRUE(parse_duration("2h", value));
  EXPECT_EQ(value, 7'200'000U);
  EXPECT_TRUE(parse_size("512K", value));
  EXPECT_EQ(value, 512U * 1024);
  for (const char* bad : {"", "s", "1 s", "1.5s", "1s ", "99999999999999999999s"}) {
    EXPECT_FALSE(parse_duration(bad, value)) << bad;
  }
}

}  // namespace
}  // namespace seep::agent
