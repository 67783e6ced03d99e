// Takes the calls of a function for units of work, so that no program need be touched: they are
// counted by what is allocated under it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/symbolize/symbolizer.h"

namespace seep::report {

// Sets the units of every moment to the calls of `function` until then, and says in one sentence
// how they were counted; null, and no units anywhere, when no allocation has it in its call stack.
// `function` is a name without parameters, with or without its namespaces and classes.
//
// How often a function was called is not recorded; what was ever allocated at each site is. A call
// makes a steady number of births on each way from the function to the allocator that is always
// taken. So, of the ways inward from the outermost frame of the function (whoever called it), that
// one is taken for "once a call" which, in this order: gives back what it takes, where any does
// (what a call leaves behind is often left by some calls only); has most others in step, birth for
// birth between all snapshots; has most others' births as whole multiples of its own; has the
// fewest. Ways through a recursion are left out where there are others. Where no way is taken
// exactly once, the count is a multiple of the calls, or a share of them: the sentence names the
// allocation.
std::optional<std::string> count_calls(std::vector<model::Recording>& recordings,
                                       const std::string& function,
                                       symbolize::Symbolizer& symbolizer);

}  // namespace seep::report
