// While a walker writes a snapshot, the program can do all that it can do alone.
#include <algorithm>

#include "tests/scenarios/events/compared.h"

namespace seep::scenarios {
namespace {

class Walkers : public Compared {
 protected:
  // A walker writes those that take longer than 2 ms; the interval `auto` would leave too few.
  static Environment many_walkers() {
    Environment settings = busy_settings();
    settings["SEEP_INTERVAL"] = "20ms";
    return settings;
  }
};

TEST_F(Walkers, DescriptorsAreClosedBesideAWalker) {
  const Output output = expect_same({program("walkers"), "descriptors"}, many_walkers());
  EXPECT_EQ(output.out, "pipes still open 0\nlocks still held 0\nports still bound 0\n");
  EXPECT_EQ(output.status, 0);
}

TEST_F(Walkers, NamespacesCanBeEnteredBesideAWalker) {
  if (!runs_as_root()) {
    GTEST_SKIP() << "setns takes root";
  }
  EXPECT_EQ(expect_same({program("walkers"), "namespaces"}, many_walkers()).out, "refused 0\n");
}

TEST_F(Walkers, AreNotMadeWhereTheyWouldBeTheInitOfANewNamespace) {
  if (!runs_as_root()) {
    GTEST_SKIP() << "unshare takes root";
  }
  EXPECT_EQ(expect_same({program("walkers"), "new_pids"}, many_walkers()).out,
            "child 1\nchild 1\n");
  std::size_t most = 0;
  for (const auto& path : recordings("walkers")) {
    most = std::max(most, snapshots(path).size());
  }
  EXPECT_GT(most, 2U);
}

TEST_F(Walkers, ThreadsTakeTheirTurnsBesideAWalker) {
  EXPECT_EQ(expect_same({program("walkers"), "threads"}, many_walkers()).out, "done 1\n");
  expect_recordings_are_whole();
}

TEST_F(Walkers, AreNoThreadsAndNoChildren) {
  EXPECT_EQ(expect_same({program("walkers"), "one_thread"}, many_walkers()).out,
            "single threaded 1\nnew user namespace 1\nchildren 0\n");
  std::size_t most = 0;
  for (const auto& path : recordings("walkers")) {  // another one in the new namespace
    most = std::max(most, snapshots(path).size());
  }
  EXPECT_GT(most, 2U);
}

TEST_F(Walkers, AreNotMetByWaitsForChildrenOfEveryKind) {
  EXPECT_EQ(expect_same({program("walkers"), "every_kind"}, many_walkers()).out, "strangers 0\n");
}

}  // namespace
}  // namespace seep::scenarios
