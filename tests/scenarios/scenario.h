// The fixture of the scenario tests: runs a program with and without seep and reads the reports.
// Each test has a directory of its own; a test that fails keeps it and prints how to run again.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/scenarios/child.h"

namespace seep::scenarios {

using Json = nlohmann::json;

std::string seep_command();                        // path of the seep command
std::string library();                             // path of libseep.so
std::string sample(const std::string& name);       // path of a built sample
std::string program(const std::string& name);      // path of a program of tests/scenarios/programs
std::string source_file(const std::string& path);  // path below the source tree

// One line of SEEP_DIR/index (format/recording_layout.h).
struct IndexLine {
  std::string pid;
  std::string parent_pid;
  std::string how;
  std::string status;
  std::string recording;
  std::string program;
};

class Scenario : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // The directory recordings go to.
  std::filesystem::path recordings_directory() const { return directory_ / "recordings"; }
  const std::filesystem::path& directory() const { return directory_; }

  Output run(const Arguments& arguments, const Environment& environment = {});
  // Under LD_PRELOAD alone, as a service would be started. SEEP_DIR is set.
  Output run_preloaded(const Arguments& arguments, const Environment& settings = {});
  // `seep run --dir … options -- arguments`.
  Output run_under_seep(const Arguments& options, const Arguments& arguments);
  std::unique_ptr<Child> start_preloaded(const Arguments& arguments,
                                         const Environment& settings = {});

  // Recordings whose program is `exe`; all without.
  std::vector<std::filesystem::path> recordings(const std::string& exe = "") const;
  std::vector<IndexLine> index() const;
  // Files of a recording's snapshots, oldest first.
  static std::vector<std::filesystem::path> snapshots(const std::filesystem::path& recording);
  // `seep report --json` of a path, held against the invariants of every report.
  Json report(const std::filesystem::path& path, const Arguments& options = {});
  // Asks again and again; fails the test when it has not come true after a minute. False then.
  static bool wait_until(const std::string& what, const std::function<bool()>& is_so);
  // Recording of a running process, once it can be spoken to.
  std::filesystem::path wait_for_recording(pid_t pid);

  Environment preload_environment(const Environment& settings) const;

 private:
  void remember(const Arguments& arguments, const Environment& environment);

  std::filesystem::path directory_;
  std::vector<std::string> commands_;  // for the message of a failed test
};

}  // namespace seep::scenarios
