// Sites of one cause are one suspect, under an id that holds across builds; diff between two builds
// of one program names what the new one does more.
#include <algorithm>

#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

namespace fs = std::filesystem;

class Grouping : public Scenario {
 protected:
  Json report_of(const Arguments& arguments, const Arguments& options = {}) {
    const std::size_t before = recordings().size();
    EXPECT_EQ(run_preloaded(arguments, kByTime).status, 0);
    const fs::path recording = newest();
    EXPECT_EQ(recordings().size(), before + 1);
    return report(recording, options);
  }

  // The programs lose some memory at their start as well, which scans find.
  inline static const Environment kByTime = {{"SEEP_SCAN", "off"}};

  Json causes(const std::string& mode) { return report_of({program("causes"), mode, "4"}); }

  fs::path newest() const {
    const auto all = recordings();
    return *std::max_element(all.begin(), all.end(), [](const fs::path& a, const fs::path& b) {
      return fs::last_write_time(a) < fs::last_write_time(b);
    });
  }

  static std::vector<Json> leaks(const Json& report) {
    std::vector<Json> found;
    for (const Json& suspect : report.at("suspects")) {
      if (suspect.at("leak").get<bool>()) {
        found.push_back(suspect);
      }
    }
    return found;
  }

  static std::string blamed(const Json& suspect) {
    const Json& frame = suspect.at("stack").at(suspect.at("blame").get<std::size_t>());
    std::string name = frame.value("function", "");
    const std::string unnamed = "(anonymous namespace)::";
    for (std::size_t at = name.find(unnamed); at != std::string::npos; at = name.find(unnamed)) {
      name.erase(at, unnamed.size());
    }
    return name.substr(0, name.find('('));
  }

  static bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
  }
};

TEST_F(Grouping, OneLeakOfFiftyPathsIsOneRow) {
  const Json report = causes("fifty");
  const auto found = leaks(report);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(ends_with(blamed(found[0]), "open_session")) << blamed(found[0]);
  EXPECT_EQ(found[0].at("sites"), 50U);
  const Json& paths = found[0].at("paths");
  ASSERT_EQ(paths.size(), 50U);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    EXPECT_TRUE(passes_through(paths[i].at("stack"), "open_session"));
    EXPECT_TRUE(i == 0 || paths[i - 1].at("live_bytes") >= paths[i].at("live_bytes"));
    bytes += paths[i].at("live_bytes").get<std::uint64_t>();
  }
  EXPECT_EQ(found[0].at("live_bytes"), bytes);
  EXPECT_EQ(found[0].at("stack"), paths[0].at("stack"));

  const std::string id = found[0].at("id").get<std::string>();
  const Output text = run({seep_command(), "report", newest().string()});
  EXPECT_NE(text.out.find("(50 paths)"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("47 more: --id " + id), std::string::npos) << text.out;
  const Output whole = run({seep_command(), "report", "--id", id, newest().string()});
  EXPECT_EQ(whole.status, 0) << whole.err;
  EXPECT_NE(whole.out.find("path 50 of 50"), std::string::npos) << whole.out;
}

TEST_F(Grouping, EachSiteIsARowOnRequest) {
  const Json report = report_of({program("causes"), "fifty", "4"}, {"--sites"});
  EXPECT_GE(suspects_through(report, "open_session").size(), 50U);
  for (const Json& suspect : report.at("suspects")) {
    EXPECT_EQ(suspect.at("sites"), 1U);
  }
}

TEST_F(Grouping, TwoLeaksWithOneCallerAndOneWrapperAreTwoRows) {
  const auto found = leaks(causes("two"));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(ends_with(blamed(found[0]), "leak_body")) << blamed(found[0]);
  EXPECT_TRUE(ends_with(blamed(found[1]), "leak_header")) << blamed(found[1]);
  EXPECT_NE(found[0].at("id"), found[1].at("id"));
}

TEST_F(Grouping, AFunctionNamedAfterMallocThatServesSeveralIsAWrapper) {
  const auto found = leaks(causes("prefix"));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(ends_with(blamed(found[0]), "leak_row")) << blamed(found[0]);
  EXPECT_TRUE(ends_with(blamed(found[1]), "leak_index")) << blamed(found[1]);
}

TEST_F(Grouping, AnEntryItsStringAndItsTableAreOneRow) {
  const auto found = leaks(causes("container"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(ends_with(blamed(found[0]), "remember")) << blamed(found[0]);
  EXPECT_GE(found[0].at("sites").get<unsigned>(), 2U);
}

TEST_F(Grouping, ARecordAndThePartsThatItsCallMakesAreOneRow) {
  const auto found = leaks(causes("parts"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(ends_with(blamed(found[0]), "make_record")) << blamed(found[0]);
  EXPECT_GE(found[0].at("sites").get<unsigned>(), 2U);
}

TEST_F(Grouping, ALeakBesideThatOfItsCallerIsARowOfItsOwn) {
  const auto found = leaks(causes("beside"));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(ends_with(blamed(found[0]), "refresh_index")) << blamed(found[0]);
  EXPECT_TRUE(ends_with(blamed(found[1]), "note_change")) << blamed(found[1]);
}

TEST_F(Grouping, AHelperWhoseOtherCallersReleaseIsNotTheCulprit) {
  const auto found = leaks(causes("helper"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(ends_with(blamed(found[0]), "keep_for_ever")) << blamed(found[0]);
}

TEST_F(Grouping, TheIdHoldsAcrossRunsAndBuilds) {
  std::vector<std::string> ids;
  for (const char* build : {"service_leaks", "service_leaks", "service_leaks_unoptimised"}) {
    const auto found = leaks(report_of({program(build), "4"}));
    ASSERT_EQ(found.size(), 1U) << build;
    EXPECT_EQ(blamed(found[0]), "log_request") << build;
    ids.push_back(found[0].at("id").get<std::string>());
  }
  EXPECT_EQ(ids[0], ids[1]) << "two runs";
  EXPECT_EQ(ids[0], ids[2]) << "other optimisation, other lines, another kind of executable";
}

TEST_F(Grouping, DiffOfTwoBuildsNamesTheLeakAndNothingElse) {
  ASSERT_EQ(run_preloaded({program("service"), "4"}, kByTime).status, 0);
  const fs::path good = newest();
  ASSERT_EQ(run_preloaded({program("service_leaks"), "5"}, kByTime).status, 0);
  const fs::path bad = newest();
  const Output output = run({seep_command(), "diff", "--json", good.string(), bad.string()});
  ASSERT_EQ(output.status, 0) << output.err;
  const Json diff = Json::parse(output.out);
  EXPECT_EQ(diff.at("matched_by"), "function");
  EXPECT_EQ(diff.at("basis"), "per_second");
  ASSERT_FALSE(diff.at("changes").empty());
  const Json& first = diff.at("changes")[0];
  EXPECT_TRUE(passes_through(first.at("stack"), "log_request")) << first;
  EXPECT_EQ(first.at("change"), "appeared");
  // 16 bytes and a string of 38, a thousand times a second.
  EXPECT_NEAR(first.at("bytes").get<double>(), 54'000, 8'000) << first;
  for (std::size_t i = 1; i < diff.at("changes").size(); ++i) {
    const Json& change = diff.at("changes")[i];
    EXPECT_NE(change.at("change"), "appeared") << functions_of(change.at("stack"));
    EXPECT_NE(change.at("change"), "vanished") << functions_of(change.at("stack"));
  }
}

TEST_F(Grouping, DiffOfTwoBuildsAtTheirEndsShowsOnlyWhatOneHasMoreOf) {
  ASSERT_EQ(run_preloaded({program("service"), "1"}).status, 0);
  const fs::path before = snapshots(newest()).back();
  ASSERT_EQ(run_preloaded({program("service_moved"), "1"}).status, 0);
  const fs::path after = snapshots(newest()).back();
  const Output output = run({seep_command(), "diff", "--json", before.string(), after.string()});
  ASSERT_EQ(output.status, 0) << output.err;
  const Json diff = Json::parse(output.out);
  EXPECT_EQ(diff.at("basis"), "level");
  EXPECT_EQ(diff.at("matched_by"), "function");
  bool has_banner = false;
  for (const Json& change : diff.at("changes")) {
    EXPECT_FALSE(passes_through(change.at("stack"), "load_tables")) << change;
    EXPECT_FALSE(passes_through(change.at("stack"), "remember_page")) << change;
    has_banner = has_banner || (passes_through(change.at("stack"), "load_banner") &&
                                change.at("change") == "appeared" && change.at("bytes") == 77.0);
  }
  EXPECT_TRUE(has_banner) << diff;
}

}  // namespace
}  // namespace seep::scenarios
