// Containers that grow: one block that doubled again and again, and which leaks grew in step with
// it.
#pragma once

#include <cstddef>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/report/group.h"
#include "analyzer/report/node_names.h"

namespace seep::report {

// In one recording; made at one line of a script, or under one native call stack.
struct FoundContainer {
  std::size_t recording = 0;
  std::vector<std::uint32_t> sites;
  std::vector<model::Counters> at;  // their sum
  rank::Enlarged enlarged;
};

// The largest hundred, largest first.
std::vector<FoundContainer> find_containers(const std::vector<model::Recording>& recordings,
                                            const NodeNames& names);

// Fills Suspect::containers: those that the group's sites are part of, and, of a leak, those that
// grew in step with its blocks, behind the first. `first_snapshot`: of each recording, in
// Report::snapshots.
void add_containers(model::Suspect& suspect, const Group& group, const Grouping& input,
                    const std::vector<FoundContainer>& found,
                    const std::vector<std::size_t>& first_snapshot);

// What the report says of them, named.
std::vector<model::Container> name_containers(const std::vector<FoundContainer>& found,
                                              const std::vector<model::Recording>& recordings,
                                              symbolize::Symbolizer& symbolizer);

}  // namespace seep::report
