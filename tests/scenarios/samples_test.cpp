// Every sample, run as a user would, must be judged as the `verdict:` line in its source says:
//   // verdict: BEHAVIOUR[|BEHAVIOUR…] leak=true|false function=NAME [kind=mmap] [process=child]
//                 [unreachable=true] [held=NAME]
// leak=true: the first row is a leak and passes through the function. leak=false: no row is one.
// unreachable=true: that row's verdict is so. held=NAME: what holds its blocks begins with NAME.
#include <algorithm>
#include <sstream>

#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

namespace fs = std::filesystem;

struct Verdict {
  std::string sample;
  std::string behaviours;  // separated by |
  std::map<std::string, std::string> keys;

  bool leak() const { return keys.at("leak") == "true"; }
  std::string function() const { return keys.at("function"); }
  std::string key(const std::string& name, const std::string& otherwise) const {
    return keys.count(name) != 0 ? keys.at(name) : otherwise;
  }
};

std::ostream& operator<<(std::ostream& stream, const Verdict& verdict) {
  return stream << verdict.sample;
}

// The verdict of a source file; an empty `sample` where it has none.
Verdict read_verdict(const fs::path& source) {
  const std::string start = "// verdict: ";
  for (const std::string& line : lines_of(read_text(source))) {
    if (line.rfind(start, 0) != 0) {
      continue;
    }
    Verdict verdict;
    verdict.sample = source.stem().string();
    std::istringstream words(line.substr(start.size()));
    words >> verdict.behaviours;
    for (std::string word; words >> word;) {
      const std::size_t equals = word.find('=');
      verdict.keys[word.substr(0, equals)] = word.substr(equals + 1);
    }
    return verdict;
  }
  return {};
}

std::vector<Verdict> all_verdicts() {
  std::vector<Verdict> verdicts;
  for (const auto& entry : fs::directory_iterator(source_file("samples"))) {
    Verdict verdict = read_verdict(entry.path());
    if (!verdict.sample.empty()) {
      verdicts.push_back(std::move(verdict));
    }
  }
  std::sort(verdicts.begin(), verdicts.end(),
            [](const Verdict& a, const Verdict& b) { return a.sample < b.sample; });
  return verdicts;
}

std::string describe(const Json& suspect) {
  return suspect.at("behaviour").get<std::string>() + ": " + functions_of(suspect.at("stack")) +
         ": " + suspect.at("why").get<std::string>();
}

class Samples : public Scenario, public ::testing::WithParamInterface<Verdict> {
 protected:
  void expect_behaviour(const Json& suspect) {
    const std::string among = "|" + GetParam().behaviours + "|";
    const std::string behaviour = suspect.at("behaviour").get<std::string>();
    EXPECT_NE(among.find("|" + behaviour + "|"), std::string::npos) << describe(suspect);
    EXPECT_EQ(suspect.at("kind"), GetParam().key("kind", "heap")) << describe(suspect);
  }

  void expect_leak_first(const Json& report) {
    ASSERT_FALSE(report.at("suspects").empty());
    const Json& first = report.at("suspects").front();
    EXPECT_TRUE(first.at("leak").get<bool>()) << describe(first);
    EXPECT_TRUE(passes_through(first.at("stack"), GetParam().function())) << describe(first);
    EXPECT_EQ(report.at("conclusion").at("cause"), "leak");
    expect_behaviour(first);
    expect_leaks_have_a_verdict(report);
    const Json& scan = report.at("scan");
    if (!scan.is_null() && scan.at("complete").get<bool>()) {
      expect_reachability(first);
    }
  }

  // Nothing else makes a leak (docs/ranking.md), in any row.
  void expect_leaks_have_a_verdict(const Json& report) {
    for (const Json& suspect : report.at("suspects")) {
      const std::string verdict = suspect.at("verdict").get<std::string>();
      EXPECT_TRUE(!suspect.at("leak").get<bool>() || verdict == "growing" ||
                  verdict == "unreachable")
          << describe(suspect);
    }
  }

  // As the scan at exit says, where one can be made (scan_compare demands it).
  void expect_reachability(const Json& suspect) {
    const bool unreachable = GetParam().key("unreachable", "false") == "true";
    EXPECT_EQ(suspect.at("verdict") == "unreachable", unreachable) << describe(suspect);
    if (const std::string holder = GetParam().key("held", ""); !holder.empty()) {
      ASSERT_TRUE(suspect.at("held_by").is_array()) << describe(suspect);
      ASSERT_FALSE(suspect.at("held_by").empty()) << describe(suspect);
      const std::string text = suspect.at("held_by").front().at("text").get<std::string>();
      EXPECT_EQ(text.rfind(holder, 0), 0U) << text;
    }
  }

  void expect_no_leak(const Json& report) {
    for (const Json& suspect : report.at("suspects")) {
      EXPECT_FALSE(suspect.at("leak").get<bool>()) << describe(suspect);
    }
    EXPECT_NE(report.at("conclusion").at("cause"), "leak");
  }

  // The site of the function with most blocks ever made; null where there is none.
  static Json heaviest(const Json& report) {
    const std::vector<Json> suspects = suspects_through(report, GetParam().function());
    const auto most =
        std::max_element(suspects.begin(), suspects.end(), [](const Json& a, const Json& b) {
          return a.at("allocated_blocks").get<long>() < b.at("allocated_blocks").get<long>();
        });
    return most == suspects.end() ? Json() : *most;
  }

  void expect_clean_function(const Json& report) {
    const Json suspect = heaviest(report);
    ASSERT_FALSE(suspect.is_null()) << "no row of " << GetParam().function();
    expect_behaviour(suspect);
  }

  // Nothing is said of the function, where something must be.
  static bool is_undecided(const Json& report) {
    const Json suspect = heaviest(report);
    return !suspect.is_null() && suspect.at("behaviour") == "unknown" &&
           GetParam().behaviours.find("unknown") == std::string::npos;
  }

  Json judge_run_of(int seconds) {
    const Output tracked = run_preloaded({sample(GetParam().sample), std::to_string(seconds)});
    EXPECT_EQ(tracked.status, 0);
    EXPECT_EQ(tracked.err, "");
    return judged_report();
  }

  // The report of the process that the verdict is about; the other one must be clean.
  Json judged_report() {
    const std::vector<fs::path> paths = recordings(GetParam().sample);
    const bool of_child = GetParam().key("process", "") == "child";
    EXPECT_EQ(paths.size(), of_child ? 2U : 1U);
    Json judged = Json::object();
    for (const fs::path& path : paths) {
      Json one = report(path);
      expect_nothing_lost(one);
      if (paths.size() == 1 || is_child(one, paths)) {
        judged = std::move(one);
      } else {
        expect_no_leak(one);
      }
    }
    return judged;
  }

 private:
  // Its parent has a recording too.
  static bool is_child(const Json& report, const std::vector<fs::path>& paths) {
    const std::string parent = "." + report.at("process").at("parent_pid").dump();
    return std::any_of(paths.begin(), paths.end(),
                       [&](const fs::path& path) { return path.extension() == parent; });
  }
};

TEST_P(Samples, AreJudgedAsTheirFirstCommentSays) {
  // A verdict needs eight snapshots, which may cost no more than 0.2 % of the time: 3 s gave seven
  // once on a busy machine. A child takes its first at SEEP_MIN_LIFE, a second later. A run that
  // was kept from its pace is too short for a verdict: then the report says so, and which time
  // would do.
  const bool of_child = GetParam().key("process", "") == "child";
  constexpr int kTimes = 4;
  Json judged = judge_run_of(of_child ? 6 : 4);
  ASSERT_TRUE(judged.contains("suspects"));
  if (is_undecided(judged)) {
    fs::remove_all(recordings_directory());
    judged = judge_run_of((of_child ? 6 : 4) * kTimes);
    ASSERT_TRUE(judged.contains("suspects"));
  }
  if (GetParam().leak()) {
    expect_leak_first(judged);
  } else {
    expect_no_leak(judged);
    expect_clean_function(judged);
  }
}

TEST_P(Samples, PrintTheSameWithAndWithoutSeep) {
  const Output natively = run({sample(GetParam().sample), "0.3"});
  const Output tracked = run_under_seep({"--report", (directory() / "page").string()},
                                        {sample(GetParam().sample), "0.3"});
  EXPECT_EQ(tracked.out, natively.out);
  EXPECT_EQ(tracked.err, natively.err);
  EXPECT_EQ(tracked.status, natively.status);
  EXPECT_NE(natively.out, "") << "the sample must print something to compare";
}

INSTANTIATE_TEST_SUITE_P(All, Samples, ::testing::ValuesIn(all_verdicts()),
                         [](const auto& one) { return one.param.sample; });

}  // namespace
}  // namespace seep::scenarios
