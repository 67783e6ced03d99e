// While a walker writes a snapshot, what the program closes is closed, and it may go where it
// likes.
#include "tests/scenarios/events/compared.h"

namespace seep::scenarios {
namespace {

class Closed : public Compared {
 protected:
  // A walker writes those that take longer than 2 ms; the interval `auto` would leave too few.
  static Environment many_walkers() {
    Environment settings = busy_settings();
    settings["SEEP_INTERVAL"] = "20ms";
    return settings;
  }
};

TEST_F(Closed, DescriptorsAreClosedBesideAWalker) {
  const Output output = expect_same({program("closed"), "descriptors"}, many_walkers());
  EXPECT_EQ(output.out, "pipes still open 0\nlocks still held 0\nports still bound 0\n");
  EXPECT_EQ(output.status, 0);
}

TEST_F(Closed, NamespacesCanBeEnteredBesideAWalker) {
  if (!runs_as_root()) {
    GTEST_SKIP() << "setns takes root";
  }
  EXPECT_EQ(expect_same({program("closed"), "namespaces"}, many_walkers()).out, "refused 0\n");
}

}  // namespace
}  // namespace seep::scenarios
