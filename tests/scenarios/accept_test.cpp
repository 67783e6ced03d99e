// Suppressions and baselines on recordings of real runs: what they silence, and what they do not.
#include <fstream>

#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

namespace fs = std::filesystem;

class Accept : public Scenario {
 protected:
  fs::path record(const std::string& name) {
    EXPECT_EQ(run_preloaded({sample(name), "4"}).status, 0);
    const auto found = recordings(name);
    EXPECT_FALSE(found.empty());
    return found.empty() ? fs::path() : found.back();
  }

  std::string write(const std::string& name, const std::string& text) {
    const std::string file = (directory() / name).string();
    std::ofstream(file) << text;
    return file;
  }

  Output check(const fs::path& path, const Arguments& options,
               const Environment& environment = {}) {
    Arguments command = {seep_command(), "report", "--check", path.string()};
    command.insert(command.end(), options.begin(), options.end());
    return run(command, environment);
  }
};

TEST_F(Accept, BothFormsAndTheVariableSilenceALeak) {
  const fs::path leak = record("lost_pointer");
  EXPECT_EQ(check(leak, {}).status, 1);
  const std::string lsan = write("lsan.supp", "leak:^parse_line\nleak:nothing_like_it\n");
  const Output silenced = check(leak, {"--suppressions", lsan});
  EXPECT_EQ(silenced.status, 0) << silenced.err;
  EXPECT_NE(silenced.out.find("1 suppressed"), std::string::npos) << silenced.out;
  EXPECT_NE(silenced.out.find("unused suppression: leak:nothing_like_it"), std::string::npos);
  EXPECT_EQ(check(leak, {}, {{"SEEP_SUPPRESSIONS", "/dev/null:" + lsan}}).status, 0);
  const std::string valgrind =
      write("vg.supp",
            "{\n  lost\n  Memcheck:Leak\n  match-leak-kinds: definite\n  fun:malloc\n"
            "  fun:parse_line\n}\n");
  EXPECT_EQ(check(leak, {"--suppressions", "/dev/null", "--suppressions", valgrind}).status, 0);
  const std::string other = write("other.supp", "leak:close_line\n");
  EXPECT_EQ(check(leak, {"--suppressions", other}).status, 1);
}

TEST_F(Accept, TheJsonSaysWhatSilencedIt) {
  const fs::path leak = record("lost_pointer");
  const std::string file = write("a.supp", "# one\nleak:^parse_line\n");
  const Json json = report(leak, {"--suppressions", file});
  EXPECT_EQ(json.at("totals").at("leak_suspects"), 0);
  EXPECT_EQ(json.at("totals").at("suppressed_suspects"), 1);
  EXPECT_EQ(json.at("suspects")[0].at("suppressed_by"), "leak:^parse_line");
  const Json& use = json.at("suppressions")[0];
  EXPECT_EQ(use.at("file"), file);
  EXPECT_EQ(use.at("line"), 2);
  EXPECT_EQ(use.at("suspects"), 1);
}

TEST_F(Accept, WhatIsGeneratedSilencesTheLeak) {
  const fs::path leak = record("shared_ptr_cycle");
  const Output generated = run({seep_command(), "report", "--gen-suppressions", leak.string()});
  EXPECT_EQ(generated.status, 0) << generated.err;
  ASSERT_NE(generated.out.find("\nleak:^"), std::string::npos) << generated.out;
  const Output silenced = check(leak, {"--suppressions", write("generated.supp", generated.out)});
  EXPECT_EQ(silenced.status, 0) << generated.out << silenced.err;
}

TEST_F(Accept, MangledNamesOfValgrindMatch) {
  const fs::path leak = record("server");
  const std::string file = write(
      "vg.supp", "{\n  x\n  Memcheck:Leak\n  fun:_Znwm\n  ...\n  fun:_ZL12open_sessionm\n}\n");
  const Output silenced = check(leak, {"--suppressions", file});
  EXPECT_EQ(silenced.status, 0) << silenced.err;
}

TEST_F(Accept, ABadFileEndsWithThreeAndSaysWhere) {
  const fs::path leak = record("lost_pointer");
  const std::string file = write("bad.supp", "leak:a\nthread:b\n");
  const Output bad = check(leak, {"--suppressions", file});
  EXPECT_EQ(bad.status, 3);
  EXPECT_NE(bad.err.find(file + ": line 2: "), std::string::npos) << bad.err;
  EXPECT_EQ(check(leak, {"--suppressions", "/nonexistent/x.supp"}).status, 3);
  EXPECT_EQ(check(leak, {"--suppressions", directory().string()}).status, 3);
}

TEST_F(Accept, RunTakesTheSameFilesAndStopsBeforeABadOne) {
  const std::string good = write("good.supp", "leak:^parse_line\n");
  const Arguments leaking = {sample("lost_pointer"), "4"};
  const Output silenced = run_under_seep({"--check", "--suppressions", good}, leaking);
  EXPECT_EQ(silenced.status, 0) << silenced.err;
  const std::string bad = write("bad.supp", "b\n");
  const Arguments touch = {"/bin/touch", (directory() / "ran").string()};
  EXPECT_EQ(run_under_seep({"--suppressions", bad}, touch).status, 125);
  EXPECT_EQ(run_under_seep({"--check", "--baseline", "/nonexistent"}, touch).status, 125);
  EXPECT_FALSE(fs::exists(directory() / "ran"));
  // A service starts whatever its variables say.
  const Output service = run(
      {seep_command(), "run", "--dir", recordings_directory().string(), "--", touch[0], touch[1]},
      {{"SEEP_SUPPRESSIONS", bad}});
  EXPECT_EQ(service.status, 0) << service.err;
  EXPECT_TRUE(fs::exists(directory() / "ran"));
}

TEST_F(Accept, ABaselineAcceptsWhatWasThereAndNothingElse) {
  const fs::path before = record("lost_pointer");
  EXPECT_EQ(run_preloaded({sample("lost_pointer"), "4"}).status, 0);
  const auto both = recordings("lost_pointer");
  ASSERT_EQ(both.size(), 2U);
  const fs::path after = both[0] == before ? both[1] : both[0];
  const Output known = check(after, {"--baseline", before.string()});
  EXPECT_EQ(known.status, 0) << known.err;
  const std::string json = (directory() / "before.json").string();
  EXPECT_EQ(run({seep_command(), "report", before.string(), "-o", json}).status, 0);
  EXPECT_EQ(check(after, {"--baseline", json}).status, 0);
  EXPECT_EQ(check(record("strdup_leak"), {"--baseline", before.string()}).status, 1);
  EXPECT_EQ(check(after, {"--baseline", write("not.json", "{}")}).status, 3);
}

TEST_F(Accept, DiffPassesWhatIsSuppressed) {
  const auto files = snapshots(record("lost_pointer"));
  ASSERT_GE(files.size(), 3U);
  const Arguments diff = {seep_command(), "diff", "--check", files[1].string(),
                          files.back().string()};
  EXPECT_EQ(run(diff).status, 1);
  Arguments silenced = diff;
  silenced.insert(silenced.end(), {"--json", "--suppressions", write("a.supp", "leak:main\n")});
  const Output output = run(silenced);
  EXPECT_EQ(output.status, 0) << output.err;
  const Json json = Json::parse(output.out, nullptr, false);
  ASSERT_FALSE(json.is_discarded()) << output.out;
  EXPECT_EQ(json.at("changes")[0].at("suppressed_by"), "leak:main");
}

}  // namespace
}  // namespace seep::scenarios
