// What a program tells seep by itself: include/seep.h.
#include <algorithm>
#include <map>

#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

namespace fs = std::filesystem;

class Api : public Scenario {
 protected:
  Json report_of(const std::string& what, const Environment& settings = {}) {
    output_ = run_preloaded({program("api_calls"), what}, settings);
    EXPECT_EQ(output_.status, 0) << output_.err;
    EXPECT_EQ(output_.err, "");
    const auto found = recordings("api_calls");
    EXPECT_FALSE(found.empty());
    return found.empty() ? Json::object() : report(found.front());
  }

  static const Json* marked(const Json& report, const std::string& label) {
    const Json& all = report.at("snapshots");
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const Json& one) { return one.at("mark") == label; });
    return found == all.end() ? nullptr : &*found;
  }

  // Bytes alive at the snapshot with this mark, of suspects that pass through `function`.
  static std::uint64_t live_at(const Json& report, const std::string& mark,
                               const std::string& function) {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < report.at("snapshots").size(); ++i) {
      if (report.at("snapshots")[i].at("mark") != mark) {
        continue;
      }
      for (const Json& suspect : suspects_through(report, function)) {
        bytes += suspect.at("series").at("live_bytes")[i].get<std::uint64_t>();
      }
    }
    return bytes;
  }

  Output output_;
};

TEST_F(Api, UnitsCountedByThreadsAddUpAndHaveAName) {
  const Json report = report_of("threads");
  EXPECT_EQ(output_.out, "0\n") << "errno";
  const Json* counted = marked(report, "counted");
  ASSERT_NE(counted, nullptr);
  EXPECT_EQ(counted->at("units"), 800007);
  EXPECT_EQ(counted->at("trigger"), "mark");
  const Json* told = marked(report, "told");
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->at("units"), 5000000) << "the program counts by itself";
  const Json* asked = marked(report, "asked");
  ASSERT_NE(asked, nullptr);
  EXPECT_EQ(asked->at("trigger"), "api");
  EXPECT_EQ(asked->at("units"), 800007) << "every snapshot carries the sum";
  EXPECT_EQ(report.at("snapshots").back().at("trigger"), "exit");
  EXPECT_EQ(report.at("snapshots").back().at("units"), 800007);
  EXPECT_EQ(report.at("work").at("unit"), "message") << "the first name stays";
  EXPECT_EQ(std::count_if(report.at("snapshots").begin(), report.at("snapshots").end(),
                          [](const Json& one) { return one.at("trigger") == "mark"; }),
            4);
  expect_nothing_lost(report);
}

TEST_F(Api, WithoutTheLibraryTheProgramIsTheSame) {
  for (const char* what : {"threads", "fork", "pools"}) {
    const Output natively = run({program("api_calls"), what});
    const Output tracked = run_preloaded({program("api_calls"), what});
    EXPECT_EQ(natively.status, 0) << what << natively.err;
    EXPECT_EQ(tracked.out, natively.out) << what;
  }
}

TEST_F(Api, TheChildOfAForkCountsItsOwnWork) {
  report_of("fork", {{"SEEP_MIN_LIFE", "0"}});
  std::map<bool, std::uint64_t> units;  // by whether it is the child
  for (const fs::path& recording : recordings("api_calls")) {
    const Json one = report(recording);
    units[marked(one, "in the child") != nullptr] =
        one.at("snapshots").back().at("units").get<std::uint64_t>();
  }
  ASSERT_EQ(units.size(), 2U);
  EXPECT_EQ(units[true], 3U);
  EXPECT_EQ(units[false], 1000U);
}

TEST_F(Api, MayBeCalledInASignalHandler) {
  const Json report = report_of("handler", {{"SEEP_INTERVAL", "10ms"}});
  EXPECT_EQ(output_.out, "100\n") << "errno was kept each time";
  EXPECT_EQ(report.at("snapshots").back().at("units"), 100);
  EXPECT_NE(marked(report, "in a handler"), nullptr);
  EXPECT_EQ(report.at("losses").at("missed_free"), 0);
  EXPECT_EQ(report.at("losses").at("foreign_free"), 0);
}

TEST_F(Api, BeforeRecordingBeginsNothingIsDone) {
  const Output output =
      run_preloaded({program("api_calls"), "threads"}, {{"SEEP_START", "paused"}});
  EXPECT_EQ(output.status, 0);
  for (const fs::path& recording : recordings("api_calls")) {
    EXPECT_TRUE(snapshots(recording).empty()) << recording;
  }
}

// Objects count under what took them, their arena for what is left: nothing counts twice.
TEST_F(Api, ObjectsOfAPoolAreTrackedAndTheirArenaCountsForTheRest) {
  // Of 1 MB one sample each 512 KB passes over one arena in seven, one each 64 KB over none.
  for (const auto& settings :
       {Environment(), Environment{{"SEEP_MODE", "sample"}, {"SEEP_SAMPLE_BYTES", "64K"}}}) {
    const Json report = report_of("pools", settings);
    constexpr std::uint64_t kArena = 1 << 20;
    const std::map<std::string, std::string> makers = {{"heap", "make_heap_arena"},
                                                       {"map", "make_mapped_arena"}};
    for (const auto& [name, maker] : makers) {
      const std::uint64_t arena = live_at(report, name + " empty", maker);
      EXPECT_GE(arena, kArena) << name;  // in sample mode an estimate
      EXPECT_EQ(live_at(report, name + " full", "take_from_pool"), 100'000U) << name;
      EXPECT_EQ(live_at(report, name + " partly", "take_from_pool"), 60'000U) << name;
      EXPECT_EQ(live_at(report, name + " cleared", "take_from_pool"), 0U) << name;
      EXPECT_EQ(live_at(report, name + " cleared", maker), arena) << name;
      // A weight of sample mode is rounded to a sixteenth.
      const double share = static_cast<double>(arena) / kArena;
      EXPECT_NEAR(static_cast<double>(live_at(report, name + " full", maker)),
                  static_cast<double>(arena) - 100'000 * share, 100'000 * 0.07)
          << name;
      if (settings.empty()) {
        EXPECT_EQ(live_at(report, name + " full", maker), arena - 100'000) << name;
        EXPECT_EQ(live_at(report, name + " partly", maker), arena - 60'000) << name;
      }
    }
    EXPECT_EQ(live_at(report, "static full", "take_from_pool"), 100'000U);
    EXPECT_EQ(live_at(report, "static partly", "take_from_pool"), 60'000U);
    EXPECT_EQ(sums_through(report, "take_from_pool").allocated_blocks, 300U);
    EXPECT_EQ(sums_through(report, "take_from_pool").freed_blocks, 300U);
    EXPECT_EQ(report.at("losses").at("missed_free"), 0);
    fs::remove_all(recordings_directory());
  }
}

TEST_F(Api, AReportSpeaksOfBytesPerUnit) {
  const Output output = run_under_seep({"--interval", "100ms"}, {sample("request_units"), "4"});
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_NE(output.err.find(" B/request  "), std::string::npos) << output.err;
  const Json json = report(recordings("request_units").front());
  EXPECT_EQ(json.at("work").at("unit"), "request");
  EXPECT_EQ(json.at("snapshots").back().at("units"), 12'000);
  double bytes = 0;
  double blocks = 0;
  for (const Json& suspect : suspects_through(json, "remember_line")) {
    EXPECT_TRUE(suspect.at("leak").get<bool>());
    bytes += suspect.at("growth_bytes_per_unit").get<double>();
    blocks += suspect.at("growth_blocks_per_unit").get<double>();
    const Json& range = suspect.at("growth_bytes_per_unit_range");
    EXPECT_LE(range[0].get<double>(), suspect.at("growth_bytes_per_unit").get<double>());
    EXPECT_GE(range[1].get<double>(), suspect.at("growth_bytes_per_unit").get<double>());
  }
  EXPECT_NEAR(bytes, 32 + 64, 1);
  EXPECT_NEAR(blocks, 2, 0.02);
}

// `seep mark --units`, all the way to the report.
TEST_F(Api, MarksFromOutsideGiveBytesPerUnitToo) {
  auto child = start_preloaded({sample("server"), "5"}, {{"SEEP_INTERVAL", "250ms"}});
  const fs::path recording = wait_for_recording(child->pid());
  ASSERT_FALSE(recording.empty());
  const std::string pid = std::to_string(child->pid());
  for (const char* units : {"1000", "2000", "4000"}) {
    EXPECT_EQ(run({seep_command(), "mark", pid, "batch", "--units", units}).status, 0);
    run({"sleep", "1"});
  }
  EXPECT_EQ(child->wait().status, 0);
  const Json json = report(recording, {"--unit-name", "row"});
  EXPECT_EQ(json.at("work").at("unit"), "row");
  EXPECT_EQ(json.at("work").at("done"), 3000);
  const Json& first = json.at("suspects").front();
  EXPECT_TRUE(first.at("growth_bytes_per_unit").is_number()) << first.at("why");
  EXPECT_GT(first.at("growth_bytes_per_unit").get<double>(), 0);
}

// A program elsewhere has the installed header and nothing else: no library to link.
TEST_F(Api, AnInstalledHeaderIsAllThatAProgramNeeds) {
  const fs::path prefix = directory() / "prefix";
  const Output installed = run({"cmake", "--install", SEEP_BUILD, "--prefix", prefix.string()});
  ASSERT_EQ(installed.status, 0) << installed.err;
  ASSERT_TRUE(fs::is_regular_file(prefix / "include/seep.h"));
  const std::string source = source_file("tests/scenarios/programs/api_consumer.c");
  const std::vector<Arguments> compilers = {{"cc", "-ansi", "-pedantic-errors"},
                                            {"cc", "-O2", "-no-pie", "-fno-pie"},
                                            {"cc", "-static"},
                                            {"cc", "-O2", "-flto"},
                                            {"c++", "-x", "c++", "-std=c++11", "-pedantic-errors"}};
  for (const Arguments& compiler : compilers) {
    const std::string consumer = (directory() / "consumer").string();
    Arguments command = compiler;
    for (const std::string& word :
         {std::string("-Wall"), std::string("-Wextra"), std::string("-Werror"), std::string("-I"),
          (prefix / "include").string(), source, std::string("-o"), consumer}) {
      command.push_back(word);
    }
    const Output built = run(command);
    ASSERT_EQ(built.status, 0) << compiler.back() << built.err;
    EXPECT_EQ(run({consumer}).out, "served\n") << compiler.back();
    fs::remove_all(recordings_directory());
    EXPECT_EQ(run_preloaded({consumer}).out, "served\n") << compiler.back();
    if (compiler.back() != "-static") {  // no preload reaches that one
      ASSERT_EQ(recordings().size(), 1U) << compiler.back();
      const Json json = report(recordings().front());
      ASSERT_NE(marked(json, "served"), nullptr) << compiler.back();
      EXPECT_EQ(marked(json, "served")->at("units"), 5) << compiler.back();
    }
  }
}

}  // namespace
}  // namespace seep::scenarios
