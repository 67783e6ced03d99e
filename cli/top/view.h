// What `seep top` shows, as plain data and as lines of text. Pure, thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/model/report.h"

namespace seep::cli {

// One row: a group of call stacks with one cause, as in `seep report`.
struct TopRow {
  std::string id;
  std::string where;  // the frame to read
  std::string verdict;
  bool leak = false;
  std::optional<double> growth_bytes_per_s;
  std::uint64_t live_bytes = 0;
  std::uint64_t live_blocks = 0;
  double oldest_s = 0;
  std::vector<std::string> stack;  // innermost first
};

enum class TopOrder { kGrowth, kLive, kAge };
inline constexpr const char* kTopOrders[] = {"growth", "live", "age"};

struct TopView {
  int pid = 0;
  std::string name;   // of the program
  std::string state;  // "recording"
  std::uint64_t rss_bytes = 0;
  std::uint64_t live_bytes = 0;  // at the last snapshot
  std::uint64_t live_blocks = 0;
  std::uint32_t snapshot = 0;  // its number; 0: there is none yet
  std::vector<TopRow> rows;
  TopOrder order = TopOrder::kGrowth;
  std::string message;  // what a key did; empty: nothing
};

std::vector<TopRow> rows_of(const model::Report& report);

// The largest first; where two are equal, in the order of the report.
void sort_rows(std::vector<TopRow>& rows, TopOrder order);

// The first two lines: the process, and what its memory is.
std::vector<std::string> header_lines(const TopView& view);
std::string column_line(TopOrder order);
std::string row_line(const TopRow& row);

// One object in one line.
std::string to_json(const TopView& view, std::size_t most_rows);

// Which rows are on the screen, and which of them is chosen. It stays with its row when rows move.
class TopCursor {
 public:
  void move(const std::vector<TopRow>& rows, long by);
  // After the rows have changed: `room` rows fit.
  void follow(const std::vector<TopRow>& rows, std::size_t room);
  [[nodiscard]] std::size_t chosen() const { return chosen_; }
  [[nodiscard]] std::size_t first() const { return first_; }

 private:
  std::string id_;
  std::size_t chosen_ = 0;
  std::size_t first_ = 0;
};

// A screen of `height` lines: header, rows, the stack of the chosen one if asked for, and what the
// keys do or have done.
struct TopScreen {
  std::vector<std::string> lines;
  std::size_t highlighted = ~std::size_t{0};
};
TopScreen screen_of(const TopView& view, TopCursor& cursor, bool shows_stack, std::size_t height);

}  // namespace seep::cli
