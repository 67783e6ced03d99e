// The user's own code among that of packages.
#include "analyzer/report/user_code.h"

#include <gtest/gtest.h>

#include "analyzer/report/blame.h"
#include "analyzer/report/build_report.h"
#include "analyzer/report/print.h"
#include "tests/unit/report/fixture.h"

namespace seep::report {
namespace {

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

TEST(UserFile, IsNoneOfAPackage) {
  for (const char* path :
       {"/srv/app/vendor/php-amqplib/Connection.php", "vendor/autoload.php",
        "phar:///opt/tool.phar/vendor/x/y.php", "/usr/share/php/PhpAmqpLib/Wire/AMQPReader.php",
        "/usr/lib/python3/dist-packages/flask/app.py", "/usr/lib/python3.11/json/decoder.py",
        "/opt/pyenv/versions/3.13.0/lib/python3.13t/asyncio/events.py",
        "/srv/venv/lib/python3.11/site-packages/aiohttp/web.py", "/usr/lib64/python3.9/site.py",
        "/srv/app/node_modules/express/lib/router.js", "node:internal/fs/utils",
        "<frozen importlib._bootstrap>", "<string>", "@swoole/library/core/Coroutine.php", ""}) {
    EXPECT_FALSE(is_user_file(path)) << path;
  }
}

TEST(UserFile, IsAnyOther) {
  for (const char* path :
       {"/srv/app/worker.php", "worker.php", "/srv/vendors/app.php", "/srv/app/src/vendor.php",
        "/srv/python3.11/app.py", "/opt/lib/python-tools/a.py", "/srv/share/phpunit/a.php",
        "/srv/lib/app.js", "/srv/app.php(12) : eval()'d code"}) {
    EXPECT_TRUE(is_user_file(path)) << path;
  }
}

model::ReportFrame php(const char* function, const char* file, unsigned line) {
  model::ReportFrame script = frame(function, file, line, "");
  script.language = model::Language::kPhp;
  return script;
}

const model::ReportStack kChannel = {
    php("str_repeat", nullptr, 0), php("AbstractConnection::channel", "/srv/vendor/a.php", 726),
    php("ChannelLeaker::onMessage", "/srv/worker.php", 17), php("{main}", "/srv/worker.php", 40)};

TEST(UserFrame, IsTheFirstFromTheBlamedOneOutward) {
  EXPECT_EQ(user_frame(kChannel, blamed_frame(kChannel)), 2U);
  EXPECT_EQ(user_frame(kChannel, 3), 3U);
  EXPECT_EQ(user_frame({php("f", "/srv/vendor/a.php", 1)}, 0), std::nullopt);
  EXPECT_EQ(user_frame({frame("main", "/srv/main.c", 1)}, 0), std::nullopt);
  EXPECT_EQ(user_frame({}, 0), std::nullopt);
}

// A report of two leaks in a package, which one line of the user's called.
model::Report report_of_package() {
  model::Report report = report_with_leak();
  model::Suspect& first = report.suspects[0];
  first.stack = kChannel;
  first.blame = 1;
  first.user_frame = 2;
  add_user_line(first.user_lines, kChannel[2], 500, 5);
  add_user_line(first.user_lines, kChannel[2], 100, 1);
  add_user_line(first.user_lines, kChannel[3], 70, 7);
  model::Suspect second = first;
  second.rank = 2;
  second.id = "00000000000000ff";
  second.stack[1] = php("DebugHelper::__construct", "/srv/vendor/b.php", 33);
  second.user_lines.clear();
  add_user_line(second.user_lines, kChannel[2], 400, 4);
  report.suspects.push_back(second);
  report.totals.leak_suspects = 2;
  report.user_lines = shared_user_lines(report.suspects);
  return report;
}

TEST(UserLines, AreThoseThatSeveralLeaksShare) {
  const model::Report report = report_of_package();
  ASSERT_EQ(report.user_lines.size(), 1U);
  const model::UserLine& line = report.user_lines[0];
  EXPECT_EQ(line.function, "ChannelLeaker::onMessage");
  EXPECT_EQ(line.line, 17U);
  EXPECT_EQ(line.live_bytes, 1000U);
  EXPECT_EQ(line.live_blocks, 10U);
  EXPECT_EQ(line.suspects, (std::vector<unsigned>{1, 2}));
}

TEST(UserLines, OfWhatIsNoLeakOrSuppressedDoNotCount) {
  model::Report report = report_of_package();
  report.suspects[1].leak = false;
  EXPECT_TRUE(shared_user_lines(report.suspects).empty());
  report.suspects[1].leak = true;
  report.suspects[1].suppressed_by = "leak:*";
  EXPECT_TRUE(shared_user_lines(report.suspects).empty());
}

TEST(UserFrame, StandsBesideTheBlamedOne) {
  const model::Report report = report_of_package();
  const std::string text = to_text(report, {});
  EXPECT_TRUE(has(text, "\n   AbstractConnection::channel  /srv/vendor/a.php:726  <- ")) << text;
  EXPECT_TRUE(has(text, "\n   called from ChannelLeaker::onMessage  /srv/worker.php:17\n")) << text;
  EXPECT_TRUE(has(text,
                  "\ncalled from ChannelLeaker::onMessage  /srv/worker.php:17: 1.00 KB in 10 "
                  "blocks of #1, #2\n"))
      << text;
  EXPECT_TRUE(has(to_run_summary(report, "/x"), "\n   called from ChannelLeaker::onMessage"));
  EXPECT_TRUE(has(to_markdown(report), "`ChannelLeaker::onMessage  /srv/worker.php:17` **your"))
      << to_markdown(report);
  const std::string json = to_json(report);
  EXPECT_TRUE(has(json, "\"user_frame\": 2")) << json;
  EXPECT_TRUE(has(json, "\"suspects\": [\"0123456789abcdef\", \"00000000000000ff\"]")) << json;
}

TEST(UserFrame, ThatIsBlamedIsNotSaidTwice) {
  model::Report report = report_of_package();
  report.suspects.resize(1);
  report.suspects[0].user_frame = report.suspects[0].blame;
  report.user_lines.clear();
  EXPECT_FALSE(has(to_text(report, {}), "called from"));
  EXPECT_TRUE(has(to_json(report_with_leak()), "\"user_frame\": null"));
}

TEST(RunSummary, KeepsToTwentyLinesWithEveryKindOfLine) {
  model::Report report = report_of_package();
  report.suspects[0].held_by = std::vector<model::Holder>{{"g_sessions", 1, "global", {}, {}, {}}};
  report.suspects.resize(5, report.suspects[0]);
  report.suspects[1] = report.suspects[0];
  report.totals.leak_suspects = 5;
  report.notes.assign(30, "a note");
  const std::string text = to_run_summary(report, "/var/seep");
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 20) << text;
  EXPECT_TRUE(has(text, "note: a note\n")) << text;
  EXPECT_TRUE(has(text, "more, see seep report\n")) << text;
}

// `line` makes two temporary blocks for each one that it keeps, at other places of the interpreter.
TEST(Blame, OfAScriptIsTheLineWhateverTemporaryBlocksItMakes) {
  model::Recording recording = recording_with_leak(1, 6400);
  model::Stacks& stacks = recording.stacks;
  stacks.script_frames = {{"read", "/srv/wire.py", 5, model::Language::kPython},
                          {"main", "/srv/worker.py", 40, model::Language::kPython}};
  // The script's frames stand before those of the interpreter: node 2 is what keeps, 3 what frees.
  const auto add = [&](std::uint64_t script, std::uint32_t parent) {
    model::Node node;
    node.offset = script;
    node.parent = parent;
    node.module = format::kScriptModule;
    node.language = model::Language::kPython;
    stacks.nodes.push_back(node);
    return static_cast<std::uint32_t>(stacks.nodes.size() - 1);
  };
  recording.sites[2].node = add(0, add(1, 2));
  recording.sites[1].node = add(0, add(1, 3));
  for (model::Counters& at : recording.sites[1].at) {
    at.allocated_blocks *= 10;
    at.allocated_bytes *= 10;
  }
  symbolize::Symbolizer symbolizer({});
  const model::Report report = build_report({recording}, {}, symbolizer);
  ASSERT_TRUE(report.suspects[0].leak);
  EXPECT_EQ(report.suspects[0].stack[report.suspects[0].blame].function, "read");
}

// The report fills it from the stacks of a recording.
TEST(UserFrame, IsFoundInARecording) {
  model::Recording recording = recording_with_leak(1, 6400);
  model::Stacks& stacks = recording.stacks;
  stacks.script_frames = {
      {"main", "/srv/worker.py", 40, model::Language::kPython},
      {"get", "/usr/lib/python3/dist-packages/wire.py", 7, model::Language::kPython}};
  const auto add = [&](std::uint64_t script, std::uint32_t parent) {
    model::Node node;
    node.offset = script;
    node.parent = parent;
    node.module = format::kScriptModule;
    node.language = model::Language::kPython;
    stacks.nodes.push_back(node);
    return static_cast<std::uint32_t>(stacks.nodes.size() - 1);
  };
  recording.sites[2].node = add(1, add(0, 1));
  symbolize::Symbolizer symbolizer({});
  const model::Report report = build_report({recording}, {}, symbolizer);
  ASSERT_FALSE(report.suspects.empty());
  const model::Suspect& leak = report.suspects[0];
  ASSERT_TRUE(leak.leak);
  EXPECT_EQ(leak.stack[leak.blame].function, "get");
  ASSERT_TRUE(leak.user_frame);
  EXPECT_EQ(leak.stack[*leak.user_frame].function, "main");
  ASSERT_EQ(leak.user_lines.size(), 1U);
  EXPECT_EQ(leak.user_lines[0].live_bytes, leak.live_bytes);
  EXPECT_EQ(leak.paths[0].user_frame, leak.user_frame);
}

}  // namespace
}  // namespace seep::report
