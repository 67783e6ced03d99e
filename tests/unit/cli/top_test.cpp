#include <gtest/gtest.h>

#include <clocale>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/top/screen.h"
#include "cli/top/view.h"

namespace seep::cli {
namespace {

TopRow row(const std::string& id, double growth, std::uint64_t live, double oldest_s) {
  TopRow row;
  row.id = id;
  row.where = id;
  row.growth_bytes_per_s = growth;
  row.live_bytes = live;
  row.oldest_s = oldest_s;
  row.stack = {id, "main"};
  return row;
}

std::vector<TopRow> three_rows() {
  return {row("a", 1, 300, 2), row("b", 3, 100, 1), row("c", 2, 200, 3)};
}

std::string order_of(const std::vector<TopRow>& rows) {
  std::string ids;
  for (const TopRow& row : rows) {
    ids += row.id;
  }
  return ids;
}

TEST(Top, RowsAreOrderedByWhatIsAskedFor) {
  std::vector<TopRow> rows = three_rows();
  sort_rows(rows, TopOrder::kGrowth);
  EXPECT_EQ(order_of(rows), "bca");
  sort_rows(rows, TopOrder::kLive);
  EXPECT_EQ(order_of(rows), "acb");
  sort_rows(rows, TopOrder::kAge);
  EXPECT_EQ(order_of(rows), "cab");
}

TEST(Top, WhatHasNoGrowthComesBehindWhatShrinks) {
  std::vector<TopRow> rows = three_rows();
  rows[1].growth_bytes_per_s.reset();
  rows[2].growth_bytes_per_s = -5;
  sort_rows(rows, TopOrder::kGrowth);
  EXPECT_EQ(order_of(rows), "acb");
}

// A program chooses the names of its functions; a terminal must not obey them.
TEST(Top, NamesCannotSpeakToTheTerminal) {
  model::Report report;
  model::Suspect suspect;
  model::ReportFrame frame;
  frame.function = "f\x1b[2J\x07\r\n";
  frame.module = "/tmp/\x1b]0;x";
  suspect.stack = {frame, frame};
  suspect.verdict = "growing";
  report.suspects = {suspect};
  TopView view;
  view.name = "n\x1b[31m";
  view.message = "m\x9b";
  view.rows = rows_of(report);
  TopCursor cursor;
  for (const std::string& line : screen_of(view, cursor, true, 24).lines) {
    for (const char c : line) {
      EXPECT_TRUE(c >= ' ' && c != 0x7F) << line;
    }
  }
  EXPECT_EQ(to_json(view, 10).find('\x1b'), std::string::npos);
}

TEST(Top, TheScreenHasAsManyLinesAsTheTerminal) {
  TopView view;
  view.rows = three_rows();
  TopCursor cursor;
  for (std::size_t height = 1; height < 12; ++height) {
    for (const bool shows_stack : {false, true}) {
      const TopScreen screen = screen_of(view, cursor, shows_stack, height);
      EXPECT_EQ(screen.lines.size(), height);
      EXPECT_NE(screen.lines.back().find("quit"), std::string::npos);
    }
  }
}

TEST(Top, TheChosenRowIsFollowedAndSeen) {
  std::vector<TopRow> rows;
  rows.reserve(50);
  for (int i = 0; i < 50; ++i) {
    rows.push_back(row(std::to_string(i), i, 0, 0));
  }
  TopCursor cursor;
  cursor.move(rows, 30);
  cursor.follow(rows, 10);
  EXPECT_EQ(cursor.chosen(), 30U);
  EXPECT_EQ(cursor.first(), 21U);
  sort_rows(rows, TopOrder::kGrowth);
  cursor.follow(rows, 10);
  EXPECT_EQ(rows[cursor.chosen()].id, "30");
  cursor.move(rows, -1000);
  cursor.follow(rows, 10);
  EXPECT_EQ(cursor.chosen() + cursor.first(), 0U);
  cursor.follow({}, 0);
  EXPECT_EQ(cursor.chosen(), 0U);
}

TEST(Top, JsonHasNullWhereNothingIsKnown) {
  TopView view;
  view.rows = three_rows();
  view.rows[0].growth_bytes_per_s.reset();
  const auto json = nlohmann::json::parse(to_json(view, 2));
  EXPECT_EQ(json["schema"], "seep.top/1");
  ASSERT_EQ(json["rows"].size(), 2U);
  EXPECT_TRUE(json["rows"][0]["growth_bytes_per_s"].is_null());
  EXPECT_EQ(json["rows"][1]["growth_bytes_per_s"], 3.0);
}

TEST(Top, LinesAreCutAsTheTerminalCountsThem) {
  ASSERT_NE(std::setlocale(LC_CTYPE, "C.UTF-8"), nullptr);
  EXPECT_EQ(cut_to("abcdef", 3), "abc");
  EXPECT_EQ(cut_to("a\u00e4\u00f6c", 3), "a\u00e4\u00f6");
  EXPECT_EQ(cut_to("\u4e2d\u6587x", 3), "\u4e2d") << "each takes two columns";
  EXPECT_EQ(cut_to("a\xff"
                   "b",
                   9),
            "a?b");
  std::setlocale(LC_CTYPE, "C");
  EXPECT_EQ(cut_to("a\u00e4b", 9), "a??b");
}

}  // namespace
}  // namespace seep::cli
