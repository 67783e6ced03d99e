#include "preload/agent/metrics.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace seep::agent {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Identity> identity_of(const std::string& name) {
  auto identity = std::make_unique<Identity>();
  identity->pid = 4711;
  identity->name.add(name);
  identity->host.add("pod-1");
  return identity;
}

std::string format(const Figures& figures, const std::string& name = "server") {
  const auto text = std::make_unique<MetricsText>();
  format_metrics(figures, *identity_of(name), *text);
  EXPECT_FALSE(text->cut());
  return std::string(text->view());
}

TEST(Metrics, AreLinesWithTheProcessInTheirLabels) {
  Figures figures;
  figures.rss_bytes = 123456;
  figures.snapshots = 2;
  figures.live_bytes = 1000;
  const std::string text = format(figures);
  const std::string labels = R"({pid="4711",exe="server",host="pod-1"} )";
  EXPECT_NE(text.find("\nseep_process_rss_bytes" + labels + "123456\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nseep_process_live_bytes" + labels + "1000\n"), std::string::npos);
  EXPECT_EQ(text.find("growth"), std::string::npos) << "not known";
  EXPECT_EQ(text.find("limit"), std::string::npos) << "there is none";
}

TEST(Metrics, GrowthHasASign) {
  Figures figures;
  figures.growth_is_known = true;
  figures.growth_milli = -1002;
  EXPECT_NE(format(figures).find("} -1.002\n"), std::string::npos);
  figures.growth_milli = 25;
  EXPECT_NE(format(figures).find("} 0.025\n"), std::string::npos);
}

TEST(Metrics, GiveTheLimitsThatThereAre) {
  Figures figures;
  figures.limits[1] = {1 << 20, true, 3};
  const std::string text = format(figures);
  EXPECT_NE(text.find(R"(limit="critical"} 1048576)"), std::string::npos) << text;
  EXPECT_EQ(text.find("warning"), std::string::npos);
}

TEST(Metrics, NamesAreEscaped) {
  const std::string text = format({}, "a\"b\\c\n\xff");
  EXPECT_NE(text.find(R"(exe="a\"b\\c__")"), std::string::npos) << text;
}

TEST(Metrics, TheFileOfOneProcessIsNamedByHostProgramAndPid) {
  EXPECT_EQ(metrics_path("/m", *identity_of("a/b c")).view(), "/m/seep-pod-1-a_b_c.4711.prom");
}

TEST(Metrics, AFileIsReplacedAsAWholeAndReadableForAll) {
  const fs::path directory = fs::path(testing::TempDir()) / "seep-metrics";
  fs::create_directories(directory);
  const auto identity = identity_of("server");
  const runtime::Path path = metrics_path(directory.string(), *identity);
  const auto text = std::make_unique<MetricsText>();
  text->add("a 1\n");
  const mode_t mask = umask(077);
  EXPECT_EQ(write_metrics(path, *text), 0);
  umask(mask);
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644U);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory), fs::directory_iterator()), 1);
  remove_metrics(path);
  EXPECT_FALSE(fs::exists(path.c_str()));
  fs::remove(directory);
  EXPECT_LT(write_metrics(path, *text), 0) << "no such directory";
}

}  // namespace
}  // namespace seep::agent
