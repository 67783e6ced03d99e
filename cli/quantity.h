// Sizes and times as people write and read them. Thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace seep::cli {

// "512M", "1.5G", "4096": bytes. K, M, G and T are powers of 1,024; a trailing B or iB is allowed.
// Nothing when it is no size, or beyond 2^63.
std::optional<std::uint64_t> parse_size(const std::string& text);

// "250ms", "10s", "5m", "2h", "1d" or "0": milliseconds. Nothing when it is no time.
std::optional<std::uint64_t> parse_duration_ms(const std::string& text);

// "31.2 MB": model::format_bytes of a whole number, in powers of 1,000.
std::string format_size(std::uint64_t bytes);

// "340 ms", "12 s", "1 h 43 m".
std::string format_duration_ms(std::uint64_t ms);

}  // namespace seep::cli
