#include "cli/options.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/quantity.h"

namespace seep::cli {

void add_check(CLI::App& app, CheckOptions& options) {
  app.add_flag("--check", options.check,
               "End with --error-exitcode when there is a leak that is not suppressed");
  app.add_option("--error-exitcode", options.error_exitcode, "Exit status of --check (default 1)")
      ->type_name("N")
      ->check(CLI::Range(0, 255));
  add_size(app, "--check-bytes", options.least_bytes, "Let --check pass a leak that holds less");
  add_size(app, "--check-bytes-per-unit", options.least_per_unit,
           "Let --check pass a leak of less for each unit of work");
}

void add_destination(CLI::App& app, Destination& destination, const std::string& name,
                     const std::string& what) {
  app.add_option(name, destination.file, what)->type_name("FILE");
  app.add_flag("--force", destination.force, "Overwrite FILE when it exists");
}

void add_limit(CLI::App& app, std::optional<std::uint64_t>& limit_bytes) {
  const auto parse = [&limit_bytes](const std::string& text) {
    limit_bytes = parse_size(text);
    if (!limit_bytes) {
      throw CLI::ValidationError("`" + text + "` is no size: give one such as 512M or 2G");
    }
  };
  app.add_option_function<std::string>(
         "--limit", parse,
         "Say when the resident size reaches SIZE (K, M, G, T: powers of 1,024); default: the "
         "nearest of the cgroup's limit, RLIMIT_AS and RLIMIT_DATA")
      ->type_name("SIZE");
}

void add_unit_name(CLI::App& app, std::string& name) {
  app.add_option("--unit-name", name,
                 "What a unit of work is called, such as request (default: as the program says)")
      ->type_name("NAME");
}

void add_symbols(CLI::App& app, symbolize::Options& options) {
  app.add_option("--sysroot", options.sysroot,
                 "Look for programs and libraries below this directory")
      ->type_name("DIR");
  app.add_option("--debug-dir", options.debug_dirs,
                 "Look for separate debug files here first; may be repeated")
      ->type_name("DIR")
      ->allow_extra_args(false);
}

CLI::Option* add_duration(CLI::App& app, const std::string& name, std::uint64_t& ms,
                          const std::string& help) {
  const auto parse = [&ms](const std::string& text) {
    const auto parsed = parse_duration_ms(text);
    ms = parsed.value_or(ms);
    if (!parsed) {
      throw CLI::ValidationError("`" + text + "` is no time: give one such as 250ms, 10s, 5m");
    }
  };
  return app.add_option_function<std::string>(name, parse, help)->type_name("TIME");
}

CLI::Option* add_size(CLI::App& app, const std::string& name, std::uint64_t& bytes,
                      const std::string& help) {
  const auto parse = [&bytes](const std::string& text) {
    const auto parsed = parse_size(text);
    bytes = parsed.value_or(bytes);
    if (!parsed) {
      throw CLI::ValidationError("`" + text + "` is no size: give one such as 512M or 2G");
    }
  };
  return app.add_option_function<std::string>(name, parse, help + "; K, M, G, T: powers of 1,024")
      ->type_name("SIZE");
}

}  // namespace seep::cli
