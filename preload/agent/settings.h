// The SEEP_* variables, parsed. Context: AT-INIT; read-only afterwards.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/agent/limit_watch.h"
#include "preload/intercept/interpreters.h"
#include "preload/runtime/text.h"

namespace seep::agent {

enum class Children { kAll, kFork, kNone };
enum class ScanWhen { kOff, kExit, kAlways };
enum class Start { kNow, kPaused, kSize };  // kSize: when the process passes start_rss_bytes

struct Settings {
  // Views of the environment, which stays in place; empty when unset.
#define SEEP_SETTING(name, type, default_value, active, accepted, help) \
  std::string_view name = default_value;
#include "format/settings.inc"
#undef SEEP_SETTING

  bool interval_auto = true;
  std::uint64_t interval_ms = 0;  // 0 with !interval_auto: off
  std::uint64_t keep = 64;
  std::uint64_t disk_bytes = 0;
  std::uint64_t min_life_ms = 1000;
  std::uint64_t stack_depth = 64;
  int signal = 0;       // 0: none
  bool sample = false;  // SEEP_MODE=sample
  std::uint64_t sample_bytes = 524288;
  bool track_heap = true;
  bool track_mmap = true;
  Children children = Children::kAll;
  Start start = Start::kNow;
  std::uint64_t start_rss_bytes = 0;
  SizeLimit rss_limits[kLimitCount];
  ScanWhen scan = ScanWhen::kExit;
  std::uint64_t scan_limit_ms = 2000;
  intercept::Languages languages;  // whose stacks are read

  runtime::Text<512> inactive;  // settings given that do nothing yet, comma separated
  runtime::Text<512> problem;   // one line about the first bad value; empty when all are good
};

// Reads `environment` (NULL-terminated NAME=value strings). A bad value leaves settings.problem
// set.
void parse_settings(const char* const* environment, Settings& settings);

// The value of `name` in `environment`; empty when unset, and then `found` is false.
std::string_view environment_value(const char* const* environment, std::string_view name,
                                   bool* found = nullptr);

// "250ms", "10s", "5m", "2h", "1d". False when it is none of these.
bool parse_duration(std::string_view text, std::uint64_t& milliseconds);
// "4096", "512K", "1G". False when it is none of these.
bool parse_size(std::string_view text, std::uint64_t& bytes);
// "USR2", "SIGUSR2", "12". 0 when it is none that can be handled.
int parse_signal(std::string_view text);

}  // namespace seep::agent
