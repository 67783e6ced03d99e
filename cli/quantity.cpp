#include "cli/quantity.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <utility>

#include "analyzer/model/figures.h"

namespace seep::cli {
namespace {

constexpr double kLargest = 9.2e18;  // below 2^63

// The number that `text` begins with, and what follows it.
std::optional<std::pair<double, std::string_view>> split_number(const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, bad] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (bad != std::errc() || number < 0) {
    return std::nullopt;
  }
  return std::pair{number, std::string_view(rest, static_cast<std::size_t>(end - rest))};
}

std::optional<std::uint64_t> whole(double value) {
  if (!(value <= kLargest)) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(value);
}

}  // namespace

std::optional<std::uint64_t> parse_size(const std::string& text) {
  const auto parts = split_number(text);
  if (!parts) {
    return std::nullopt;
  }
  auto [number, unit] = *parts;
  constexpr std::string_view kLetters = "KMGT";
  const std::size_t power = unit.empty() ? std::string_view::npos : kLetters.find(unit.front());
  if (power != std::string_view::npos) {
    number *= static_cast<double>(std::uint64_t{1} << (10 * (power + 1)));
    unit.remove_prefix(1);
    if (unit == "iB") {
      unit = {};
    }
  }
  return unit.empty() || unit == "B" ? whole(number) : std::nullopt;
}

std::optional<std::uint64_t> parse_duration_ms(const std::string& text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}};
  const auto parts = split_number(text);
  if (!parts) {
    return std::nullopt;
  }
  if (parts->first == 0 && parts->second.empty()) {
    return 0;
  }
  for (const auto& [unit, ms] : kUnits) {
    if (parts->second == unit) {
      return whole(parts->first * ms);
    }
  }
  return std::nullopt;
}

std::string format_size(std::uint64_t bytes) {
  return model::format_bytes(static_cast<double>(bytes));
}

std::string format_duration_ms(std::uint64_t ms) {
  const std::uint64_t seconds = ms / 1000;
  if (ms < 1000) {
    return fmt::format("{} ms", ms);
  }
  if (seconds < 60) {
    return fmt::format("{}.{} s", seconds, ms % 1000 / 100);
  }
  if (seconds < 3600) {
    return fmt::format("{} m {} s", seconds / 60, seconds % 60);
  }
  if (seconds < 86400) {
    return fmt::format("{} h {} m", seconds / 3600, seconds % 3600 / 60);
  }
  return fmt::format("{} d {} h", seconds / 86400, seconds % 86400 / 3600);
}

}  // namespace seep::cli
