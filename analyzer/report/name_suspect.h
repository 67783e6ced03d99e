// Gives a suspect its stacks, the frame to read, and its id.
#pragma once

#include <cstddef>
#include <vector>

#include "analyzer/model/report.h"
#include "analyzer/report/build_report.h"
#include "analyzer/report/frame_kind.h"
#include "analyzer/report/group.h"
#include "analyzer/symbolize/symbolizer.h"

namespace seep::report {

class SuspectNamer {
 public:
  // The arguments must outlive the object.
  SuspectNamer(const Grouping& input, symbolize::Symbolizer& symbolizer, const Options& options)
      : input_(input), symbolizer_(symbolizer), options_(options) {}

  // Fills stack, blame, user_frame, user_lines, id, paths and paths_omitted. Of a leak the hundred
  // largest paths are kept, as long as there are no more than two thousand in all; of the others
  // the largest.
  void name(model::Suspect& suspect, const Group& group);

  // All paths instead of the largest; `group` is the suspect's own.
  void name_all_paths(model::Suspect& suspect, const Group& group);

  // The suspect was made from this group and named.
  [[nodiscard]] static bool is_of(const model::Suspect& suspect, const Group& group);

 private:
  model::SuspectPath path_of(const Path& path);
  void add_user_lines(model::Suspect& suspect, const Group& group);
  std::size_t paths_kept(const Group& group) const;

  Grouping input_;
  symbolize::Symbolizer& symbolizer_;
  const Options& options_;
  BareNames names_;
  std::size_t paths_so_far_ = 0;
};

// Several suspects can have one function to blame: a leak, and what it frees properly. The first
// keeps its id, the others get ids made from it and their behaviour. Returns how many were made,
// counting those that were taken: with n suspects hardly ever more than n.
std::size_t make_ids_unique(std::vector<model::Suspect>& suspects);

}  // namespace seep::report
