#include "preload/agent/environment.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace seep::agent {
namespace {

// Puts a list of its own in place of the program's environment while it lives.
class Environment : public testing::Test {
 protected:
  ~Environment() override { environ = before_; }

  void have(std::vector<std::string> entries) {
    entries_ = std::move(entries);
    for (std::string& entry : entries_) {
      pointers_.push_back(entry.data());
    }
    pointers_.push_back(nullptr);
    environ = pointers_.data();
  }

  static std::vector<std::string> entries() {
    std::vector<std::string> entries;
    for (char** entry = environ; *entry != nullptr; ++entry) {
      entries.emplace_back(*entry);
    }
    return entries;
  }

 private:
  char** before_ = environ;
  std::vector<std::string> entries_;
  std::vector<char*> pointers_;
};

using Entries = std::vector<std::string>;

TEST_F(Environment, GetsWhatIsSetAndKeepsTheRestInOrder) {
  have({"A=1", "B=2"});
  EnvironmentEdit edit;
  edit.set[0] = "SEEP_DIR=/d";
  edit.set[1] = "SEEP_RUN=7";
  ASSERT_TRUE(edit_environment(edit));
  EXPECT_EQ(entries(), (Entries{"A=1", "B=2", "SEEP_DIR=/d", "SEEP_RUN=7"}));
}

TEST_F(Environment, HasEachNameOnceAndNotThoseThatOnlyBeginAlike) {
  have({"SEEP_DIR=old", "SEEP_DIRECTORY=x", "SEEP_DIR=older"});
  EnvironmentEdit edit;
  edit.set[0] = "SEEP_DIR=/d";
  ASSERT_TRUE(edit_environment(edit));
  EXPECT_EQ(entries(), (Entries{"SEEP_DIRECTORY=x", "SEEP_DIR=/d"}));
}

TEST_F(Environment, LosesThePreloadWhereItIsTheOnlyOne) {
  have({"LD_PRELOAD=/opt/seep/lib/libseep.so", "A=1"});
  EnvironmentEdit edit;
  edit.remove_preload = true;
  ASSERT_TRUE(edit_environment(edit));
  EXPECT_EQ(entries(), (Entries{"A=1"}));
}

TEST_F(Environment, KeepsTheOtherPreloads) {
  have({"LD_PRELOAD=libfirst.so:/opt/libseep.so liblast.so"});
  EnvironmentEdit edit;
  edit.remove_preload = true;
  ASSERT_TRUE(edit_environment(edit));
  EXPECT_EQ(entries(), (Entries{"LD_PRELOAD=libfirst.so:liblast.so"}));
}

TEST_F(Environment, KeepsThePreloadUnlessAskedToRemoveIt) {
  have({"LD_PRELOAD=/opt/libseep.so"});
  ASSERT_TRUE(edit_environment({}));
  EXPECT_EQ(entries(), (Entries{"LD_PRELOAD=/opt/libseep.so"}));
}

TEST_F(Environment, MayBeEmptyOrAbsent) {
  have({});
  EnvironmentEdit edit;
  edit.set[0] = "A=1";
  ASSERT_TRUE(edit_environment(edit));
  EXPECT_EQ(entries(), (Entries{"A=1"}));
  environ = nullptr;
  ASSERT_TRUE(edit_environment(edit));
  EXPECT_EQ(entries(), (Entries{"A=1"}));
}

}  // namespace
}  // namespace seep::agent
