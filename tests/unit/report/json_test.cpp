// The JSON against the list of fields in the contract.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "analyzer/report/print.h"
#include "tests/unit/report/fixture.h"

namespace seep::report {
namespace {

using Json = nlohmann::json;
using Names = std::set<std::string>;

Names names_of(const Json& object) {
  Names names;
  for (const auto& [name, value] : object.items()) {
    names.insert(name);
  }
  return names;
}

// Every field of the contract is there; new ones may be added.
void expect_fields(const Json& object, const Names& wanted, const char* what) {
  const Names found = names_of(object);
  for (const std::string& name : wanted) {
    EXPECT_TRUE(found.contains(name)) << what << " has no field " << name;
  }
}

const Names kFrame = {"function", "file",    "line",      "module",  "build_id",
                      "offset",   "inlined", "heuristic", "language"};

TEST(Json, HasEveryFieldOfTheContract) {
  const Json json = Json::parse(to_json(report_with_leak()));
  EXPECT_EQ(json["schema"], "seep.report/1");
  expect_fields(json,
                {"schema", "processes", "process", "snapshots", "accounting", "losses", "totals",
                 "work", "scan", "conclusion", "suspects", "suppressions"},
                "the report");
  expect_fields(json["processes"][0],
                {"id", "pid", "host_pid", "parent_pid", "uid", "host", "run", "exe", "command",
                 "started", "duration_s", "mode", "sample_bytes", "end"},
                "a process");
  expect_fields(json["process"]["end"], {"how", "status", "signal", "function"}, "an end");
  expect_fields(json["snapshots"][0],
                {"process", "file", "time_s", "trigger", "mark", "units", "live_bytes",
                 "live_bytes_error", "live_blocks", "rss_bytes", "accounting"},
                "a snapshot");
  const Names accounting = {"rss_bytes",    "tracked_live_bytes", "allocator_retained_bytes",
                            "mmap_bytes",   "stack_bytes",        "file_bytes",
                            "shared_bytes", "tracker_bytes",      "other_bytes"};
  expect_fields(json["accounting"], accounting, "accounting");
  expect_fields(json["snapshots"][0]["accounting"], accounting, "accounting of a snapshot");
  expect_fields(json["totals"],
                {"live_bytes", "live_bytes_error", "live_blocks", "growth_bytes_per_s",
                 "unreachable_bytes", "leak_suspects", "suppressed_suspects", "rows_omitted",
                 "smallest_leak_seen_bytes_per_h", "limit"},
                "totals");
  expect_fields(json["conclusion"], {"cause", "sentence", "action"}, "the conclusion");
}

TEST(Json, HasEveryFieldOfASuspect) {
  const Json json = Json::parse(to_json(report_with_leak()));
  const Json& suspect = json["suspects"][0];
  expect_fields(suspect,
                {"rank",
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
                 "stack"},
                "a suspect");
  expect_fields(suspect["series"], {"live_bytes", "live_blocks"}, "a series");
  EXPECT_EQ(suspect["series"]["live_bytes"].size(), json["snapshots"].size());
  expect_fields(suspect["paths"][0], {"live_bytes", "live_blocks", "stack"}, "a path");
  expect_fields(suspect["stack"][0], kFrame, "a frame");
}

TEST(Json, WhatIsNotKnownIsNull) {
  const Json json = Json::parse(to_json(report_with_leak()));
  EXPECT_TRUE(json["scan"].is_null());
  EXPECT_TRUE(json["totals"]["limit"].is_null());
  EXPECT_TRUE(json["process"]["host_pid"].is_null());
  EXPECT_TRUE(json["process"]["sample_bytes"].is_null());
  for (const char* name :
       {"confidence", "unreachable_bytes", "held_by", "workers", "growth_bytes_per_unit"}) {
    EXPECT_TRUE(json["suspects"][0][name].is_null()) << name;
  }
}

TEST(Json, ErrorsAreGivenWhereFiguresAreEstimates) {
  model::Report report = report_with_leak();
  EXPECT_TRUE(Json::parse(to_json(report))["suspects"][0]["live_bytes_error"].is_null());
  report.processes[0].info.mode = model::Mode::kSample;
  report.processes[0].info.sample_bytes = 65536;
  report.suspects[0].live_bytes_error = 4e6;
  report.totals.live_bytes_error = 5e6;
  report.snapshots[0].moment.live_bytes_error = 6e6;
  const Json json = Json::parse(to_json(report));
  EXPECT_EQ(json["process"]["mode"], "sample");
  EXPECT_EQ(json["process"]["sample_bytes"], 65536);
  EXPECT_EQ(json["suspects"][0]["live_bytes_error"], 4e6);
  EXPECT_EQ(json["totals"]["live_bytes_error"], 5e6);
  EXPECT_EQ(json["snapshots"][0]["live_bytes_error"], 6e6);
}

TEST(Json, ValuesAreThoseOfTheReport) {
  const Json json = Json::parse(to_json(report_with_leak()));
  EXPECT_EQ(json["process"]["started"], "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(json["process"]["run"], "0000000000abcdef");
  EXPECT_EQ(json["process"]["command"], Json({"server", "--port", "80"}));
  EXPECT_EQ(json["process"]["end"]["status"], 0);
  EXPECT_EQ(json["suspects"][0]["live_blocks"], 104'112);
  EXPECT_EQ(json["suspects"][0]["stack"][0]["offset"], "0x1234");
  EXPECT_EQ(json["suspects"][0]["stack"][0]["line"], 88);
  EXPECT_LT(json["suspects"][0]["growth_bytes_per_s_range"][0],
            json["suspects"][0]["growth_bytes_per_s_range"][1]);
}

TEST(Json, ListsAreThereWhenTheyAreEmpty) {
  const Json json = Json::parse(to_json(model::Report{}));
  EXPECT_TRUE(json["suspects"].is_array());
  EXPECT_TRUE(json["processes"].is_array());
  EXPECT_TRUE(json["snapshots"].is_array());
  EXPECT_TRUE(json["losses"].is_object());
  EXPECT_TRUE(json["process"].is_null());
}

TEST(Json, SeveralProcessesHaveNoSingleOne) {
  model::Report report = report_with_leak();
  report.processes.push_back(report.processes[0]);
  report.suspects[0].workers_seen = 1;
  report.suspects[0].workers_of = 2;
  const Json json = Json::parse(to_json(report));
  EXPECT_TRUE(json["process"].is_null());
  EXPECT_EQ(json["suspects"][0]["workers"], Json({{"seen", 1}, {"of", 2}}));
}

TEST(Json, HostileNamesStayValidJsonOfPlainCharacters) {
  model::Report report = report_with_leak();
  report.processes[0].info.exe = "/tmp/\x1b[2J\xff\xc3(\n\"x";
  report.suspects[0].stack[0].function = std::string("f\0g\x9b", 4);
  const std::string text = to_json(report);
  const Json json = Json::parse(text);
  EXPECT_EQ(json["process"]["exe"].get<std::string>().substr(0, 9), "/tmp/\x1b[2J");
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    ASSERT_TRUE(byte == '\n' || (byte >= 0x20 && byte < 0x7F)) << "byte " << unsigned{byte};
  }
}

TEST(Json, NamesThatNeedEscapesReadAsTheyWere) {
  model::Report report = report_with_leak();
  model::ReportFrame& frame = report.suspects[0].stack[0];
  frame.function = "operator\"\"_km(\\, \xc3\xa9)";
  frame.file.reset();
  frame.line.reset();
  frame.inlined = true;
  const Json json = Json::parse(to_json(report));
  EXPECT_EQ(json["suspects"][0]["stack"][0]["function"], *frame.function);
  EXPECT_TRUE(json["suspects"][0]["stack"][0]["file"].is_null());
  EXPECT_TRUE(json["suspects"][0]["stack"][0]["line"].is_null());
  EXPECT_EQ(json["suspects"][0]["stack"][0]["inlined"], true);
  EXPECT_EQ(json["suspects"][0]["stack"][0]["language"], "native");
}

TEST(DiffJson, HasEveryFieldOfTheContract) {
  model::Diff diff;
  diff.old_path = "a";
  diff.new_path = "b";
  diff.basis = model::DiffBasis::kPerSecond;
  model::DiffRow row;
  row.id = "0123456789abcdef";
  row.change = model::Change::kAppeared;
  row.stack = {frame("f", "f.cpp", 1)};
  diff.rows.push_back(row);
  const Json json = Json::parse(to_json(diff, 10));
  EXPECT_EQ(json["schema"], "seep.diff/1");
  EXPECT_EQ(json["basis"], "per_second");
  expect_fields(json, {"schema", "old", "new", "basis", "matched_by", "rows_omitted", "changes"},
                "a diff");
  expect_fields(json["changes"][0],
                {"id", "kind", "change", "bytes", "blocks", "old_bytes", "new_bytes",
                 "suppressed_by", "stack"},
                "a change");
  EXPECT_EQ(json["changes"][0]["change"], "appeared");
  expect_fields(json["changes"][0]["stack"][0], kFrame, "a frame");
  EXPECT_EQ(json["rows_omitted"], 0);
}

TEST(DiffJson, RowsBeyondTheLimitAreCounted) {
  model::Diff diff;
  diff.rows.resize(5);
  const Json json = Json::parse(to_json(diff, 2));
  EXPECT_EQ(json["changes"].size(), 2U);
  EXPECT_EQ(json["rows_omitted"], 3);
}

}  // namespace
}  // namespace seep::report
