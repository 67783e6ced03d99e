#include "analyzer/report/conclude.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "analyzer/model/figures.h"
#include "analyzer/model/theil_sen.h"
#include "analyzer/rank/judge.h"
#include "analyzer/report/lines.h"

namespace seep::report {
namespace {

using model::Accounting;
using model::format_bytes;
using model::format_hourly;

// RSS that grows by less than this in all, or by less than a twentieth, needs no explanation.
constexpr double kLeastRssGrowth = 1 << 20;
constexpr double kLeastRssShare = 0.05;
// Leaks that grow by more than this times RSS are not in RSS: they do not explain it.
constexpr double kMostShare = 1.2;
// Memory that no figure of the accounting explains, from which on the tracking is in doubt.
constexpr double kLeastUntracked = 8 << 20;

using Field = std::uint64_t Accounting::*;

std::vector<model::Moment> after_warmup(const model::Recording& recording, double warmup_s) {
  std::vector<model::Moment> moments;
  std::copy_if(recording.moments.begin(), recording.moments.end(), std::back_inserter(moments),
               [&](const model::Moment& moment) { return moment.time_s >= warmup_s; });
  return moments;
}

template <typename Figure>
std::optional<double> growth_of(const std::vector<model::Moment>& moments, Figure figure) {
  if (moments.size() < rank::kLeastSnapshots ||
      moments.back().time_s - moments.front().time_s < rank::kLeastSeconds) {
    return std::nullopt;
  }
  std::vector<double> t;
  std::vector<double> y;
  for (const model::Moment& moment : moments) {
    t.push_back(moment.time_s);
    y.push_back(static_cast<double>(figure(moment)));
  }
  return model::theil_sen_slope(t, y);
}

std::optional<double> growth_of(const std::vector<model::Moment>& moments, Field field) {
  return growth_of(moments, [&](const model::Moment& moment) { return moment.accounting.*field; });
}

// Of all processes together; 0 when it cannot be told.
double rss_growth(const model::Report& report) {
  double growth = 0;
  std::vector<model::Moment> moments;
  for (std::size_t i = 0; i < report.snapshots.size(); ++i) {
    moments.push_back(report.snapshots[i].moment);
    const bool is_last = i + 1 == report.snapshots.size() ||
                         report.snapshots[i + 1].process != report.snapshots[i].process;
    if (is_last) {
      growth += growth_of(moments, &Accounting::rss_bytes).value_or(0);
      moments.clear();
    }
  }
  return growth;
}

// What RSS can consist of beside tracked blocks, and what to do when that part grows.
struct Part {
  const char* cause;
  Field field;
  const char* what;
  const char* action;
};

constexpr std::array kParts = {
    Part{"retention", &Accounting::allocator_retained_bytes, "memory that the allocator keeps",
         "no block leaks: look at fragmentation; try malloc_trim, MALLOC_ARENA_MAX or another "
         "allocator"},
    Part{"mmap", &Accounting::mmap_bytes, "memory mapped by the program",
         "look at the suspects of kind mmap"},
    Part{"stacks", &Accounting::stack_bytes, "stacks of threads",
         "count the threads: are they joined or detached?"},
    Part{"file", &Accounting::file_bytes, "mapped files",
         "the kernel can drop these pages; usually no leak"},
    Part{"shared", &Accounting::shared_bytes, "shared memory",
         "look at shared segments and their owners"},
};

// The part that grows most, when it makes at least half of the growth of RSS.
const Part* growing_part(const std::vector<model::Moment>& moments, double rss_growth) {
  const Part* most = nullptr;
  double most_growth = rss_growth / 2;
  for (const Part& part : kParts) {
    const double growth = growth_of(moments, part.field).value_or(0);
    if (growth >= most_growth) {
      most = &part;
      most_growth = growth;
    }
  }
  return most;
}

model::Conclusion conclude_lost(const model::Report& report) {
  std::uint64_t bytes = 0;
  std::uint64_t blocks = 0;
  for (const model::Suspect& suspect : report.suspects) {
    bytes += suspect.leak ? suspect.unreachable_bytes.value_or(0) : 0;
    blocks += suspect.leak ? suspect.unreachable_blocks.value_or(0) : 0;
  }
  return {"leak",
          fmt::format("{} in {} block{} cannot be reached any more: no pointer leads to {}",
                      format_bytes(static_cast<double>(bytes)), model::format_count(blocks),
                      blocks == 1 ? "" : "s", blocks == 1 ? "it" : "them"),
          report.totals.leak_suspects == 0
              ? "nothing to do: what leaks is suppressed"
              : "read the first suspect's blamed frame: who should have released its blocks before "
                "the last pointer to them was gone?"};
}

// What its owner can do about the suspect that grows most.
std::string action_for(const model::Suspect& suspect) {
  constexpr std::uint64_t kFewBlocks = 8;
  if (suspect.verdict == "unreachable") {
    return "nothing points to these blocks any more: release them before their last pointer goes";
  }
  if (suspect.kind == model::SiteKind::kMmap) {
    return "what should unmap these maps, or bound their number?";
  }
  if (suspect.live_blocks <= kFewBlocks) {
    return "one buffer or container grows there: what should take things out of it, or bound it?";
  }
  return "what should release these blocks, or bound the container that keeps them?";
}

// The first suspect is the leak that grows most.
model::Conclusion conclude_leak(const model::Report& report) {
  const Explained explained = explained_by_leaks(report);
  std::string sentence = fmt::format("{} grows by {}: {}", explained.is_rss ? "RSS" : "live memory",
                                     format_hourly(explained.growth_bytes_per_s), explained.text);
  if (report.totals.leak_suspects == 0) {
    return {"leak", sentence, "nothing to do: what leaks is suppressed"};
  }
  if (report.suspects.empty()) {
    return {"leak", sentence, "look at the suspects"};
  }
  const model::Suspect& first = report.suspects.front();
  const std::string per_unit = per_unit_text(first);
  sentence += fmt::format("{} allocated in {}{}", report.totals.leak_suspects == 1 ? "," : ", most",
                          blamed_text(first), per_unit.empty() ? "" : ", " + per_unit);
  return {"leak", sentence, action_for(first)};
}

model::Conclusion conclude_too_short(const std::vector<model::Moment>& moments) {
  const bool few = moments.size() < rank::kLeastSnapshots;
  return {"unknown",
          fmt::format("{} to judge growth: at least {} snapshots over {} are needed",
                      few ? "too few snapshots" : "too short a time", rank::kLeastSnapshots,
                      model::format_duration(rank::kLeastSeconds)),
          few ? "run longer, or take snapshots more often (SEEP_INTERVAL)" : "run longer"};
}

bool matters(const std::vector<model::Moment>& moments, double growth) {
  const double gained = growth * (moments.back().time_s - moments.front().time_s);
  const auto rss = static_cast<double>(moments.back().accounting.rss_bytes);
  return gained >= kLeastRssGrowth && gained >= kLeastRssShare * rss;
}

model::Conclusion conclude_rss_growth(const std::vector<model::Moment>& moments, double growth) {
  if (const Part* part = growing_part(moments, growth)) {
    return {part->cause,
            fmt::format("RSS grows by {}, and it is {}", format_hourly(growth), part->what),
            part->action};
  }
  const double tracked = growth_of(moments, &Accounting::tracked_live_bytes).value_or(0);
  if (tracked >= growth / 2) {
    return {"unknown",
            fmt::format("live memory grows by {}, but no call path could be judged a leak",
                        format_hourly(tracked)),
            "run longer; the sentence of each suspect names what would decide"};
  }
  return {"unknown",
          fmt::format("RSS grows by {}, and no tracked memory does", format_hourly(growth)),
          "look at accounting: which part grows?"};
}

// Little of what could be tracked was: another allocator is at work.
std::optional<std::string> untracked_note(const model::Recording& recording) {
  const Accounting& at = recording.moments.back().accounting;
  const auto other = static_cast<double>(at.other_bytes);
  const double own = static_cast<double>(at.rss_bytes) - static_cast<double>(at.file_bytes) -
                     static_cast<double>(at.shared_bytes) - static_cast<double>(at.tracker_bytes);
  if (other < kLeastUntracked || other < own / 2) {
    return std::nullopt;
  }
  return fmt::format(
      "{}: less than half of the program's own memory is tracked ({} of {} are not): an allocator "
      "of its own (Go, a JVM, a custom pool) takes it from the kernel",
      recording.id, format_bytes(other), format_bytes(own));
}

bool saw_nothing(const model::Recording& recording) {
  return std::all_of(recording.sites.begin(), recording.sites.end(), [](const auto& site) {
    return site.at.back().allocated_blocks == 0 && site.at.back().live_blocks == 0;
  });
}

}  // namespace

const model::Recording& main_recording(const std::vector<model::Recording>& recordings) {
  const auto importance = [](const model::Recording& recording) {
    return std::pair(recording.process.started_directly, recording.moments.back().time_s);
  };
  return *std::max_element(recordings.begin(), recordings.end(), [&](const auto& a, const auto& b) {
    return importance(a) < importance(b);
  });
}

Explained explained_by_leaks(const model::Report& report) {
  double leaked = 0;
  for (const model::Suspect& suspect : report.suspects) {
    leaked += suspect.leak ? suspect.growth_bytes_per_s.value_or(0) : 0;
  }
  const double rss = rss_growth(report);
  const bool is_rss = rss > 0 && leaked <= kMostShare * rss;
  const double growth =
      is_rss ? rss : std::max(leaked, report.totals.growth_bytes_per_s.value_or(0));
  const double percent = growth > 0 ? std::min(100 * leaked / growth, 100.0) : 100;
  const unsigned suppressed = report.totals.suppressed_suspects;
  const unsigned leaks = report.totals.leak_suspects + suppressed;
  return {leaked > 0, is_rss, growth,
          fmt::format("{:.0f} % explained by {} leak{}{}", percent, leaks, leaks == 1 ? "" : "s",
                      suppressed == 0 ? "" : fmt::format(" ({} suppressed)", suppressed))};
}

model::Totals total_of(const std::vector<model::Recording>& recordings) {
  model::Totals totals;
  for (const model::Recording& recording : recordings) {
    const model::Moment& last = recording.moments.back();
    totals.live_bytes += last.live_bytes;
    totals.live_blocks += last.live_blocks;
    if (last.live_bytes_error) {
      totals.live_bytes_error =
          std::hypot(totals.live_bytes_error.value_or(0), *last.live_bytes_error);
    }
    const auto growth =
        growth_of(recording.moments, [](const model::Moment& moment) { return moment.live_bytes; });
    if (growth) {
      totals.growth_bytes_per_s = totals.growth_bytes_per_s.value_or(0) + *growth;
    }
  }
  return totals;
}

model::Conclusion conclude(const model::Report& report,
                           const std::vector<model::Recording>& recordings,
                           const rank::Options& options) {
  const bool leaks = report.totals.leak_suspects + report.totals.suppressed_suspects != 0;
  if (leaks && explained_by_leaks(report).leaks_grow) {
    return conclude_leak(report);
  }
  const auto moments = after_warmup(main_recording(recordings), options.warmup_s);
  const auto growth = growth_of(moments, &Accounting::rss_bytes);
  if (growth && matters(moments, *growth)) {
    return conclude_rss_growth(moments, *growth);
  }
  if (leaks) {
    return conclude_lost(report);
  }
  if (!growth) {
    return conclude_too_short(moments);
  }
  return {"none", "no call path grows, and RSS does not either", "nothing to do"};
}

std::vector<std::string> notes_on(const std::vector<model::Recording>& recordings) {
  std::vector<std::string> notes;
  for (const model::Recording& recording : recordings) {
    const bool is_whole = !recording.process.began_late && !recording.process.was_paused;
    if (!is_whole) {
      notes.push_back(fmt::format(
          "{}: recording {}: what was allocated {} is not in the figures", recording.id,
          recording.process.began_late ? "began later than the program" : "was paused",
          recording.process.began_late && recording.process.was_paused ? "before, and in pauses,"
          : recording.process.began_late                               ? "before"
                                                                       : "in pauses"));
    } else if (saw_nothing(recording)) {
      notes.push_back(fmt::format(
          "{}: no call of an allocator was seen: a program with an allocator of its own (Go, a "
          "JVM), or linked statically",
          recording.id));
    } else if (auto note = untracked_note(recording)) {
      notes.push_back(std::move(*note));
    }
    for (const std::string& skipped : recording.skipped) {
      notes.push_back("left out: " + skipped);
    }
  }
  return notes;
}

}  // namespace seep::report
