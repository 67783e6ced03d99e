#include "preload/agent/settings.h"

#include <signal.h>

#include "preload/recorder/sampler.h"

namespace seep::agent {
namespace {

using runtime::take_number;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr Unit kDurations[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
constexpr Unit kSizes[] = {{"", 1},          {"B", 1},         {"K", 1U << 10},
                           {"M", 1U << 20},  {"G", 1U << 30},  {"T", std::uint64_t{1} << 40},
                           {"KB", 1U << 10}, {"MB", 1U << 20}, {"GB", 1U << 30}};

template <std::size_t kCount>
bool parse_with_unit(std::string_view text, const Unit (&units)[kCount], std::uint64_t& value) {
  std::uint64_t number = 0;
  if (!take_number(text, 10, number)) {
    return false;
  }
  for (const Unit& unit : units) {
    if (unit.name == text && number <= UINT64_MAX / unit.factor) {
      value = number * unit.factor;
      return true;
    }
  }
  return false;
}

bool parse_count(std::string_view text, std::uint64_t low, std::uint64_t high,
                 std::uint64_t& value) {
  std::uint64_t number = 0;
  if (!take_number(text, 10, number) || !text.empty() || number < low || number > high) {
    return false;
  }
  value = number;
  return true;
}

bool parse_interval(std::string_view text, Settings& settings) {
  settings.interval_auto = text == "auto";
  if (settings.interval_auto || text == "off") {
    return true;
  }
  return parse_duration(text, settings.interval_ms) && settings.interval_ms != 0;
}

void note_inactive(std::string_view name, Settings& settings) {
  if (settings.inactive.size() != 0) {
    settings.inactive.add(",");
  }
  settings.inactive.add("SEEP_").add(name);
}

bool parse_track(std::string_view text, Settings& settings) {
  bool is_partly_active = false;
  settings.track_heap = false;
  settings.track_mmap = false;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    settings.track_heap = settings.track_heap || word == "heap";
    settings.track_mmap = settings.track_mmap || word == "mmap";
    is_partly_active = is_partly_active || word == "fd" || word == "thread";
    if (word != "heap" && word != "mmap" && word != "fd" && word != "thread") {
      return false;
    }
  }
  if (is_partly_active) {
    note_inactive("TRACK", settings);
  }
  return true;
}

bool parse_children(std::string_view text, Settings& settings) {
  if (text == "all") {
    settings.children = Children::kAll;
  } else if (text == "fork") {
    settings.children = Children::kFork;
  } else if (text == "none") {
    settings.children = Children::kNone;
  } else {
    return false;
  }
  return true;
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (text == word) {
      return true;
    }
  }
  return false;
}

bool parse_start(std::string_view text, Settings& settings) {
  constexpr std::string_view kSizePrefix = "rss:";
  if (text == "now" || text == "paused") {
    settings.start = text == "now" ? Start::kNow : Start::kPaused;
    return true;
  }
  settings.start = Start::kSize;
  return text.substr(0, kSizePrefix.size()) == kSizePrefix &&
         parse_size(text.substr(kSizePrefix.size()), settings.start_rss_bytes) &&
         settings.start_rss_bytes != 0;
}

bool parse_scan(std::string_view text, Settings& settings) {
  if (text == "off") {
    settings.scan = ScanWhen::kOff;
  } else if (text == "exit") {
    settings.scan = ScanWhen::kExit;
  } else if (text == "always") {
    settings.scan = ScanWhen::kAlways;
  } else {
    return false;
  }
  return true;
}

// "512M" or "80%".
bool parse_size_limit(std::string_view text, SizeLimit& limit) {
  if (text.empty() || text.back() != '%') {
    return parse_size(text, limit.bytes) && limit.bytes != 0;
  }
  std::uint64_t percent = 0;
  text.remove_suffix(1);
  if (!parse_count(text, 1, 100, percent)) {
    return false;
  }
  limit.percent = static_cast<std::uint32_t>(percent);
  return true;
}

// One alone is the critical one. Two are in order, where that can be told.
bool parse_rss_limit(std::string_view text, Settings& settings) {
  SizeLimit& warning = settings.rss_limits[0];
  SizeLimit& critical = settings.rss_limits[1];
  if (text == "off") {
    return true;
  }
  if (text == "auto") {
    warning.percent = 80;
    critical.percent = 95;
    return true;
  }
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) {
    return parse_size_limit(text, critical);
  }
  return parse_size_limit(text.substr(0, comma), warning) &&
         parse_size_limit(text.substr(comma + 1), critical) &&
         (warning.bytes == 0 || critical.bytes == 0 || warning.bytes < critical.bytes) &&
         (warning.percent == 0 || critical.percent == 0 || warning.percent < critical.percent);
}

// "8.6:512,81,168,96,104": a version, and the rest of PhpLayout in its order.
bool parse_php_offsets(std::string_view text, script::PhpLayout& layout) {
  constexpr std::uint64_t kMostOffset = 1024;
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  const auto take = [&text](char end, std::uint64_t most, std::uint64_t& value) {
    const bool is_number = take_number(text, 10, value) && value <= most;
    const bool is_ended = end == '\0' ? text.empty() : !text.empty() && text.front() == end;
    text.remove_prefix(is_number && is_ended && end != '\0' ? 1 : 0);
    return is_number && is_ended;
  };
  if (!take('.', 99, major) || !take(':', 99, minor)) {
    return false;
  }
  std::uint64_t offsets[5] = {};
  for (std::uint64_t& offset : offsets) {
    if (!take(&offset == &offsets[4] ? '\0' : ',', kMostOffset, offset)) {
      return false;
    }
  }
  const auto at = [&offsets](unsigned i) { return static_cast<std::uint16_t>(offsets[i]); };
  layout = {static_cast<std::uint16_t>(major * 100 + minor), at(0), at(1), at(2), at(3), at(4)};
  return true;
}

// Checks a value and keeps what it means; false when it is not accepted.
bool accept(std::string_view name, std::string_view text, Settings& settings) {
  if (name == "INTERVAL")
    return parse_interval(text, settings);
  if (name == "KEEP")
    return parse_count(text, 4, 4096, settings.keep);
  if (name == "DISK")
    return parse_size(text, settings.disk_bytes);
  if (name == "MIN_LIFE")
    return text == "0" ? (settings.min_life_ms = 0, true)
                       : parse_duration(text, settings.min_life_ms);
  if (name == "STACK_DEPTH")
    return parse_count(text, 1, 64, settings.stack_depth);
  if (name == "TRACK")
    return parse_track(text, settings);
  if (name == "CHILDREN")
    return parse_children(text, settings);
  if (name == "SIGNAL")
    return text.empty() || (settings.signal = parse_signal(text)) != 0;
  if (name == "START")
    return parse_start(text, settings);
  if (name == "MODE")
    return (settings.sample = text == "sample") || text == "exact";
  if (name == "SAMPLE_BYTES")
    return parse_size(text, settings.sample_bytes) &&
           settings.sample_bytes >= recorder::kLeastSampleBytes &&
           settings.sample_bytes <= recorder::kMostSampleBytes;
  if (name == "RSS_LIMIT")
    return parse_rss_limit(text, settings);
  if (name == "METRICS")
    return text.empty() || text.front() == '/';
  if (name == "SCAN")
    return parse_scan(text, settings);
  if (name == "SCAN_LIMIT")
    return parse_duration(text, settings.scan_limit_ms);
  if (name == "LANG") {
    settings.languages.php = text == "auto" || text == "php";
    settings.languages.python = text == "auto" || text == "python";
    return one_of(text, {"auto", "off", "php", "python"});
  }
  if (name == "PHP_OFFSETS")
    return text.empty() || parse_php_offsets(text, settings.languages.php_layout);
  return true;  // free text
}

void note_problem(std::string_view name, std::string_view value, std::string_view accepted,
                  Settings& settings) {
  if (settings.problem.size() == 0) {
    settings.problem.add("seep: SEEP_")
        .add(name)
        .add("=")
        .add(value)
        .add(": accepted is ")
        .add(accepted)
        .add("; the program runs on, untracked\n");
  }
}

void take_setting(std::string_view name, bool active, std::string_view accepted, bool given,
                  std::string_view default_value, std::string_view& value, Settings& settings) {
  if (given && value != default_value && !active) {
    note_inactive(name, settings);
  }
  if (!accept(name, value, settings)) {
    note_problem(name, value, accepted, settings);
  }
}

}  // namespace

bool parse_duration(std::string_view text, std::uint64_t& milliseconds) {
  return parse_with_unit(text, kDurations, milliseconds);
}

bool parse_size(std::string_view text, std::uint64_t& bytes) {
  return parse_with_unit(text, kSizes, bytes);
}

// Not those that the kernel keeps, that a fault raises again when its handler returns, or that libc
// uses between threads (32, 33).
bool can_be_handled(int signal) {
  constexpr int kRefused[] = {SIGKILL, SIGSTOP, SIGILL, SIGTRAP, SIGABRT, SIGBUS,
                              SIGFPE,  SIGSEGV, SIGSYS, 32,      33};
  for (const int refused : kRefused) {
    if (signal == refused) {
      return false;
    }
  }
  return true;
}

int parse_signal(std::string_view text) {
  struct Name {
    std::string_view name;
    int number;
  };
  constexpr Name kNames[] = {{"HUP", SIGHUP},   {"USR1", SIGUSR1},   {"USR2", SIGUSR2},
                             {"ALRM", SIGALRM}, {"WINCH", SIGWINCH}, {"URG", SIGURG},
                             {"IO", SIGIO},     {"PWR", SIGPWR},     {"CONT", SIGCONT}};
  if (text.substr(0, 3) == "SIG") {
    text.remove_prefix(3);
  }
  for (const Name& entry : kNames) {
    if (entry.name == text) {
      return entry.number;
    }
  }
  std::uint64_t number = 0;
  return parse_count(text, 1, 64, number) && can_be_handled(static_cast<int>(number))
             ? static_cast<int>(number)
             : 0;
}

std::string_view environment_value(const char* const* environment, std::string_view name,
                                   bool* found) {
  for (const char* const* entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = runtime::view_of(*entry);
    if (text.size() > name.size() && text.substr(0, name.size()) == name &&
        text[name.size()] == '=') {
      if (found != nullptr) {
        *found = true;
      }
      return text.substr(name.size() + 1);
    }
  }
  if (found != nullptr) {
    *found = false;
  }
  return {};
}

void parse_settings(const char* const* environment, Settings& settings) {
  bool given = false;
#define SEEP_SETTING(name, type, default_value, active, accepted, help)                   \
  {                                                                                       \
    const std::string_view value = environment_value(environment, "SEEP_" #name, &given); \
    settings.name = given ? value : std::string_view(default_value);                      \
    take_setting(#name, active, accepted, given, default_value, settings.name, settings); \
  }
#include "format/settings.inc"
#undef SEEP_SETTING
}

}  // namespace seep::agent
