#include "cli/options.h"

#include "cli/quantity.h"

namespace seep::cli {
namespace {

std::string no_size(const std::string& text) {
  return "`" + text + "` is no size: give one such as 512M or 2G";
}

}  // namespace

void add_check(Arguments& arguments, CheckOptions& options) {
  arguments.flag("--check", options.check,
                 "End with --error-exitcode when there is a leak that is not suppressed");
  arguments.option("--error-exitcode", options.error_exitcode, "Exit status of --check (default 1)")
      .placeholder("N")
      .between(0, 255);
  add_size(arguments, "--check-bytes", options.least_bytes,
           "Let --check pass a leak that holds less");
  add_size(arguments, "--check-bytes-per-unit", options.least_per_unit,
           "Let --check pass a leak of less for each unit of work");
}

void add_destination(Arguments& arguments, Destination& destination, const std::string& name,
                     const std::string& what) {
  arguments.option(name, destination.file, what).placeholder("FILE");
  arguments.flag("--force", destination.force, "Overwrite FILE when it exists");
}

void add_limit(Arguments& arguments, std::optional<std::uint64_t>& limit_bytes) {
  const auto take = [&limit_bytes](const std::string& text) {
    limit_bytes = parse_size(text);
    return limit_bytes ? std::string() : no_size(text);
  };
  arguments
      .option("--limit", take,
              "Say when the resident size reaches SIZE (K, M, G, T: powers of 1,024); default: "
              "the nearest of the cgroup's limit, RLIMIT_AS and RLIMIT_DATA")
      .placeholder("SIZE");
}

void add_unit_name(Arguments& arguments, std::string& name) {
  arguments
      .option("--unit-name", name,
              "What a unit of work is called, such as request (default: as the program says)")
      .placeholder("NAME");
}

void add_runs(Arguments& arguments, read::Selection& selection) {
  const auto take = [&selection](const std::string& id) {
    selection.run_id = id;
    return std::string();
  };
  const Argument run = arguments.option("--run", take, "The run with this id instead of the newest")
                           .placeholder("ID");
  arguments.flag("--all-runs", selection.all_runs, "All runs in the directory").excludes(run);
}

void add_symbols(Arguments& arguments, symbolize::Options& options) {
  arguments
      .option("--sysroot", options.sysroot, "Look for programs and libraries below this directory")
      .placeholder("DIR");
  arguments
      .option("--debug-dir", options.debug_dirs,
              "Look for separate debug files here first; may be repeated")
      .placeholder("DIR")
      .one_at_a_time();
}

Argument add_duration(Arguments& arguments, const std::string& name, std::uint64_t& ms,
                      const std::string& help) {
  const auto take = [&ms](const std::string& text) -> std::string {
    const auto parsed = parse_duration_ms(text);
    ms = parsed.value_or(ms);
    return parsed ? "" : "`" + text + "` is no time: give one such as 250ms, 10s, 5m";
  };
  return arguments.option(name, take, help).placeholder("TIME");
}

Argument add_size(Arguments& arguments, const std::string& name, std::uint64_t& bytes,
                  const std::string& help) {
  const auto take = [&bytes](const std::string& text) {
    const auto parsed = parse_size(text);
    bytes = parsed.value_or(bytes);
    return parsed ? std::string() : no_size(text);
  };
  return arguments.option(name, take, help + "; K, M, G, T: powers of 1,024").placeholder("SIZE");
}

}  // namespace seep::cli
