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

}  // namespace seep::scan
