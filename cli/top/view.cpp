#include "cli/top/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analyzer/model/figures.h"
#include "analyzer/model/printable.h"
#include "analyzer/report/lines.h"

namespace seep::cli {
namespace {

using model::printable;

// What has no figure comes last.
double figure_of(const TopRow& row, TopOrder order) {
  switch (order) {
    case TopOrder::kGrowth:
      return row.growth_bytes_per_s.value_or(-1e300);
    case TopOrder::kLive:
      return static_cast<double>(row.live_bytes);
    case TopOrder::kAge:
      return row.oldest_s;
  }
  return 0;
}

nlohmann::json json_of(const TopRow& row) {
  nlohmann::json json = {{"id", row.id},
                         {"where", row.where},
                         {"verdict", row.verdict},
                         {"leak", row.leak},
                         {"growth_bytes_per_s", nullptr},
                         {"live_bytes", row.live_bytes},
                         {"live_blocks", row.live_blocks},
                         {"oldest_s", row.oldest_s},
                         {"stack", row.stack}};
  if (row.growth_bytes_per_s) {
    json["growth_bytes_per_s"] = *row.growth_bytes_per_s;
  }
  return json;
}

}  // namespace

std::vector<TopRow> rows_of(const model::Report& report) {
  std::vector<TopRow> rows;
  for (const model::Suspect& suspect : report.suspects) {
    TopRow row;
    row.id = suspect.id;
    row.verdict = suspect.verdict;
    row.leak = suspect.leak && !suspect.suppressed_by;
    row.growth_bytes_per_s = suspect.growth_bytes_per_s;
    row.live_bytes = suspect.live_bytes;
    row.live_blocks = suspect.live_blocks;
    row.oldest_s = suspect.oldest_s;
    for (const model::ReportFrame& frame : suspect.stack) {
      row.stack.push_back(printable(report::frame_text(frame)));
    }
    row.where = suspect.blame < row.stack.size() ? row.stack[suspect.blame] : "(no stack)";
    rows.push_back(std::move(row));
  }
  return rows;
}

void sort_rows(std::vector<TopRow>& rows, TopOrder order) {
  std::stable_sort(rows.begin(), rows.end(), [order](const TopRow& a, const TopRow& b) {
    return figure_of(a, order) > figure_of(b, order);
  });
}

std::vector<std::string> header_lines(const TopView& view) {
  return {fmt::format("seep top  {}[{}]  {}", printable(view.name), view.pid, view.state),
          fmt::format("RSS {}  live {} in {} blocks at snapshot {}",
                      model::format_bytes(static_cast<double>(view.rss_bytes)),
                      model::format_bytes(static_cast<double>(view.live_bytes)),
                      model::format_count(view.live_blocks), view.snapshot)};
}

// The column that orders the rows is marked.
std::string column_line(TopOrder order) {
  const auto mark = [order](TopOrder column) { return column == order ? "*" : " "; };
  return fmt::format("{:>13}{}{:>10}{}{:>10} {:>10}{} {:<11} {}", "GROWTH", mark(TopOrder::kGrowth),
                     "LIVE", mark(TopOrder::kLive), "BLOCKS", "OLDEST", mark(TopOrder::kAge),
                     "VERDICT", "WHERE");
}

std::string row_line(const TopRow& row) {
  return fmt::format("{:>13} {:>10} {:>10} {:>10}  {:<11} {}",
                     row.growth_bytes_per_s ? model::format_hourly(*row.growth_bytes_per_s) : "-",
                     model::format_bytes(static_cast<double>(row.live_bytes)),
                     model::format_count(row.live_blocks), model::format_duration(row.oldest_s),
                     row.verdict, row.where);
}

std::string to_json(const TopView& view, std::size_t most_rows) {
  nlohmann::json rows = nlohmann::json::array();
  for (std::size_t i = 0; i < std::min(most_rows, view.rows.size()); ++i) {
    rows.push_back(json_of(view.rows[i]));
  }
  const nlohmann::json json = {{"schema", "seep.top/1"},          {"pid", view.pid},
                               {"name", printable(view.name)},    {"state", view.state},
                               {"rss_bytes", view.rss_bytes},     {"live_bytes", view.live_bytes},
                               {"live_blocks", view.live_blocks}, {"snapshot", view.snapshot},
                               {"rows", std::move(rows)}};
  return json.dump();
}

void TopCursor::move(const std::vector<TopRow>& rows, long by) {
  const long last = static_cast<long>(rows.size()) - 1;
  const long wanted = std::clamp(static_cast<long>(chosen_) + by, 0L, std::max(last, 0L));
  chosen_ = static_cast<std::size_t>(wanted);
  id_ = chosen_ < rows.size() ? rows[chosen_].id : "";
}

void TopCursor::follow(const std::vector<TopRow>& rows, std::size_t room) {
  const auto found =
      std::find_if(rows.begin(), rows.end(), [this](const TopRow& row) { return row.id == id_; });
  if (!id_.empty() && found != rows.end()) {
    chosen_ = static_cast<std::size_t>(found - rows.begin());
  }
  chosen_ = std::min(chosen_, rows.empty() ? 0 : rows.size() - 1);
  room = std::max<std::size_t>(room, 1);
  first_ = std::clamp(first_, chosen_ < room ? 0 : chosen_ - room + 1, chosen_);
}

TopScreen screen_of(const TopView& view, TopCursor& cursor, bool shows_stack, std::size_t height) {
  constexpr char kKeys[] =
      "q quit  g growth  l live  a age  Enter stack  s snapshot  m mark  c scan";
  TopScreen screen;
  screen.lines = header_lines(view);
  screen.lines.push_back(column_line(view.order));
  const std::size_t used = screen.lines.size() + 1;  // the last line is that of the keys
  const std::size_t room = height > used ? height - used : 0;
  const std::size_t for_rows = shows_stack ? (room + 1) / 2 : room;
  cursor.follow(view.rows, for_rows);
  for (std::size_t i = cursor.first(); i < std::min(view.rows.size(), cursor.first() + for_rows);
       ++i) {
    screen.highlighted = i == cursor.chosen() ? screen.lines.size() : screen.highlighted;
    screen.lines.push_back(row_line(view.rows[i]));
  }
  if (shows_stack && cursor.chosen() < view.rows.size()) {
    screen.lines.emplace_back();
    for (const std::string& frame : view.rows[cursor.chosen()].stack) {
      screen.lines.push_back("  " + frame);
    }
  }
  screen.lines.resize(height > 0 ? height - 1 : 0);
  screen.lines.push_back(view.message.empty() ? kKeys : printable(view.message));
  return screen;
}

}  // namespace seep::cli
