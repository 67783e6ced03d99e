// seep mark PID LABEL [--units N]: a labelled snapshot, for growth per unit of work.
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>

#include "analyzer/model/printable.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/output.h"

namespace seep::cli {
namespace {

struct Options {
  AskOptions ask;
  std::string label;
  std::optional<std::uint64_t> units;
};

std::string fitting_label(const std::string& label) {
  const bool fits = !label.empty() && label.size() <= client::kMaxLabelBytes;
  return fits ? "" : fmt::format("a label has 1 to {} bytes", client::kMaxLabelBytes);
}

int mark_verb(const Options& options) {
  client::Request request;
  request.kind = format::RequestKind::kMark;
  request.label = options.label;
  request.units = options.units;
  const Result<Served> served = ask(options.ask, request);
  if (!served) {
    return fail(served.error());
  }
  fmt::print("{}\n", model::printable(served->file));
  return kDone;
}

}  // namespace

Action describe_mark(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  add_ask(arguments, options->ask);
  arguments.option("LABEL", options->label, "What this moment is called in reports")
      .required()
      .check(fitting_label);
  arguments
      .option("--units", options->units, "Units of work done since the program started, in total")
      .placeholder("N")
      .not_negative();
  return [options](const auto&) { return mark_verb(*options); };
}

}  // namespace seep::cli
