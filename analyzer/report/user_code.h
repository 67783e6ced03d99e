// Which frames of scripts are the user's own code: not those of packages or of the language.
#pragma once

#include <optional>
#include <string_view>

#include "analyzer/model/report.h"

namespace seep::report {

// False for what lies under a folder of packages (vendor, site-packages, dist-packages,
// node_modules, share/php), in Python's own library, in a Swoole extension, and for what is no file
// ("<string>", "node:internal/fs").
bool is_user_file(std::string_view path);

// A script's frame in a file of the user's. Native frames never are: nothing tells whose they are.
bool is_user_frame(const model::ReportFrame& frame);

// Index of the first such frame from the blamed one outward, which it may be itself.
std::optional<unsigned> user_frame(const model::ReportStack& stack, unsigned blame);

// Adds the line of `frame` with what a path keeps to `lines`; lines stay in the order of coming.
void add_user_line(std::vector<model::UserLine>& lines, const model::ReportFrame& frame,
                   std::uint64_t live_bytes, std::uint64_t live_blocks);

// Lines that two or more of the leaks have in common, the one with most bytes first: what packages
// do for one line of the user's is scattered over their code.
std::vector<model::UserLine> shared_user_lines(const std::vector<model::Suspect>& suspects);

}  // namespace seep::report
