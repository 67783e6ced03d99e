// What the page of `seep export --to html` is told, and that nothing of it ends its element.
#include "analyzer/export/page_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "analyzer/export/base64.h"
#include "analyzer/export/html.h"
#include "analyzer/export/page_tables.h"
#include "analyzer/report/build_report.h"

namespace seep::exporters {
namespace {

using Json = nlohmann::json;

// One process with a site whose stack is two lines of a script.
class PageData : public ::testing::Test {
 protected:
  PageData() {
    recording.id = "server.1";
    recording.stacks.modules.resize(1);
    recording.stacks.nodes.resize(1);
    add_script_node(0, "{main}", 3);
    add_script_node(1, "work", 7);
  }

  void add_script_node(std::uint32_t parent, const std::string& function, std::uint32_t line) {
    recording.stacks.script_frames.push_back(
        {function, "/srv/app.php", line, model::Language::kPhp});
    model::Node node;
    node.offset = recording.stacks.script_frames.size() - 1;
    node.parent = parent;
    node.module = format::kScriptModule;
    node.language = model::Language::kPhp;
    recording.stacks.nodes.push_back(node);
  }

  // A site with these live bytes at one snapshot after the other, in blocks of 10.
  void add_site(const std::vector<std::uint64_t>& bytes) {
    model::SiteHistory site;
    site.node = 2;
    for (const std::uint64_t live : bytes) {
      site.at.push_back({live, live / 10, live, live / 10});
    }
    recording.sites.push_back(site);
    while (recording.moments.size() < bytes.size()) {
      model::Moment moment;
      moment.sequence = static_cast<std::uint32_t>(recording.moments.size() + 1);
      moment.time_s = static_cast<double>(recording.moments.size());
      moment.accounting.rss_bytes = 1000 + recording.moments.size();
      recording.moments.push_back(moment);
    }
  }

  [[nodiscard]] std::string text() const {
    const std::vector<model::Recording> recordings = {recording};
    symbolize::Symbolizer symbolizer({});
    const model::Report report = report::build_report(recordings, {}, symbolizer);
    return page_data(report, recordings, symbolizer, {"1.2.3", true, ""});
  }
  [[nodiscard]] Json data() const { return Json::parse(text()); }

  model::Recording recording;
};

TEST_F(PageData, SeriesAreDifferencesWithoutZerosAtTheEnd) {
  add_site({0, 50, 50, 20, 20});
  const Json sites = data().at("sites");
  EXPECT_EQ(sites.at("bytes").dump(), "[[0,50,0,-30]]");
  EXPECT_EQ(sites.at("blocks").dump(), "[[0,5,0,-3]]");
}

TEST_F(PageData, ASiteThatIsReleasedAtTheEndIsKept) {
  add_site({50, 0});
  EXPECT_EQ(data().at("sites").at("bytes").dump(), "[[50,-50]]");
}

TEST_F(PageData, ASiteThatNeverHadAnythingIsNot) {
  add_site({0, 0});
  EXPECT_EQ(data().at("sites").at("node").dump(), "[]");
}

TEST_F(PageData, ASuspectNamesItsSitesAndItsStack) {
  add_site({50, 60});
  const Json all = data();
  const Json& suspect = all.at("suspects").at(0);
  EXPECT_EQ(suspect.at("sites").dump(), "[0]");
  EXPECT_EQ(suspect.at("containers").dump(), "[]");
  const std::size_t node = suspect.at("stack");
  EXPECT_EQ(all.at("sites").at("node").at(0), node) << "the site's stack is the same node";
  const std::size_t frame = all.at("nodes").at("frame").at(node);
  EXPECT_EQ(all.at("texts").at(all.at("frames").at("name").at(frame).get<std::size_t>()), "work");
  EXPECT_EQ(all.at("frames").at("line").at(frame), 7);
  EXPECT_EQ(all.at("frames").at("language").at(frame), 1);
}

TEST_F(PageData, SnapshotsAreColumns) {
  add_site({50, 60});
  recording.moments[1].mark = "warm";
  const Json snapshots = data().at("snapshots");
  EXPECT_EQ(snapshots.at("rss").dump(), "[1000,1001]");
  EXPECT_EQ(snapshots.at("process").dump(), "[0,0]");
  EXPECT_EQ(snapshots.at("mark").dump(), R"([null,"warm"])");
}

TEST_F(PageData, TextsArePrintable) {
  add_script_node(2, "a\n\xff</script>\u2028\"", 9);
  add_site({50});
  recording.sites[0].node = 3;
  const Json texts = data().at("texts");
  EXPECT_NE(std::find(texts.begin(), texts.end(), R"(a\x0a\xff</script>\xe2\x80\xa8")"),
            texts.end())
      << texts;
}

TEST_F(PageData, FilesThatAreNotThereHaveNoLines) {
  add_site({50});
  EXPECT_EQ(data().at("sources").dump(), "{}");
}

TEST(PageTables, EqualFramesAndStacksAreOne) {
  PageTables tables;
  model::ReportFrame frame;
  frame.function = "f";
  model::ReportFrame other = frame;
  other.line = 2;
  EXPECT_EQ(tables.stack({frame, other}), tables.stack({frame, other}));
  EXPECT_NE(tables.stack({frame, other}), tables.stack({other, frame}));
  EXPECT_EQ(tables.frames().size(), 2);
  EXPECT_EQ(tables.stack({}), 0);
}

TEST(Base64, IsThatOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64(std::string("\xff\xfe\x00\xfb", 4)), "//4A+w==");
}

TEST(Html, DataStandInOneElementAsHarmlessText) {
  std::string page;
  write_html("</script><script>alert(1)</script>", [&](std::string_view piece) { page += piece; });
  EXPECT_EQ(page.find("alert(1)"), std::string::npos);
  const std::string before = "<script type=\"text/plain\" id=\"data\">";
  const std::size_t begin = page.find(before) + before.size();
  const std::string text = page.substr(begin, page.find("</script>", begin) - begin);
  EXPECT_TRUE(text.starts_with("H4sI")) << text.substr(0, 20);  // gzip
  EXPECT_EQ(
      text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="),
      std::string::npos);
}

}  // namespace
}  // namespace seep::exporters
