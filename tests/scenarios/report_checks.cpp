#include "tests/scenarios/report_checks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace seep::scenarios {
namespace {

using Names = std::vector<const char*>;

const Names kReportFields = {"schema",     "processes", "process",     "snapshots",
                             "accounting", "losses",    "totals",      "scan",
                             "conclusion", "suspects",  "suppressions"};
const Names kProcessFields = {"id",         "pid",  "host_pid",     "parent_pid", "uid",
                              "host",       "run",  "exe",          "command",    "started",
                              "duration_s", "mode", "sample_bytes", "end"};
const Names kEndFields = {"how", "status", "signal", "function"};
const Names kSnapshotFields = {"process", "file",       "time_s",      "trigger",   "mark",
                               "units",   "live_bytes", "live_blocks", "rss_bytes", "accounting"};
const Names kAccountingFields = {"rss_bytes",    "tracked_live_bytes", "allocator_retained_bytes",
                                 "mmap_bytes",   "stack_bytes",        "file_bytes",
                                 "shared_bytes", "tracker_bytes",      "other_bytes"};
const Names kTotalsFields = {"live_bytes",
                             "live_bytes_error",
                             "live_blocks",
                             "growth_bytes_per_s",
                             "unreachable_bytes",
                             "leak_suspects",
                             "suppressed_suspects",
                             "rows_omitted",
                             "smallest_leak_seen_bytes_per_h",
                             "limit"};
const Names kConclusionFields = {"cause", "sentence", "action"};
const Names kSuspectFields = {"rank",
                              "id",
                              "leak",
                              "verdict",
                              "behaviour",
                              "recurring",
                              "confidence",
                              "why",
                              "kind",
                              "live_bytes",
                              "live_bytes_error",
                              "live_blocks",
                              "allocated_blocks",
                              "freed_blocks",
                              "growth_bytes_per_s",
                              "growth_bytes_per_s_range",
                              "growth_from_s",
                              "growth_bytes_per_unit",
                              "unreachable_bytes",
                              "unreachable_blocks",
                              "unreachable_direct_bytes",
                              "oldest_s",
                              "suppressed_by",
                              "workers",
                              "held_by",
                              "series",
                              "blame",
                              "sites",
                              "paths",
                              "paths_omitted",
                              "stack"};
const Names kFrameFields = {"function", "file",    "line",      "module",  "build_id",
                            "offset",   "inlined", "heuristic", "language"};

const std::set<std::string> kTriggers = {"start", "interval", "request", "signal", "api", "mark",
                                         "limit", "fork",     "exec",    "crash",  "exit"};
const std::set<std::string> kBehaviours = {"growing",  "plateau", "sawtooth",
                                           "one-time", "steady",  "unknown"};
const std::set<std::string> kKinds = {"heap", "mmap", "fd", "thread"};
const std::set<std::string> kCauses = {"leak", "retention", "mmap", "stacks",
                                       "file", "shared",    "none", "unknown"};
const std::set<std::string> kEnds = {"exit", "signal", "exec", "lost", "running"};

void expect_fields(const Json& object, const Names& names, const std::string& where) {
  for (const char* name : names) {
    EXPECT_TRUE(object.contains(name)) << where << " has no field " << name;
  }
}

void expect_one_of(const Json& value, const std::set<std::string>& known,
                   const std::string& where) {
  ASSERT_TRUE(value.is_string()) << where;
  EXPECT_EQ(known.count(value.get<std::string>()), 1U) << where << " is " << value;
}

void expect_complete_stack(const Json& stack, const std::string& where) {
  for (const Json& frame : stack) {
    expect_fields(frame, kFrameFields, where);
    const std::string module = frame.value("module", "");
    EXPECT_EQ(module.find("libseep.so"), std::string::npos) << "a frame of seep in " << where;
  }
}

void expect_complete_suspect(const Json& suspect) {
  const std::string where = "suspect " + suspect.value("id", "?");
  expect_fields(suspect, kSuspectFields, where);
  expect_one_of(suspect.at("behaviour"), kBehaviours, where + " behaviour");
  expect_one_of(suspect.at("kind"), kKinds, where + " kind");
  if (const Json& workers = suspect.at("workers"); !workers.is_null()) {
    expect_fields(workers, {"seen", "of"}, where);
  }
  expect_fields(suspect.at("series"), {"live_bytes", "live_blocks"}, where);
  expect_complete_stack(suspect.at("stack"), where);
  EXPECT_FALSE(suspect.at("why").get<std::string>().empty()) << where;
  EXPECT_EQ(suspect.at("id").get<std::string>().size(), 16U) << where;
}

void expect_consistent_suspect(const Json& suspect, std::size_t snapshots) {
  const std::string where =
      "suspect " + suspect.value("id", "?") + ", " + functions_of(suspect.at("stack"));
  EXPECT_EQ(suspect.at("series").at("live_bytes").size(), snapshots) << where;
  EXPECT_EQ(suspect.at("series").at("live_blocks").size(), snapshots) << where;
  EXPECT_LT(suspect.at("blame").get<std::size_t>(),
            std::max<std::size_t>(suspect.at("stack").size(), 1))
      << where;
  EXPECT_GE(suspect.at("sites").get<unsigned>(), 1U) << where;
  std::uint64_t path_bytes = 0;
  for (const Json& path : suspect.at("paths")) {
    path_bytes += path.at("live_bytes").get<std::uint64_t>();
  }
  EXPECT_LE(path_bytes, suspect.at("live_bytes").get<std::uint64_t>()) << where;
}

// Live figures of the last snapshot of each process, together.
std::uint64_t last_live_bytes(const Json& report) {
  std::map<std::string, std::uint64_t> last;
  for (const Json& snapshot : report.at("snapshots")) {
    last[snapshot.at("process").get<std::string>()] =
        snapshot.at("live_bytes").get<std::uint64_t>();
  }
  std::uint64_t sum = 0;
  for (const auto& [process, bytes] : last) {
    sum += bytes;
  }
  return sum;
}

void expect_leaks_first(const Json& suspects) {
  bool seen_clean = false;
  unsigned rank = 0;
  for (const Json& suspect : suspects) {
    EXPECT_EQ(suspect.at("rank").get<unsigned>(), ++rank);
    EXPECT_FALSE(seen_clean && suspect.at("leak").get<bool>()) << "a leak below a row that is none";
    seen_clean = seen_clean || !suspect.at("leak").get<bool>();
  }
}

}  // namespace

void expect_complete(const Json& report) {
  expect_fields(report, kReportFields, "report");
  EXPECT_EQ(report.value("schema", ""), "seep.report/1");
  expect_fields(report.at("accounting"), kAccountingFields, "accounting");
  expect_fields(report.at("totals"), kTotalsFields, "totals");
  expect_fields(report.at("conclusion"), kConclusionFields, "conclusion");
  expect_one_of(report.at("conclusion").at("cause"), kCauses, "conclusion.cause");
  EXPECT_EQ(report.at("process").is_null(), report.at("processes").size() != 1);
  for (const Json& process : report.at("processes")) {
    expect_fields(process, kProcessFields, "process");
    expect_fields(process.at("end"), kEndFields, "process.end");
    expect_one_of(process.at("end").at("how"), kEnds, "process.end.how");
  }
  for (const Json& snapshot : report.at("snapshots")) {
    expect_fields(snapshot, kSnapshotFields, "snapshot");
    expect_fields(snapshot.at("accounting"), kAccountingFields, "snapshot.accounting");
    expect_one_of(snapshot.at("trigger"), kTriggers, "snapshot.trigger");
  }
  for (const Json& suspect : report.at("suspects")) {
    expect_complete_suspect(suspect);
  }
}

void expect_consistent(const Json& report) {
  const std::size_t snapshots = report.at("snapshots").size();
  std::uint64_t suspect_bytes = 0;
  unsigned leaks = 0;
  for (const Json& suspect : report.at("suspects")) {
    expect_consistent_suspect(suspect, snapshots);
    suspect_bytes += suspect.at("live_bytes").get<std::uint64_t>();
    leaks += suspect.at("leak").get<bool>() && suspect.at("suppressed_by").is_null() ? 1 : 0;
  }
  expect_leaks_first(report.at("suspects"));
  const Json& totals = report.at("totals");
  EXPECT_EQ(totals.at("leak_suspects").get<unsigned>(), leaks);
  EXPECT_EQ(totals.at("rows_omitted").get<unsigned>(), 0U) << "--top 0 gives every row";
  EXPECT_EQ(totals.at("live_bytes").get<std::uint64_t>(), suspect_bytes);
  EXPECT_EQ(totals.at("live_bytes").get<std::uint64_t>(), last_live_bytes(report));
}

void expect_nothing_lost(const Json& report) {
  for (const auto& [name, count] : report.at("losses").items()) {
    EXPECT_EQ(count.get<std::uint64_t>(), 0U) << "lost: " << name;
  }
}

bool passes_through(const Json& stack, const std::string& function) {
  return std::any_of(stack.begin(), stack.end(), [&](const Json& frame) {
    if (!frame.at("function").is_string()) {
      return false;
    }
    // A demangled name may carry a namespace and parameters around the plain name.
    const std::string name = frame.at("function").get<std::string>();
    const std::size_t at = name.find(function);
    if (at == std::string::npos) {
      return false;
    }
    const std::size_t end = at + function.size();
    const bool starts = at == 0 || name[at - 1] == ':' || name[at - 1] == ' ';
    return starts &&
           (end == name.size() || std::string("(<[ .").find(name[end]) != std::string::npos);
  });
}

std::vector<Json> suspects_through(const Json& report, const std::string& function) {
  std::vector<Json> found;
  for (const Json& suspect : report.at("suspects")) {
    const Json& paths = suspect.at("paths");
    if (passes_through(suspect.at("stack"), function) ||
        std::any_of(paths.begin(), paths.end(),
                    [&](const Json& path) { return passes_through(path.at("stack"), function); })) {
      found.push_back(suspect);
    }
  }
  return found;
}

std::string functions_of(const Json& stack) {
  std::string text;
  for (const Json& frame : stack) {
    const Json& function = frame.at("function");
    text += (text.empty() ? "" : " < ") +
            (function.is_string() ? function.get<std::string>() : frame.at("offset").dump());
  }
  return text;
}

Sums sums_through(const Json& report, const std::string& function) {
  Sums sums;
  for (const Json& suspect : suspects_through(report, function)) {
    sums.live_bytes += suspect.at("live_bytes").get<std::uint64_t>();
    sums.live_blocks += suspect.at("live_blocks").get<std::uint64_t>();
    sums.allocated_blocks += suspect.at("allocated_blocks").get<std::uint64_t>();
    sums.freed_blocks += suspect.at("freed_blocks").get<std::uint64_t>();
  }
  return sums;
}

}  // namespace seep::scenarios
