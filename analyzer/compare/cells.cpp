// What the tables say, as text and as HTML.
#include "analyzer/compare/cells.h"

#include <fmt/format.h>

#include "analyzer/model/figures.h"
#include "analyzer/model/printable.h"
#include "analyzer/report/frame_kind.h"

namespace seep::compare {
namespace {

using model::format_count;
using model::printable;

std::string list_of(const std::vector<std::string>& items, const char* last) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == items.size() ? last : ", ") + items[i];
  }
  return text;
}

std::string text_of(const Amount& amount) {
  std::string text = model::format_bytes(static_cast<double>(amount.bytes));
  if (amount.blocks) {
    text += fmt::format(" in {} {}", format_count(*amount.blocks),
                        *amount.blocks == 1 ? "block" : "blocks");
  }
  return text;
}

// "definitely lost 16 B in 1 block", for what is not nothing.
void add_part(std::vector<std::string>& parts, const char* words,
              const std::optional<Amount>& amount) {
  if (amount && (amount->bytes != 0 || amount->blocks.value_or(0) != 0)) {
    parts.push_back(fmt::format("{} {}", words, text_of(*amount)));
  }
}

std::string amounts_of(const Finding& finding, Tool tool) {
  std::vector<std::string> parts;
  switch (tool) {
    case Tool::kSeep:
      add_part(parts, "unreachable", finding.direct);
      add_part(parts, "indirectly", finding.indirect);
      add_part(parts, "of", finding.live);
      break;
    case Tool::kValgrind:
      add_part(parts, "definitely lost", finding.direct);
      add_part(parts, "indirectly lost", finding.indirect);
      add_part(parts, "possibly lost", finding.possible);
      add_part(parts, "still reachable", finding.reachable);
      break;
    case Tool::kLeakSanitizer:
      add_part(parts, "direct leak", finding.direct);
      add_part(parts, "indirect leak", finding.indirect);
      break;
    case Tool::kHeaptrack:
      add_part(parts, "not freed", finding.live);
  }
  return list_of(parts, ", ");
}

std::string amounts_of_seep(const Leak& leak) {
  const Finding& finding = leak.findings.front();
  if (leak.suspect == nullptr) {
    return "";
  }
  const auto lost = finding.lost();
  if (!lost || lost->bytes == 0) {
    return leak.suspect->verdict + " " + text_of(*finding.live);
  }
  std::vector<std::string> parts;
  add_part(parts, "unreachable", finding.direct);
  add_part(parts, "indirectly", finding.indirect);
  if (finding.live->bytes != lost->bytes) {
    add_part(parts, "of", finding.live);
  }
  const std::string& verdict = leak.suspect->verdict;
  return (verdict == "unreachable" ? "" : verdict + ", ") + list_of(parts, ", ");
}

}  // namespace

std::string said_of(const Leak& leak, std::size_t column, const Column& of) {
  const Finding& finding = leak.findings[column];
  std::string said = of.tool == Tool::kSeep ? amounts_of_seep(leak) : amounts_of(finding, of.tool);
  if (finding.missed == Missed::kStillReachable) {
    said += ", which it does not count as lost";  // the amounts name it
  } else if (!finding.found()) {
    said += (said.empty() ? "" : ": ") + printable(finding.why);
  }
  return said;
}

std::string title_of(const Column& column) {
  std::vector<std::string> files;
  for (const std::string& file : column.files) {
    files.push_back(printable(report::base_name(file)));
  }
  constexpr std::size_t kMostNamed = 3;
  if (files.size() > kMostNamed) {
    files = {files.front(), fmt::format("{} more", files.size() - 1)};
  }
  return fmt::format("{}{}", title_of(column.tool),
                     files.empty() ? "" : " (" + list_of(files, " and ") + ")");
}

std::string title_of(const Comparison& comparison) {
  std::vector<std::string> tools;
  for (const Column& column : comparison.columns) {
    tools.push_back(title_of(column));
  }
  return fmt::format("{} as seen by {}", printable(comparison.program), list_of(tools, " and "));
}

std::string summary_of(const Comparison& comparison) {
  if (comparison.leak_count == 0) {
    return "No tool found a leak.";
  }
  std::vector<std::string> parts;
  for (const Column& column : comparison.columns) {
    parts.push_back(fmt::format("{} {}", title_of(column.tool), format_count(column.found)));
  }
  return fmt::format("{} {}; found by {}.", format_count(comparison.leak_count),
                     comparison.leak_count == 1 ? "leak" : "leaks", list_of(parts, ", "));
}

}  // namespace seep::compare
