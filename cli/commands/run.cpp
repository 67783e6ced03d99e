// seep run [options] -- CMD…: starts a program under the preload and reports when it has ended.
#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/launch/child.h"
#include "cli/launch/environment.h"
#include "cli/launch/target.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/run_report.h"
#include "cli/settings.h"

namespace seep::cli {
namespace {

using Words = std::vector<std::string>;

struct Options {
  RunReportOptions report;
  bool exec = false;
  std::map<std::string, std::string> settings;  // SEEP_… variables
};

int own_failure(const Error& error) {
  fail(error);
  return launch::kStatusOwnFailure;
}

std::string or_default(const char* value, const char* otherwise) {
  return value != nullptr && *value != '\0' ? value : otherwise;
}

launch::TrackedEnvironment environment_for(const Options& options, const std::string& library,
                                           const std::string& path) {
  launch::TrackedEnvironment environment;
  environment.library = library;
  environment.program = std::filesystem::path(path).filename();
  environment.run_id = launch::new_run_id();
  environment.now = std::time(nullptr);
  environment.settings = options.settings;
  const auto given = options.settings.find("SEEP_DIR");
  environment.directory = given != options.settings.end()
                              ? given->second
                              : or_default(getenv("SEEP_DIR"), "./seep-out");
  return environment;
}

int report_exec_failure(const std::string& name, int error) {
  fmt::print(stderr, "seep: {}: {}\n", name, std::strerror(error));
  return launch::status_of_exec_errno(error);
}

int run_untracked(const Options& options, const Words& command) {
  if (options.exec) {
    return report_exec_failure(command[0], launch::replace_self(command));
  }
  const launch::ChildEnd end = launch::run_child(command, [](pid_t) {});
  if (end.exec_errno != 0) {
    report_exec_failure(command[0], end.exec_errno);
  }
  return end.exit_status();
}

int run_tracked(const Options& options, const launch::TrackedEnvironment& environment,
                const Words& command) {
  if (options.exec) {
    environment.apply(getpid());
    return report_exec_failure(command[0], launch::replace_self(command));
  }
  const launch::ChildEnd end =
      launch::run_child(command, [&](pid_t pid) { environment.apply(pid); });
  if (end.pid == 0) {
    fmt::print(stderr, "seep: no process could be made: {}\n", std::strerror(errno));
    return launch::kStatusOwnFailure;
  }
  if (end.exec_errno != 0) {
    return report_exec_failure(command[0], end.exec_errno);
  }
  return report_run(options.report, environment, end);
}

std::string path_variable() {
  const char* path = getenv("PATH");
  return path != nullptr ? path : "/bin:/usr/bin";  // what execvp(3) falls back to
}

int start(const Options& options, const Words& command) {
  using Outcome = launch::FoundCommand::Outcome;
  const launch::FoundCommand found = launch::find_command(command[0], path_variable());
  if (found.outcome != Outcome::kFound) {
    return report_exec_failure(command[0], found.outcome == Outcome::kNotFound ? ENOENT : EACCES);
  }
  const std::string program = launch::loaded_program(found.path);
  if (const std::string why = launch::why_untracked(program); !why.empty()) {
    fmt::print(stderr, "seep: {} {}: it cannot be tracked and runs without\n", program, why);
    return run_untracked(options, command);
  }
  const Result<std::string> library = launch::find_library();
  if (!library) {
    return own_failure(library.error());
  }
  return run_tracked(options, environment_for(options, *library, found.path), command);
}

int run_verb(const Options& options, const Words& command) {
  if (command.empty()) {
    return fail({ErrorKind::kUsage,
                 {},
                 {},
                 {},
                 "which program? It stands after --",
                 "seep run [options] -- CMD [arguments]"});
  }
  return start(options, command);
}

void add_settings(CLI::App& app, const std::shared_ptr<Options>& options) {
  for (const Setting& setting : settings()) {
    app.add_option_function<std::string>(
           setting.option(),
           [options, variable = setting.variable()](const std::string& value) {
             options->settings[variable] = value;
           },
           setting.description())
        ->type_name(setting.placeholder())
        ->group("Settings (each is also a variable, such as SEEP_INTERVAL)")
        ->check([&setting](const std::string& value) { return complaint(setting, value); });
  }
}

}  // namespace

Action describe_run(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::Option* exec = app.add_flag(
      "--exec", options->exec, "Replace seep by CMD (systemd, container entry points); no report");
  add_destination(
      app, options->report.destination, "--report",
      "Write the whole report to FILE (.json, .md, else text) instead of a summary on stderr");
  app.get_option("--report")->excludes(exec);
  add_limit(app, options->report.report.limit_bytes);
  add_unit_name(app, options->report.report.unit);
  add_check(app, options->report.check);
  app.get_option("--check")->excludes(exec);
  add_settings(app, options);
  app.footer(
      "Ends with the status of CMD, 128 + n when signal n ended it; 125: seep could not start\n"
      "it; 126: CMD cannot be executed; 127: CMD was not found.");
  return [options](const auto& words) { return run_verb(*options, words); };
}

}  // namespace seep::cli
