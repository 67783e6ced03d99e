// The table as a page of its own: no script, nothing from the network, light and dark.
#include <fmt/format.h>

#include <algorithm>

#include "analyzer/compare/cells.h"
#include "analyzer/compare/print.h"
#include "analyzer/model/figures.h"
#include "analyzer/model/xml_text.h"
#include "analyzer/report/lines.h"

namespace seep::compare {
namespace {

using model::xml_text;

constexpr std::size_t kMostRows = 1000;

// What was found or missed is said in words too: colours alone are not seen by everybody.
constexpr const char* kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{0}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 2rem; }}
h1 {{ font-size: 1.25rem; }}
table {{ border-collapse: collapse; }}
th, td {{ border-bottom: 1px solid #8886; padding: 0.5rem 0.8rem; text-align: left; vertical-align: top; }}
code {{ font-size: 0.9em; overflow-wrap: anywhere; }}
details {{ color: light-dark(#555, #aaa); font-size: 0.9em; }}
.found b {{ color: light-dark(#0072b2, #56b4e9); }}
.missed b {{ color: light-dark(#a94a00, #e69f00); }}
</style>
</head>
<body>
<h1>{0}</h1>
<p>{1}</p>
)";

void add_stack(std::string& text, const Leak& leak) {
  if (leak.stack.empty()) {
    return;
  }
  text += "<details><summary>call stack</summary><ol>";
  for (const model::ReportFrame& frame : leak.stack) {
    text += fmt::format("<li><code>{}</code></li>", xml_text(report::frame_text(frame)));
  }
  text += "</ol></details>";
}

void add_row(std::string& text, const Leak& leak, std::size_t number,
             const std::vector<Column>& columns) {
  text += fmt::format("<tr><td>{}</td><td><code>{}</code>", number,
                      xml_text(report::frame_text(leak.frame)));
  if (leak.same_counts && !*leak.same_counts) {
    text += "<br>counts differ: each tool saw a run of its own";
  }
  add_stack(text, leak);
  text += "</td>";
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool found = leak.findings[i].found();
    text += fmt::format("<td class=\"{0}\"><b>{1} {0}</b><br>{2}</td>", found ? "found" : "missed",
                        found ? "\u2713" : "\u2013", xml_text(said_of(leak, i, columns[i])));
  }
  text += "</tr>\n";
}

void add_table(std::string& text, const Comparison& comparison, std::size_t rows) {
  text += "<table>\n<thead><tr><th>#</th><th>leak</th>";
  for (const Column& column : comparison.columns) {
    text += fmt::format("<th>{}</th>", xml_text(title_of(column)));
  }
  text += "</tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < rows; ++i) {
    add_row(text, comparison.leaks[i], i + 1, comparison.columns);
  }
  text += "</tbody>\n</table>\n";
}

}  // namespace

std::string to_html(const Comparison& comparison, bool all) {
  std::string text =
      fmt::format(kHead, xml_text(title_of(comparison)), xml_text(summary_of(comparison)));
  for (const std::string& note : comparison.notes) {
    text += fmt::format("<p>Note: {}</p>\n", xml_text(note));
  }
  const std::size_t wanted = all ? comparison.leaks.size() : comparison.leak_count;
  const std::size_t rows = std::min(wanted, kMostRows);
  if (rows != 0) {
    add_table(text, comparison, rows);
  }
  if (rows < wanted) {
    text += fmt::format("<p>{} more leaks stand in the JSON.</p>\n",
                        model::format_count(wanted - rows));
  }
  if (const std::size_t others = comparison.leaks.size() - comparison.leak_count;
      others != 0 && !all) {
    text += fmt::format("<p>{} more that no tool calls a leak, or only heaptrack (--all).</p>\n",
                        model::format_count(others));
  }
  return text + "</body>\n</html>\n";
}

}  // namespace seep::compare
