#include "cli/export_stacks.h"

#include <fmt/format.h>

namespace seep::cli {
namespace {

Error several(const std::vector<model::Recording>& recordings) {
  return {ErrorKind::kUsage,
          {},
          {},
          {},
          fmt::format("--at and --since name a snapshot of one recording, and these are {}",
                      recordings.size()),
          "name one of them, such as " + recordings.front().path};
}

Error no_snapshot(const model::Recording& recording, const std::string& name) {
  return {ErrorKind::kUsage,
          recording.path,
          {},
          {},
          "no snapshot has the number or mark " + name,
          fmt::format("give a number from {} to {} or the label of a mark",
                      recording.moments.front().sequence, recording.moments.back().sequence)};
}

Error not_earlier(const StacksOptions& options) {
  const std::string at = options.at.empty() ? "the last snapshot" : "the snapshot " + options.at;
  return {ErrorKind::kUsage,
          {},
          {},
          {},
          fmt::format("the snapshot {} is not earlier than {}", options.since, at),
          "give --since the earlier one"};
}

Error nothing_to_compare() {
  return {ErrorKind::kUsage, {}, {}, {}, "--old-and-new needs --since", "name an earlier snapshot"};
}

}  // namespace

void add_stacks(Arguments& arguments, StacksOptions& options) {
  const std::string heading = "FORMATS OF STACKS";
  arguments
      .option("--at", options.at,
              "The snapshot with this number (3 is snapshot-000003.seep) or the last with this "
              "mark, instead of the last of all")
      .placeholder("SNAPSHOT")
      .group(heading);
  arguments
      .option("--since", options.since,
              "What is more (or, negative, less) than in this earlier snapshot, by its number or "
              "the first with this mark")
      .placeholder("SNAPSHOT")
      .group(heading);
  arguments
      .flag("--allocated", options.allocated,
            "collapsed: all bytes that were allocated instead of those that are alive")
      .group(heading);
  arguments
      .flag("--old-and-new", options.old_and_new,
            "collapsed: with --since, both values instead of their difference, as FlameGraph's "
            "differential graphs take them")
      .group(heading);
}

std::string given_option(const StacksOptions& options) {
  return !options.at.empty()      ? "--at"
         : !options.since.empty() ? "--since"
         : options.allocated      ? "--allocated"
         : options.old_and_new    ? "--old-and-new"
                                  : "";
}

Result<std::vector<exporters::Span>> spans_of(const std::vector<model::Recording>& recordings,
                                              const StacksOptions& options) {
  if (options.old_and_new && options.since.empty()) {
    return nothing_to_compare();
  }
  std::vector<exporters::Span> spans;
  spans.reserve(recordings.size());
  for (const model::Recording& recording : recordings) {
    spans.push_back({recording.moments.size() - 1, std::nullopt});
  }
  if (options.at.empty() && options.since.empty()) {
    return spans;
  }
  if (recordings.size() != 1) {
    return several(recordings);
  }
  const model::Recording& recording = recordings.front();
  if (!options.at.empty()) {
    const auto at = exporters::find_moment(recording, options.at, /*last=*/true);
    if (!at) {
      return no_snapshot(recording, options.at);
    }
    spans.front().at = *at;
  }
  if (!options.since.empty()) {
    const auto since = exporters::find_moment(recording, options.since, /*last=*/false);
    if (!since) {
      return no_snapshot(recording, options.since);
    }
    if (*since >= spans.front().at) {
      return not_earlier(options);
    }
    spans.front().since = since;
  }
  return spans;
}

}  // namespace seep::cli
