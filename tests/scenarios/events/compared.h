// The fixture of this folder: the same program alone and under the preload, with snapshots every
// few milliseconds, must print the same and end in the same way.
#pragma once

#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {

class Compared : public Scenario {
 protected:
  // Snapshots every 10 ms, of children too.
  static Environment busy_settings() {
    return {{"SEEP_INTERVAL", "10ms"}, {"SEEP_MIN_LIFE", "0s"}, {"SEEP_KEEP", "8"}};
  }

  // Runs it both ways and compares; the output of the run under the preload.
  Output expect_same(const Arguments& arguments, const Environment& settings = busy_settings());
  // False, said aloud, where the test cannot be made: mounts, set-uid files and other users take
  // root.
  static bool runs_as_root();
  // Every recording with a snapshot can be read, and every file of it is whole.
  void expect_recordings_are_whole();
};

}  // namespace seep::scenarios
