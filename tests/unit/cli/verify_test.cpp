// What the verbs that read files say of bad ones: one clear line, status 3, nothing on stdout.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/snapshot_builder.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/cli/program.h"

namespace seep::cli {
namespace {

using test::ProgramEnd;
using test::run_seep;

class BadInput : public ::testing::Test {
 protected:
  BadInput() {
    const auto module = builder_.add_module("/usr/bin/server", "\xab\xcd");
    builder_.add_site({.stack = {{module, 0x1200}}, .live_blocks = 10, .live_bytes = 320});
    builder_.at(1, 0.5);
  }

  // Every verb that reads a file.
  void expect_refused(const std::string& path, const std::string& words) {
    for (const char* verb : {"verify", "info", "report"}) {
      const ProgramEnd end = run_seep({verb, path});
      EXPECT_EQ(end.status, 3) << verb << " " << path << "\n" << end.err;
      EXPECT_EQ(end.err.rfind("seep: " + path, 0), 0U) << end.err;
      EXPECT_NE(end.err.find(words), std::string::npos) << verb << ": " << end.err;
    }
    EXPECT_EQ(run_seep({"verify", path}).out, "");
    EXPECT_EQ(test::count_lines(run_seep({"verify", path}).err), 1U);
    EXPECT_EQ(test::count_lines(run_seep({"report", path}).err), 1U);
  }

  test::TemporaryDirectory directory_;
  test::SnapshotBuilder builder_;
};

TEST_F(BadInput, MissingEmptyAndForeignFiles) {
  expect_refused(directory_.file("missing.seep"), "");
  expect_refused(directory_.write("empty.seep", ""), "");
  expect_refused(directory_.write("foreign.seep", std::string(4096, 'x')), "");
}

TEST_F(BadInput, ACutFile) {
  const std::string bytes = builder_.bytes();
  expect_refused(directory_.write("cut.seep", bytes.substr(0, bytes.size() - 20)), "cut");
}

TEST_F(BadInput, AFlippedBitIsPlaced) {
  std::string bytes = builder_.bytes();
  const auto sites = test::find_section(bytes, format::SectionId::kSites);
  bytes[sites.offset + 8] = static_cast<char>(bytes[sites.offset + 8] ^ 1);
  expect_refused(directory_.write("flipped.seep", bytes), "section sites");
}

TEST_F(BadInput, AFileOfANewerVersion) {
  const std::string bytes = test::encode_file(builder_.sections(), format::kVersionMajor + 1);
  expect_refused(directory_.write("newer.seep", bytes), "version");
}

TEST_F(BadInput, ADirectoryWithoutSnapshots) {
  for (const char* verb : {"verify", "report"}) {
    const ProgramEnd end = run_seep({verb, directory_.path()});
    EXPECT_EQ(end.status, 3) << end.err;
    EXPECT_EQ(test::count_lines(end.err), 1U) << end.err;
  }
}

TEST_F(BadInput, OneBadFileAmongGoodOnesIsNamed) {
  const std::string good = builder_.write_into(directory_.file("server.1"));
  const std::string bad = directory_.write("server.1/snapshot-000002.seep", "SEEPSNAP");
  const ProgramEnd end = run_seep({"verify", directory_.path()});
  EXPECT_EQ(end.status, 3);
  EXPECT_EQ(end.out, good + ": ok\n");
  EXPECT_NE(end.err.find(bad), std::string::npos) << end.err;
}

TEST_F(BadInput, IntactFilesPass) {
  const std::string good = builder_.write_into(directory_.file("server.1"));
  const ProgramEnd end = run_seep({"verify", good, directory_.path()});
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out, good + ": ok\n" + good + ": ok\n");
}

TEST_F(BadInput, InfoStillTellsTheSectionsOfADamagedFile) {
  std::string bytes = builder_.bytes();
  const auto sites = test::find_section(bytes, format::SectionId::kSites);
  bytes[sites.offset] = static_cast<char>(bytes[sites.offset] ^ 1);
  const ProgramEnd end = run_seep({"info", "--json", directory_.write("flipped.seep", bytes)});
  EXPECT_EQ(end.status, 3);
  const nlohmann::json info = nlohmann::json::parse(end.out);
  EXPECT_EQ(info.at("intact"), false);
  EXPECT_TRUE(info.at("snapshot").is_null());
  for (const auto& section : info.at("sections")) {
    EXPECT_EQ(section.at("crc_ok").get<bool>(), section.at("name") != "sites") << section;
  }
}

TEST_F(BadInput, InfoTellsWhatAnIntactFileHolds) {
  const std::string file = builder_.write_into(directory_.file("server.1"));
  ProgramEnd end = run_seep({"info", "--json", file});
  EXPECT_EQ(end.status, 0) << end.err;
  const nlohmann::json snapshot = nlohmann::json::parse(end.out).at("snapshot");
  EXPECT_EQ(snapshot.at("live_bytes"), 320);
  EXPECT_EQ(snapshot.at("live_blocks"), 10);
  EXPECT_EQ(snapshot.at("modules").at(0).at("build_id"), "abcd");
  EXPECT_TRUE(snapshot.at("mark").is_null());
  end = run_seep({"info", file});
  EXPECT_NE(end.out.find("320 B in 10 blocks from 1 sites"), std::string::npos) << end.out;
}

TEST_F(BadInput, AnExistingOutputFileIsKept) {
  const std::string file = builder_.write_into(directory_.file("server.1"));
  const std::string page = directory_.write("page.json", "old");
  for (const char* verb : {"info", "report"}) {
    EXPECT_EQ(run_seep({verb, file, "-o", page}).status, 2);
    EXPECT_EQ(test::read_file(page), "old");
    EXPECT_EQ(run_seep({verb, file, "-o", page, "--force"}).status, 0);
    EXPECT_NE(test::read_file(page), "old");
    directory_.write("page.json", "old");
  }
}

}  // namespace
}  // namespace seep::cli
