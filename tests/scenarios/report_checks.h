// What must hold for every report, whatever the program (design §2.3), and look-ups in one.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace seep::scenarios {

using Json = nlohmann::json;

// Every field is there; enums have values that we know.
void expect_complete(const Json& report);
// Series are as long as there are snapshots, ranks count up, leaks come first, sums agree.
void expect_consistent(const Json& report);
// No way of losing an event was taken.
void expect_nothing_lost(const Json& report);

bool passes_through(const Json& stack, const std::string& function);
// Suspects with the function in their stack or in that of one of their paths.
std::vector<Json> suspects_through(const Json& report, const std::string& function);
std::string functions_of(const Json& stack);  // "malloc_site < caller < main", for messages

// Sums over all suspects that pass through a function.
struct Sums {
  std::uint64_t live_bytes = 0;
  std::uint64_t live_blocks = 0;
  std::uint64_t allocated_blocks = 0;
  std::uint64_t freed_blocks = 0;
};
Sums sums_through(const Json& report, const std::string& function);

}  // namespace seep::scenarios
