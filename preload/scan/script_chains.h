// Chains in the words of a script, for the answer of a scan. Context: IN-FORK-CHILD.
#pragma once

#include "preload/scan/scan.h"
#include "preload/scan/script_walk.h"

namespace seep::scan {

// Adds the commonest chains of each site, at most `most`, of which half of what lives was met in
// `walk`, which has run. Chains that read the same are one, and where none leads to half of what
// was met, keys are left out of the words.
void add_script_chains(ScriptWalk& walk, const Pages<SiteFigures>& figures, unsigned most,
                       Answer& answer);

// Runs `walk` and adds these chains, then what the interpreter keeps to use it again, with the time
// that is left: the list goes over all blocks, and who holds them is asked for more often.
void tell_script(ScriptWalk& walk, const Pages<SiteFigures>& figures, unsigned most,
                 std::uint32_t sites, Answer& answer);

}  // namespace seep::scan
