// Reads suppressions: lines of LeakSanitizer ("leak:PATTERN") and blocks of Valgrind, also both in
// one file. Stateless, safe from any thread; the text may hold anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyzer/model/result.h"
#include "analyzer/suppress/suppression.h"

namespace seep::suppress {

// A larger file, a longer line, or more of them, is no list that a person keeps.
inline constexpr std::size_t kMostBytes = 16 << 20;
inline constexpr std::size_t kMostLineBytes = 4096;
inline constexpr std::size_t kMostSuppressions = 100'000;
inline constexpr std::size_t kMostRules = 500;  // lines of one block

// `file` is named in errors and in the suppressions. Comments (#) and empty lines are skipped, and
// so are blocks of other tools than Memcheck and of other errors than leaks. An error names the
// line and what is accepted there.
Result<std::vector<Suppression>> parse(std::string_view text, const std::string& file);

// The line that silences a leak at this function, LeakSanitizer's form: "leak:open_session". What
// has a meaning in a pattern or cannot stand in a line becomes *. Empty for an empty name.
std::string line_for(std::string_view function);

}  // namespace seep::suppress
