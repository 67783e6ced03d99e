#include "tests/unit/report/fixture.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace seep::report {
namespace {

constexpr int kSeconds = 60;

model::SiteHistory burst() {
  model::SiteHistory site;
  site.node = 4;
  site.at.assign(kSeconds + 1, {1 << 20, 16, 1 << 20, 16});
  site.ages.push_back({10, 16, 1 << 20});
  site.oldest_ms = 60'000;
  return site;
}

model::Stacks stacks() {
  model::Stacks result;
  result.modules.emplace_back();
  result.modules.push_back({"/opt/app/server", "0123456789abcdef", 0x1000, 0x1000, 0x9000, false});
  result.nodes.emplace_back();
  const auto add = [&](std::uint64_t offset, std::uint32_t parent) {
    model::Node node;
    node.offset = offset;
    node.parent = parent;
    node.module = 1;
    result.nodes.push_back(node);
  };
  add(0x1100, 0);  // 1: main
  add(0x1200, 1);  // 2: serve
  add(0x1300, 2);  // 3 to 5: the sites
  add(0x1400, 2);
  add(0x1500, 2);
  return result;
}

// The age class of a block: classes end at 64 ms · 2^k.
std::uint32_t age_class(double age) {
  std::uint32_t k = 0;
  while (0.064 * static_cast<double>(1U << k) < age) {
    ++k;
  }
  return k;
}

}  // namespace

model::SiteHistory growing_site(std::uint64_t bytes_a_second) {
  model::SiteHistory site;
  const std::uint64_t blocks = bytes_a_second / 64;
  for (std::uint64_t t = 0; t <= kSeconds; ++t) {
    site.at.push_back({t * blocks * 64, t * blocks, t * blocks * 64, t * blocks});
  }
  // Ages of blocks that came evenly: classes of 64 ms · 2^k.
  double younger = 0;
  for (std::uint32_t k = 0; younger < kSeconds; ++k) {
    const double until = std::min<double>(kSeconds, 0.064 * static_cast<double>(1U << k));
    const auto count = static_cast<std::uint64_t>((until - younger) * static_cast<double>(blocks));
    site.ages.push_back({k, count, count * 64});
    younger = until;
  }
  site.oldest_ms = 59'000;
  return site;
}

model::SiteHistory steady_site() {
  model::SiteHistory site;
  for (std::uint64_t t = 0; t <= kSeconds; ++t) {
    site.at.push_back({6400, 100, 6400 * (t + 1), 100 * (t + 1)});
  }
  site.ages.push_back({1, 100, 6400});
  return site;
}

model::SiteHistory site_of_births(const std::vector<double>& births) {
  model::SiteHistory site;
  for (int t = 0; t <= kSeconds; ++t) {
    const auto born = static_cast<std::uint64_t>(
        std::count_if(births.begin(), births.end(), [&](double birth) { return birth <= t; }));
    site.at.push_back({born * 64, born, born * 64, born});
  }
  std::map<std::uint32_t, std::uint64_t> blocks;  // by age class
  for (const double birth : births) {
    ++blocks[age_class(kSeconds - birth)];
    site.oldest_ms =
        std::max(site.oldest_ms, static_cast<std::uint64_t>(1000 * (kSeconds - birth)));
  }
  for (const auto& [age, count] : blocks) {
    site.ages.push_back({age, count, count * 64});
  }
  return site;
}

model::Recording recording_with_leak(std::uint32_t pid, std::uint64_t leak_bytes) {
  model::Recording recording;
  recording.id = fmt::format("server.{}", pid);
  recording.path = "/var/seep/" + recording.id;
  recording.process.run_id = 0xABCDEF;
  recording.process.started_unix_ns = 1'700'000'000'123'000'000ULL;
  recording.process.pid = pid;
  recording.process.parent_pid = 1;
  recording.process.exe = "/opt/app/server";
  recording.process.host = "box";
  recording.process.command = {"server", "--port", "80"};
  recording.end.how = model::EndInfo::How::kExit;
  recording.end.status = 0;
  recording.stacks = stacks();
  recording.sites = {burst(), steady_site(), growing_site(leak_bytes)};
  recording.sites[1].node = 5;
  recording.sites[2].node = 3;
  for (std::size_t i = 0; i <= kSeconds; ++i) {
    model::Moment moment;
    moment.file = fmt::format("snapshot-{:06}.seep", i + 1);
    moment.sequence = static_cast<std::uint32_t>(i + 1);
    moment.time_s = static_cast<double>(i);
    for (const model::SiteHistory& site : recording.sites) {
      moment.live_bytes += site.at[i].live_bytes;
      moment.live_blocks += site.at[i].live_blocks;
    }
    moment.accounting.rss_bytes = 4'000'000 + moment.live_bytes;
    moment.accounting.tracked_live_bytes = moment.live_bytes;
    moment.accounting.file_bytes = 3'000'000;
    recording.moments.push_back(moment);
  }
  return recording;
}

model::ReportFrame frame(const char* function, const char* file, unsigned line,
                         const char* module) {
  model::ReportFrame result;
  result.function = function;
  if (file != nullptr) {
    result.file = file;
    result.line = line;
  }
  result.module = module;
  result.offset = 0x1234;
  return result;
}

model::Report report_with_leak() {
  model::Report report;
  const model::Recording recording = recording_with_leak(4711, 6400);
  report.processes.push_back({recording.id, recording.process, recording.end, 6180});
  for (const model::Moment& moment : recording.moments) {
    report.snapshots.push_back({recording.id, moment});
  }
  report.accounting = recording.moments.back().accounting;
  report.totals.live_bytes = 31'200'000;
  report.totals.live_blocks = 104'112;
  report.totals.leak_suspects = 1;
  report.conclusion = {"leak", "one call path grows", "read the blamed frame"};
  model::Suspect suspect;
  suspect.rank = 1;
  suspect.id = "0123456789abcdef";
  suspect.leak = true;
  suspect.behaviour = model::Behaviour::kGrowing;
  suspect.verdict = "growing";
  suspect.why = "grew in 52 of 53 intervals; 3 of 104,115 blocks freed";
  suspect.live_bytes = 31'200'000;
  suspect.live_blocks = 104'112;
  suspect.growth_bytes_per_s = 18.1e6 / 3600;
  suspect.growth_range = model::Range{17.7e6 / 3600, 18.5e6 / 3600};
  suspect.series_bytes.resize(report.snapshots.size());
  suspect.series_blocks.resize(report.snapshots.size());
  suspect.stack = {frame("open_session", "src/session.cpp", 88),
                   frame("handle_request", "src/http.cpp", 214)};
  suspect.paths = {{suspect.live_bytes, suspect.live_blocks, suspect.stack}};
  report.suspects.push_back(suspect);
  return report;
}

}  // namespace seep::report
