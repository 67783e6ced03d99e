// The figures of a running process as a text file for Prometheus' node_exporter (SEEP_METRICS).
// Context: IN-AGENT.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/agent/identity.h"
#include "preload/agent/limit_watch.h"
#include "preload/runtime/text.h"

namespace seep::agent {

struct Figures {
  std::uint64_t updated_s = 0;  // since 1970
  std::uint64_t rss_bytes = 0;
  bool is_recording = false;
  // Of the last snapshot; 0 snapshots: there is none yet.
  std::uint32_t snapshots = 0;
  std::uint64_t live_bytes = 0;
  std::uint64_t live_blocks = 0;
  // Thousandths of a byte a second; where `growth_is_known`.
  bool growth_is_known = false;
  std::int64_t growth_milli = 0;
  std::uint64_t lost_events = 0;
  struct Limit {
    std::uint64_t bytes = 0;  // 0: none
    bool is_passed = false;
    std::uint32_t crossings = 0;
  } limits[kLimitCount];
};

using MetricsText = runtime::Text<32768>;

// Prometheus' text format, version 0.0.4.
void format_metrics(const Figures& figures, const Identity& identity, MetricsText& text);

// "seep-HOST-EXE.PID.prom" in `directory`: one process, one file, also where containers share it.
runtime::Path metrics_path(std::string_view directory, const Identity& identity);

// Writes it anew beside the file and puts it in its place; readable for all. 0 or the error.
int write_metrics(const runtime::Path& path, const MetricsText& text);
void remove_metrics(const runtime::Path& path);

}  // namespace seep::agent
