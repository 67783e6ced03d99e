// The settings of libseep.so as `seep run` offers them, all from format/settings.inc. Thread safe.
#pragma once

#include <optional>
#include <span>
#include <string>

namespace seep::cli {

enum class SettingType { kText, kDuration, kCount, kSize, kChoice };

struct Setting {
  const char* name;  // "MIN_LIFE"
  SettingType type;
  const char* default_value;
  bool active;           // false while a later version builds it
  const char* accepted;  // "a time such as 250ms, 10s, 5m"
  const char* help;

  [[nodiscard]] std::string variable() const;     // "SEEP_MIN_LIFE"
  [[nodiscard]] std::string option() const;       // "--min-life"
  [[nodiscard]] const char* placeholder() const;  // "TIME"
  [[nodiscard]] std::string description() const;  // help, default, and whether it is active
};

std::span<const Setting> settings();

// Why `value` cannot be one of this setting; empty when it can. Text is not judged: libseep.so
// knows what it means.
std::string complaint(const Setting& setting, const std::string& value);

}  // namespace seep::cli
