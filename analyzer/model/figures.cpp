#include "analyzer/model/figures.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace seep::model {
namespace {

// `value` below 1,000 with three significant digits.
std::string three_digits(double value) {
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}", value, decimals);
}

// "5 m" and "7 s" as "5 m 7 s"; the second is left out when it is zero.
std::string two_units(std::uint64_t large, const char* large_unit, std::uint64_t small,
                      const char* small_unit) {
  if (small == 0) {
    return fmt::format("{} {}", large, large_unit);
  }
  return fmt::format("{} {} {} {}", large, large_unit, small, small_unit);
}

}  // namespace

std::string format_bytes(double bytes) {
  static constexpr std::array kUnits = {"KB", "MB", "GB", "TB", "PB", "EB"};
  const char* sign = bytes < 0 ? "-" : "";
  double value = std::fabs(bytes);
  if (value < 999.5) {
    return fmt::format("{}{:.0f} B", sign, value);
  }
  std::size_t unit = 0;
  for (value /= 1000; value >= 999.5 && unit + 1 < kUnits.size(); ++unit) {
    value /= 1000;
  }
  return fmt::format("{}{} {}", sign, three_digits(value), kUnits[unit]);
}

std::string format_hourly(double bytes_per_s) {
  const double hourly = bytes_per_s * 3600;
  return fmt::format("{}{}/h", hourly < 0 ? "" : "+", format_bytes(hourly));
}

std::string format_count(std::uint64_t count) {
  const std::string digits = std::to_string(count);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) {
      text += ',';
    }
    text += digits[i];
  }
  return text;
}

std::string format_duration(double seconds) {
  if (seconds < 0.9995) {
    return fmt::format("{:.0f} ms", seconds * 1000);
  }
  if (seconds < 59.95) {
    return seconds < 9.95 ? fmt::format("{:.1f} s", seconds) : fmt::format("{:.0f} s", seconds);
  }
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 3600) {
    return two_units(whole / 60, "m", whole % 60, "s");
  }
  const std::uint64_t minutes = whole / 60;
  if (minutes < std::uint64_t{24} * 60) {
    return two_units(minutes / 60, "h", minutes % 60, "m");
  }
  const std::uint64_t hours = whole / 3600;
  return two_units(hours / 24, "d", hours % 24, "h");
}

}  // namespace seep::model
