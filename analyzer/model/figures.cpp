#include "analyzer/model/figures.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

namespace seep::model {
namespace {

// An amount of bytes in the unit that suits it.
struct Scaled {
  double value = 0;  // below 1,000
  double factor = 1;
  const char* unit = "B";

  // Three significant digits; bytes are whole.
  [[nodiscard]] int decimals() const {
    return factor == 1 || value >= 99.95 ? 0 : value < 9.995 ? 2 : 1;
  }
  [[nodiscard]] std::string number() const { return fmt::format("{:.{}f}", value, decimals()); }
};

Scaled scaled_of(double bytes) {
  static constexpr std::array kUnits = {"KB", "MB", "GB", "TB", "PB", "EB"};
  Scaled scaled{bytes};
  for (const char* unit : kUnits) {
    if (scaled.value < 999.5) {
      break;
    }
    scaled.factor *= 1000;
    scaled.value = bytes / scaled.factor;
    scaled.unit = unit;
  }
  return scaled;
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
  const Scaled scaled = scaled_of(std::fabs(bytes));
  return fmt::format("{}{} {}", bytes < 0 ? "-" : "", scaled.number(), scaled.unit);
}

std::string format_estimate(double bytes, std::optional<double> error) {
  const Scaled scaled = scaled_of(std::fabs(bytes));
  if (!error) {
    return format_bytes(bytes);
  }
  return fmt::format("{} ± {:.{}f}", format_bytes(bytes), *error / scaled.factor,
                     scaled.decimals());
}

std::string format_hourly(double bytes_per_s) {
  const double hourly = bytes_per_s * 3600;
  return fmt::format("{}{}/h", hourly < 0 ? "" : "+", format_bytes(hourly));
}

std::string format_per_unit(double bytes, const std::string& unit) {
  const double size = std::fabs(bytes);
  const std::string amount = size < 9.995 ? fmt::format("{:.2f} B", size) : format_bytes(size);
  return fmt::format("{}{}/{}", bytes < 0 ? "-" : "+", amount, unit);
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

std::string format_duration_range(double low, double high) {
  struct Unit {
    double seconds;
    const char* name;
  };
  static constexpr std::array kUnits = {Unit{86400, "d"}, Unit{3600, "h"}, Unit{60, "m"}};
  Unit unit{1, "s"};
  for (const Unit& larger : kUnits) {
    if (low >= 2 * larger.seconds) {
      unit = larger;
      break;
    }
  }
  const auto number = [&](double seconds) {
    const double value = seconds / unit.seconds;
    return fmt::format("{:.{}f}", value, value >= 99.95 ? 0 : 1);
  };
  return fmt::format("{}–{} {}", number(low), number(high), unit.name);
}

std::string format_limit(std::uint64_t bytes) {
  static constexpr std::array kUnits = {std::pair{30U, 'G'}, std::pair{20U, 'M'},
                                        std::pair{10U, 'K'}};
  for (const auto& [bits, unit] : kUnits) {
    const std::uint64_t size = std::uint64_t{1} << bits;
    if (bytes >= size && bytes % size == 0) {
      return fmt::format("{}{}", bytes / size, unit);
    }
  }
  return format_bytes(static_cast<double>(bytes));
}

}  // namespace seep::model
