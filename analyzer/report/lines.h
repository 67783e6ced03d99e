// Pieces of text that several printers share. All strings from recordings come out printable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "analyzer/model/report.h"

namespace seep::report {

// "open_session  src/session.cpp:88"; "near strlen (libfoo.so+0x12)"; "libfoo.so+0x12".
std::string frame_text(const model::ReportFrame& frame);

// The blamed frame.
std::string blamed_text(const model::Suspect& suspect);

// The blamed frame and the one that called it: "open_session  a.cpp:88  <- handle  b.cpp:214".
std::string blame_text(const model::Suspect& suspect);

// "called from ChannelLeaker::onMessage  worker.php:17": the first frame of the user's own code,
// where that is not the blamed one; else empty.
std::string user_frame_text(const model::Suspect& suspect);

// "called from ChannelLeaker::onMessage  worker.php:17: 664 KB in 5,605 blocks of #1, #2, #4".
std::string user_line_text(const model::UserLine& line);

// "one block of 1,310,720 B after 11 doublings at BodyCache::remember  worker.php:9".
std::string container_text(const model::Container& container);

// "server[4711] 1 h 43 m, exit 0, 54 snapshots, nothing lost".
std::string run_text(const model::Report& report);

// "+18.1 MB/h (17.7–18.5)", or nothing for a site that does not grow.
std::string growth_text(const model::Suspect& suspect);

// "; the call paths explain 95 % of the RSS of 212 MB": what live blocks and maps are of it.
std::string explained_share_text(const model::Report& report);

// "+312 B/request", or nothing where no work was counted.
std::string per_unit_text(const model::Suspect& suspect);

// "At this rate 512M (cgroup) is reached in 15 h 50 m (15.3–16.4 h) = 960,000 requests.", or
// nothing where none is, or in more than ten years.
std::string limit_text(const model::Report& report);

// "31.2 MB in 104,112 blocks"; "31.2 MB ± 4.0 in about 104,112 blocks" where it was sampled.
std::string live_text(std::uint64_t bytes, const std::optional<double>& error,
                      std::uint64_t blocks);

// "growing  +18.1 MB/h (…)  31.2 MB in 104,112 blocks  in 3 of 16 processes".
std::string suspect_text(const model::Suspect& suspect);

// "held by g_sessions (server) -> std::map node from add a.cpp:8", with the share where others hold
// some of it too; empty where nobody does or nobody knows.
std::string held_text(const model::Suspect& suspect);

// "48.0 KB unreachable at exit", "nothing unreachable at exit", "scan not complete: …"; empty where
// no scan was made.
std::string scan_text(const model::Report& report);

// "2 suppressed", and a line for each suppression that silenced nothing; empty without any.
std::string suppressions_text(const model::Report& report);

// "nothing lost", or "lost: 12 missed_free".
std::string losses_text(const model::Report& report);

// The process that stands for the run; the report has at least one.
const model::ReportProcess& main_process(const model::Report& report);

}  // namespace seep::report
