#include "tests/scenarios/scenario.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <thread>

#include "format/control_page.h"
#include "format/recording_layout.h"
#include "tests/scenarios/report_checks.h"

namespace seep::scenarios {
namespace fs = std::filesystem;
namespace {

constexpr auto kLongestWait = std::chrono::seconds(60);  // where a machine is very busy

fs::path make_directory() {
  std::string name = (fs::temp_directory_path() / "seep-scenario-XXXXXX").string();
  return mkdtemp(name.data()) != nullptr ? fs::path(name) : fs::path();
}

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, separator);) {
    fields.push_back(field);
  }
  return fields;
}

// "<exe>.<pid>" or "<exe>.<pid>.<n>": does the name belong to this program?
bool is_recording_of(const std::string& name, const std::string& exe) {
  return exe.empty() || (name.rfind(exe + ".", 0) == 0 &&
                         name.find_first_not_of("0123456789.", exe.size()) == std::string::npos);
}

std::string shell_quoted(const std::string& argument) {
  const bool plain = argument.find_first_of(" \t\n'\"$`\\*?;&|<>()") == std::string::npos;
  return plain && !argument.empty() ? argument : "'" + argument + "'";
}

}  // namespace

std::string seep_command() {
  return SEEP_COMMAND;
}
std::string library() {
  return SEEP_LIBRARY;
}
std::string sample(const std::string& name) {
  return std::string(SEEP_SAMPLES) + "/" + name;
}
std::string program(const std::string& name) {
  return std::string(SEEP_PROGRAMS) + "/" + name;
}
std::string source_file(const std::string& path) {
  return std::string(SEEP_SOURCE) + "/" + path;
}

void Scenario::SetUp() {
  directory_ = make_directory();
  ASSERT_FALSE(directory_.empty()) << "no temporary directory";
}

void Scenario::TearDown() {
  if (!HasFailure()) {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
    return;
  }
  std::cerr << "kept: " << directory_ << "\n";
  for (const std::string& command : commands_) {
    std::cerr << "again: " << command << "\n";
  }
}

void Scenario::remember(const Arguments& arguments, const Environment& environment) {
  std::string command = environment.empty() ? "" : "env";
  for (const auto& [name, value] : environment) {
    command.append(" ").append(shell_quoted(std::string(name).append("=").append(value)));
  }
  for (const std::string& argument : arguments) {
    command += (command.empty() ? "" : " ") + shell_quoted(argument);
  }
  commands_.push_back(command);
}

Output Scenario::run(const Arguments& arguments, const Environment& environment) {
  remember(arguments, environment);
  return Child(arguments, environment, directory_).wait();
}

Environment Scenario::preload_environment(const Environment& settings) const {
  Environment environment = settings;
  environment.emplace("SEEP_DIR", recordings_directory().string());
  environment.emplace("LD_PRELOAD", library());
  return environment;
}

Output Scenario::run_preloaded(const Arguments& arguments, const Environment& settings) {
  return run(arguments, preload_environment(settings));
}

std::unique_ptr<Child> Scenario::start_preloaded(const Arguments& arguments,
                                                 const Environment& settings) {
  const Environment environment = preload_environment(settings);
  remember(arguments, environment);
  return std::make_unique<Child>(arguments, environment, directory_);
}

Output Scenario::run_under_seep(const Arguments& options, const Arguments& arguments) {
  Arguments command = {seep_command(), "run", "--dir", recordings_directory().string()};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back("--");
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run(command);
}

std::vector<fs::path> Scenario::recordings(const std::string& exe) const {
  std::vector<fs::path> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(recordings_directory(), none)) {
    if (entry.is_directory() && is_recording_of(entry.path().filename().string(), exe)) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<IndexLine> Scenario::index() const {
  std::vector<IndexLine> lines;
  for (const std::string& line :
       lines_of(read_text(recordings_directory() / format::kIndexFileName))) {
    const std::vector<std::string> fields = split(line, '\t');
    EXPECT_EQ(fields.size(), 12U) << "line of the index: " << line;
    if (fields.size() == 12) {
      lines.push_back({fields[2], fields[3], fields[5], fields[6], fields[10], fields[11]});
    }
  }
  return lines;
}

std::vector<fs::path> Scenario::snapshots(const fs::path& recording) {
  std::vector<fs::path> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(recording, none)) {
    if (entry.path().extension() == format::kSnapshotSuffix &&
        entry.path().filename().string().starts_with(format::kSnapshotPrefix)) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

Json Scenario::report(const fs::path& path, const Arguments& options) {
  Arguments command = {seep_command(), "report", "--json", "--top", "0"};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(path.string());
  const Output output = run(command);
  EXPECT_EQ(output.status, 0) << output.err;
  Json report = Json::parse(output.out, nullptr, false);
  EXPECT_FALSE(report.is_discarded()) << "not JSON: " << output.out.substr(0, 200);
  if (report.is_discarded()) {
    return Json::object();
  }
  expect_complete(report);
  expect_consistent(report);
  return report;
}

bool Scenario::wait_until(const std::string& what, const std::function<bool()>& is_so) {
  const auto deadline = std::chrono::steady_clock::now() + kLongestWait;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "waited in vain: " << what;
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

fs::path Scenario::wait_for_recording(pid_t pid) {
  const std::string ending = "." + std::to_string(pid);
  fs::path found;
  wait_until(
      "a recording of process " + std::to_string(pid) + " in " + recordings_directory().string(),
      [&] {
        for (const fs::path& recording : recordings()) {
          if (recording.extension() == ending && fs::exists(recording / format::kControlFileName) &&
              !snapshots(recording).empty()) {
            found = recording;
          }
        }
        return !found.empty();
      });
  return found;
}

}  // namespace seep::scenarios
