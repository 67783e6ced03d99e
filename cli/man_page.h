// The manual page, out of the same declarations that --help prints.
#pragma once

#include <CLI/App.hpp>
#include <string>

namespace seep::cli {

// seep(1) in the man(7) macros.
std::string manual(const CLI::App& app);

}  // namespace seep::cli
