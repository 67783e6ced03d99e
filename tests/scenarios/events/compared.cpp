#include "tests/scenarios/events/compared.h"

#include <unistd.h>

#include <iostream>

namespace seep::scenarios {

Output Compared::expect_same(const Arguments& arguments, const Environment& settings) {
  const Output alone = run(arguments);
  Output tracked = run_preloaded(arguments, settings);
  EXPECT_EQ(tracked.status, alone.status);
  EXPECT_EQ(tracked.out, alone.out);
  EXPECT_EQ(tracked.err, alone.err);
  return tracked;
}

bool Compared::runs_as_root() {
  if (geteuid() != 0) {
    std::cout << "NOT TESTED: it takes root\n";
    return false;
  }
  return true;
}

void Compared::expect_recordings_are_whole() {
  for (const auto& recording : recordings()) {
    if (snapshots(recording).empty()) {
      continue;
    }
    const Output verified = run({seep_command(), "verify", recording.string()});
    EXPECT_EQ(verified.status, 0) << recording << "\n" << verified.out << verified.err;
  }
}

}  // namespace seep::scenarios
