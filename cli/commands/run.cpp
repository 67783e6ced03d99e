// seep run [options] -- CMD…: starts a program under the preload and reports when it has ended.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/launch/child.h"
#include "cli/launch/environment.h"
#include "cli/launch/target.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/repeat.h"
#include "cli/run_report.h"
#include "cli/settings.h"

namespace seep::cli {
namespace {

using Words = std::vector<std::string>;

struct Options {
  RunReportOptions report;
  bool exec = false;
  unsigned repetitions = 1;
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

// The status when the program did not start; else it has ended.
std::optional<int> run_child(const launch::TrackedEnvironment& environment, const Words& command,
                             launch::ChildEnd& end) {
  end = launch::run_child(command, [&](pid_t pid) { environment.apply(pid); });
  if (end.pid == 0) {
    fmt::print(stderr, "seep: no process could be made: {}\n", std::strerror(errno));
    return launch::kStatusOwnFailure;
  }
  return end.exec_errno != 0 ? std::optional(report_exec_failure(command[0], end.exec_errno))
                             : std::nullopt;
}

// Until one fails. Each is a run of its own.
int run_repeated(const Options& options, launch::TrackedEnvironment environment,
                 const Words& command) {
  std::vector<EndedRun> runs;
  while (runs.size() < options.repetitions &&
         (runs.empty() || runs.back().end.exit_status() == 0)) {
    const unsigned work = work_of(static_cast<unsigned>(runs.size()));
    environment.run_id = launch::new_run_id();
    environment.settings[kRepetitionVariable] = std::to_string(work);
    launch::ChildEnd end;
    if (const auto status = run_child(environment, with_work(command, work), end)) {
      return *status;
    }
    runs.push_back({environment, end});
  }
  return report_repetitions(options.report, runs);
}

int run_tracked(const Options& options, const launch::TrackedEnvironment& environment,
                const Words& command) {
  if (options.exec) {
    environment.apply(getpid());
    return report_exec_failure(command[0], launch::replace_self(command));
  }
  if (options.repetitions > 1) {
    return run_repeated(options, environment, command);
  }
  launch::ChildEnd end;
  const std::optional<int> status = run_child(environment, command, end);
  return status ? *status : report_run(options.report, environment, end);
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

// What could not be read when the program has ended.
std::optional<Error> why_not_accepted(const AcceptOptions& accepted) {
  const auto suppressions = read_suppressions(accepted);
  if (!suppressions) {
    return suppressions.error();
  }
  if (!accepted.baseline.empty() && access(accepted.baseline.c_str(), R_OK) != 0) {
    return Error{ErrorKind::kBadInput,
                 accepted.baseline,
                 {},
                 {},
                 std::string("cannot be read: ") + std::strerror(errno),
                 "correct --baseline"};
  }
  return std::nullopt;
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
  const std::optional<Error> error = why_not_accepted(options.report.accepted);
  if (!error || options.exec) {
    return start(options, command);
  }
  // A test would pass or fail for the wrong reason. A service starts whatever its variables say.
  const int status = own_failure(*error);
  const AcceptOptions& accepted = options.report.accepted;
  if (options.report.check.check || !accepted.suppressions.empty() || !accepted.baseline.empty()) {
    return status;
  }
  Options without = options;
  without.report.accepted.without_variable = true;
  return start(without, command);
}

void add_settings(Arguments& arguments, const std::shared_ptr<Options>& options) {
  for (const Setting& setting : settings()) {
    if (setting.name == std::string_view("SUPPRESSIONS")) {
      continue;  // add_accepted() has it, for several files
    }
    arguments
        .option(
            setting.option(),
            [options, variable = setting.variable()](const std::string& value) {
              options->settings[variable] = value;
              return std::string();
            },
            setting.description())
        .placeholder(setting.placeholder())
        .group("Settings (each is also a variable, such as SEEP_INTERVAL)")
        .check([&setting](const std::string& value) { return complaint(setting, value); });
  }
}

}  // namespace

Action describe_run(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  Argument exec = arguments.flag(
      "--exec", options->exec, "Replace seep by CMD (systemd, container entry points); no report");
  arguments
      .option("--report", options->report.files,
              "Write the whole report to FILE (.json, .md, .sarif, .xml: JUnit, else text) instead "
              "of a summary on stderr; may be repeated")
      .placeholder("FILE")
      .one_at_a_time()
      .excludes(exec);
  arguments.flag("--force", options->report.force, "Overwrite FILE when it exists");
  add_limit(arguments, options->report.report.limit_bytes);
  add_unit_name(arguments, options->report.report.unit);
  add_check(arguments, options->report.check);
  add_accepted(arguments, options->report.accepted);
  add_baseline(arguments, options->report.accepted);
  arguments.find("--check").excludes(exec);
  arguments
      .option("--repeat", options->repetitions,
              "Run CMD N times, {} in it being 1, 2, 4, ...: growth must stand over repetitions")
      .placeholder("N")
      .between(1, kMostRepetitions)
      .excludes(exec);
  add_settings(arguments, options);
  arguments.footer(
      "Ends with the status of CMD, 128 + n when signal n ended it; 125: seep could not start\n"
      "it; 126: CMD cannot be executed; 127: CMD was not found.");
  return [options](const auto& words) { return run_verb(*options, words); };
}

}  // namespace seep::cli
