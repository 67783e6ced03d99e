#include "cli/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "cli/quantity.h"

namespace seep::cli {
namespace {

// The words that settings.inc uses, so not of this project's form.
// NOLINTBEGIN(readability-identifier-naming)
constexpr SettingType text = SettingType::kText;
constexpr SettingType duration = SettingType::kDuration;
constexpr SettingType count = SettingType::kCount;
constexpr SettingType size = SettingType::kSize;
constexpr SettingType choice = SettingType::kChoice;
// NOLINTEND(readability-identifier-naming)

constexpr Setting kSettings[] = {
#define SEEP_SETTING(name, type, default_value, active, accepted, help) \
  {#name, type, default_value, active, accepted, help},
#include "format/settings.inc"
#undef SEEP_SETTING
};

// True when `word` is one of the words of "auto, off, or a time such as 10s" or "all, fork or
// none".
bool is_listed(std::string_view accepted, std::string_view word) {
  while (!accepted.empty()) {
    const std::size_t end = std::min(accepted.find(", "), accepted.find(" or "));
    std::string_view item = accepted.substr(0, end);
    if (item.starts_with("or ")) {
      item.remove_prefix(3);
    }
    const bool is_word = item.find(' ') == std::string_view::npos;  // not "a time such as 10s"
    if (is_word && item == word) {
      return true;
    }
    const bool last = end == std::string_view::npos;
    accepted = last ? std::string_view() : accepted.substr(end + (accepted[end] == ',' ? 2 : 4));
  }
  return false;
}

// "a number from 4 to 4096"
bool is_in_range(const char* accepted, const std::string& value) {
  unsigned long low = 0;
  unsigned long high = 0;
  unsigned long number = 0;
  const char* end = value.data() + value.size();
  const auto [rest, bad] = std::from_chars(value.data(), end, number);
  return bad == std::errc() && rest == end &&
         std::sscanf(accepted, "a number from %lu to %lu", &low, &high) == 2 && number >= low &&
         number <= high;
}

// "a size from 1K to 1G"; any size where `accepted` names no range.
bool is_size(const char* accepted, const std::string& value) {
  const auto bytes = parse_size(value);
  char low[16];
  char high[16];
  if (!bytes || std::sscanf(accepted, "a size from %15s to %15s", low, high) != 2) {
    return bytes.has_value();
  }
  return *bytes >= parse_size(low).value_or(0) && *bytes <= parse_size(high).value_or(UINT64_MAX);
}

bool is_accepted(const Setting& setting, const std::string& value) {
  switch (setting.type) {
    case SettingType::kText:
      return true;
    case SettingType::kDuration:
      return parse_duration_ms(value) || is_listed(setting.accepted, value);
    case SettingType::kCount:
      return is_in_range(setting.accepted, value);
    case SettingType::kSize:
      return is_size(setting.accepted, value);
    case SettingType::kChoice:
      return is_listed(setting.accepted, value);
  }
  return true;
}

}  // namespace

std::string Setting::variable() const {
  return std::string("SEEP_") + name;
}

std::string Setting::option() const {
  std::string option = "--";
  for (const char* c = name; *c != '\0'; ++c) {
    option += *c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(*c)));
  }
  return option;
}

const char* Setting::placeholder() const {
  switch (type) {
    case SettingType::kText:
      return "TEXT";
    case SettingType::kDuration:
      return "TIME";
    case SettingType::kCount:
      return "N";
    case SettingType::kSize:
      return "SIZE";
    case SettingType::kChoice:
      return "WORD";
  }
  return "TEXT";
}

std::string Setting::description() const {
  return fmt::format("{} ({}{}{}){}", help, accepted,
                     type == SettingType::kSize ? ", in powers of 1,024" : "",
                     *default_value == '\0' ? "" : fmt::format("; default {}", default_value),
                     active ? "" : ": not active in this version");
}

std::span<const Setting> settings() {
  return kSettings;
}

std::string complaint(const Setting& setting, const std::string& value) {
  return is_accepted(setting, value)
             ? std::string()
             : fmt::format("`{}` is not accepted: give {}", value, setting.accepted);
}

}  // namespace seep::cli
