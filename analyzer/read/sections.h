// One parse function for each section: from checked bytes to the model. Every index and reference
// is checked here; errors name the section and the offset of the record.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "analyzer/model/result.h"
#include "analyzer/model/snapshot.h"
#include "analyzer/read/container.h"

namespace seep::read {

// The strings section, or that of holders. Records may share its bytes, so it gives out only a
// fixed multiple of `file_bytes` in all: a small file cannot make a reader allocate much.
class Strings {
 public:
  Strings(const Section& section, std::size_t file_bytes);

  // The text of `ref`, which stands in the record at `offset` of `user`. Valid as long as the file.
  Result<std::string_view> get(const format::StringRef& ref, const Section& user,
                               std::uint64_t offset);

  // Takes `bytes` from what may be allocated in all; false when that is used up.
  bool charge(std::uint64_t bytes);

 private:
  Bytes bytes_;
  const char* name_;
  std::uint64_t left_;
};

// What the process section says. Sums and accounting of the moment come from other sections.
struct ProcessPart {
  model::ProcessInfo process;
  model::Moment moment;
  model::EndInfo end;
  bool is_scan = false;  // the file is of a scan, not one of the series of snapshots
};

Result<ProcessPart> parse_process(const Section& section, Strings& strings);

Result<std::vector<model::Module>> parse_modules(const Section& section, Strings& strings);

// Empty where no script ran.
Result<std::vector<model::ScriptFrame>> parse_script_frames(const Section& section,
                                                            Strings& strings);

// Node 0, the root, is given back empty whatever it holds. `stacks` has the modules and script
// frames.
Result<std::vector<model::Node>> parse_nodes(const Section& section, const model::Stacks& stacks);

// Figures of one site fit together afterwards: inherited <= live <= inherited + allocated, so
// freed_blocks() never wraps around. The writer sums live blocks and reads its counters at slightly
// different moments; allocated figures that are behind are raised, inherited ones too high lowered.
Result<std::vector<model::Site>> parse_sites(const Section& section, std::size_t node_count);

// Sets ages_begin and ages_count of the sites.
Result<std::vector<model::AgeCount>> parse_ages(const Section& section,
                                                std::vector<model::Site>& sites);

// Sets the estimates of the sites.
std::optional<Error> parse_estimates(const Section& section, std::vector<model::Site>& sites);

// The sections of a scan; all of them are empty in a snapshot.
struct ScanSections {
  const Section& figures;
  const Section& unreachable;
  const Section& chains;
  const Section& links;
  const Section& holder_texts;
  const Section& kept;
};

// Sets the snapshot's scan, when the file has one. Needs its modules and sites. What is unreachable
// is left out where the scan did not see every root.
std::optional<Error> parse_scan(const ScanSections& sections, std::size_t file_bytes,
                                model::Snapshot& snapshot);

Result<model::Accounting> parse_accounting(const Section& section);

// Losses that a later minor version added are left out.
Result<model::Losses> parse_losses(const Section& section);

}  // namespace seep::read
