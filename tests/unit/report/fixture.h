// A small run with one leak, one burst and one steady site, without any file behind it.
#pragma once

#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/report.h"

namespace seep::report {

// One process of the program /opt/app/server, watched for 60 s at 61 snapshots. Sites under three
// stacks of three frames: a leak of `leak_bytes` a second in blocks of 64 bytes, one burst of 1 MB,
// a turnover.
model::Recording recording_with_leak(std::uint32_t pid, std::uint64_t leak_bytes);

// The histories in it, with blocks of 64 bytes over the same 61 moments; `node` is to be set.
model::SiteHistory growing_site(std::uint64_t bytes_a_second);
model::SiteHistory steady_site();

// A block of 64 bytes at each of these seconds (0 to 60), kept for ever.
model::SiteHistory site_of_births(const std::vector<double>& births);

// A named frame.
model::ReportFrame frame(const char* function, const char* file, unsigned line,
                         const char* module = "/opt/app/server");

// A report as build_report makes it, with names.
model::Report report_with_leak();

}  // namespace seep::report
