#include "cli/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace seep::cli {
namespace {

const Setting& setting(const std::string& name) {
  const auto all = settings();
  return *std::find_if(all.begin(), all.end(), [&](const Setting& s) { return name == s.name; });
}

TEST(Settings, EveryDefaultIsAccepted) {
  for (const Setting& each : settings()) {
    EXPECT_EQ(complaint(each, each.default_value), "") << each.name;
  }
}

TEST(Settings, NamesOfOptionsAndVariablesFollowFromTheName) {
  EXPECT_EQ(setting("MIN_LIFE").option(), "--min-life");
  EXPECT_EQ(setting("MIN_LIFE").variable(), "SEEP_MIN_LIFE");
}

TEST(Settings, WordsAreAcceptedBesideTimes) {
  for (const char* value : {"auto", "off", "250ms", "10s", "5m"}) {
    EXPECT_EQ(complaint(setting("INTERVAL"), value), "") << value;
  }
  for (const char* value : {"", "never", "10", "a time such as 250ms"}) {
    EXPECT_NE(complaint(setting("INTERVAL"), value), "") << value;
  }
}

TEST(Settings, CountsAreHeldToTheirRange) {
  EXPECT_EQ(complaint(setting("KEEP"), "4"), "");
  EXPECT_EQ(complaint(setting("KEEP"), "4096"), "");
  for (const char* value : {"3", "4097", "-4", "4x", "x", ""}) {
    EXPECT_NE(complaint(setting("KEEP"), value), "") << value;
  }
}

TEST(Settings, SizesAreHeldToTheirRangeWhereThereIsOne) {
  for (const char* value : {"1K", "1024", "512K", "1G"}) {
    EXPECT_EQ(complaint(setting("SAMPLE_BYTES"), value), "") << value;
  }
  for (const char* value : {"1023", "0", "2G", "1025M", "many"}) {
    EXPECT_NE(complaint(setting("SAMPLE_BYTES"), value), "") << value;
  }
  EXPECT_EQ(complaint(setting("DISK"), "1"), "");
}

TEST(Settings, ChoicesAreHeldToTheirWords) {
  for (const char* value : {"all", "fork", "none"}) {
    EXPECT_EQ(complaint(setting("CHILDREN"), value), "") << value;
  }
  EXPECT_EQ(complaint(setting("SCAN"), "always"), "");
  EXPECT_EQ(complaint(setting("LANG"), "python"), "");
  EXPECT_NE(complaint(setting("CHILDREN"), "some"), "");
  EXPECT_NE(complaint(setting("CHILDREN"), "all, fork"), "");
}

TEST(Settings, AComplaintSaysWhatIsAccepted) {
  EXPECT_EQ(complaint(setting("DISK"), "much"),
            "`much` is not accepted: give a size such as 512M or 2G");
}

TEST(Settings, TheHelpSaysWhatIsNotActive) {
  Setting inactive = setting("ON_LIMIT");
  inactive.active = false;
  EXPECT_NE(inactive.description().find("not active in this version"), std::string::npos);
  EXPECT_EQ(setting("KEEP").description().find("not active in this version"), std::string::npos);
}

}  // namespace
}  // namespace seep::cli
