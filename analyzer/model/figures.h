// Figures as people read them: "18.1 MB", "+18.1 MB/h", "104,112", "1 h 43 m".
// Units are decimal (1 MB = 1,000,000 bytes). Pure functions, thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace seep::model {

// Three significant digits from a kilobyte on: "812 B", "1.52 KB", "31.2 MB", "1.10 GB".
std::string format_bytes(double bytes);

// With its standard error in the same unit: "1.24 MB ± 0.10"; without one, format_bytes.
std::string format_estimate(double bytes, std::optional<double> error);

// With sign, an hour: "+18.1 MB/h".
std::string format_hourly(double bytes_per_s);

// With sign, for each unit of work: "+312 B/request", "+0.25 B/row".
std::string format_per_unit(double bytes, const std::string& unit);

// Digits in groups of three: "104,112".
std::string format_count(std::uint64_t count);

// The two largest units: "640 ms", "4.2 s", "1 m 5 s", "1 h 43 m", "3 d 4 h". Not negative.
std::string format_duration(double seconds);

// Both ends in the unit that suits the first: "15.3–16.4 h", "40.0–52.3 s".
std::string format_duration_range(double low, double high);

// As limits are written: "512M", "2G" (powers of 1,024) where it is a whole number of these, else
// format_bytes.
std::string format_limit(std::uint64_t bytes);

}  // namespace seep::model
