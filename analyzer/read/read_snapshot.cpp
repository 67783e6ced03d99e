#include "analyzer/read/read_snapshot.h"

#include <cmath>
#include <limits>

#include "analyzer/read/container.h"
#include "analyzer/read/load_file.h"
#include "analyzer/read/read_bytes.h"
#include "analyzer/read/sections.h"

namespace seep::read {
namespace {

using format::SectionId;

// A sum that stops at the largest number: hostile figures must not wrap around to small ones.
std::uint64_t add(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b
             ? std::numeric_limits<std::uint64_t>::max()
             : a + b;
}

// Sites are sampled independently of each other: variances add up.
void sum_sites(model::Snapshot& snapshot) {
  double variance = 0;
  for (const model::Site& site : snapshot.sites) {
    snapshot.moment.live_bytes = add(snapshot.moment.live_bytes, site.counters.live_bytes);
    snapshot.moment.live_blocks = add(snapshot.moment.live_blocks, site.counters.live_blocks);
    variance += site.estimate.live_bytes_error * site.estimate.live_bytes_error;
  }
  if (snapshot.process.mode == model::Mode::kSample) {
    snapshot.moment.live_bytes_error = std::sqrt(variance);
  }
}

// Moves a result's value to `target`, or gives its error back.
template <typename T>
std::optional<Error> take(Result<T> result, T& target) {
  if (!result) {
    return result.error();
  }
  target = std::move(*result);
  return std::nullopt;
}

std::optional<Error> parse_sections(const std::vector<Section>& sections, std::size_t file_bytes,
                                    model::Snapshot& snapshot) {
  Strings strings(sections[1], file_bytes);
  ProcessPart part;
  if (auto error = take(parse_process(sections[0], strings), part)) {
    return error;
  }
  snapshot.process = std::move(part.process);
  snapshot.moment = std::move(part.moment);
  snapshot.end = std::move(part.end);
  model::Stacks& stacks = snapshot.stacks;
  if (auto error = take(parse_modules(sections[2], strings), stacks.modules)) {
    return error;
  }
  if (auto error = take(parse_script_frames(sections[13], strings), stacks.script_frames)) {
    return error;
  }
  if (auto error = take(parse_nodes(sections[3], stacks), stacks.nodes)) {
    return error;
  }
  if (auto error = take(parse_sites(sections[4], stacks.nodes.size()), snapshot.sites)) {
    return error;
  }
  if (auto error = take(parse_ages(sections[5], snapshot.sites), snapshot.ages)) {
    return error;
  }
  if (auto error = take(parse_accounting(sections[6]), snapshot.moment.accounting)) {
    return error;
  }
  if (auto error = take(parse_losses(sections[7]), snapshot.losses)) {
    return error;
  }
  if (auto error = parse_estimates(sections[8], snapshot.sites)) {
    return error;
  }
  return parse_scan(
      {sections[9], sections[10], sections[11], sections[12], sections[14], sections[15]},
      file_bytes, snapshot);
}

}  // namespace

Result<model::Snapshot> read_bytes(Bytes file) {
  constexpr SectionId kWanted[] = {
      SectionId::kProcess,   SectionId::kStrings,      SectionId::kModules,     SectionId::kNodes,
      SectionId::kSites,     SectionId::kAges,         SectionId::kAccounting,  SectionId::kLosses,
      SectionId::kEstimates, SectionId::kScan,         SectionId::kUnreachable, SectionId::kChains,
      SectionId::kLinks,     SectionId::kScriptFrames, SectionId::kHolderTexts, SectionId::kKept};
  const auto sections = read_sections(file, kWanted);
  if (!sections) {
    return sections.error();
  }
  model::Snapshot snapshot;
  if (auto error = parse_sections(*sections, file.size(), snapshot)) {
    return *error;
  }
  sum_sites(snapshot);
  return snapshot;
}

Result<ProcessPart> read_process(const std::string& path) {
  const auto file = load_file(path);
  if (!file) {
    return file.error();
  }
  constexpr SectionId kWanted[] = {SectionId::kProcess, SectionId::kStrings, SectionId::kScan};
  auto sections = read_sections(file->bytes(), kWanted);
  if (sections) {
    Strings strings((*sections)[1], file->bytes().size());
    auto part = parse_process((*sections)[0], strings);
    if (part) {
      part->is_scan = (*sections)[2].bytes.size() != 0;
      return part;
    }
    sections = part.error();
  }
  Error error = sections.error();
  error.file = path;
  return error;
}

Result<model::Snapshot> read_snapshot(const std::string& path) {
  const auto file = load_file(path);
  if (!file) {
    return file.error();
  }
  auto snapshot = read_bytes(file->bytes());
  if (!snapshot) {
    Error error = snapshot.error();
    error.file = path;
    return error;
  }
  snapshot->moment.file = path;
  if (snapshot->scan) {
    snapshot->scan->file = path;
  }
  return snapshot;
}

}  // namespace seep::read
