// Reads the leaks that heaptrack_print lists: heaptrack_print -l 1 -p 0 -a 0 -T 0 FILE. Stateless,
// safe from any thread; the text may hold anything.
#pragma once

#include <string>
#include <string_view>

#include "analyzer/foreign/log.h"
#include "analyzer/model/result.h"

namespace seep::foreign {

// Sizes come rounded to three digits, and no numbers of blocks: the calls that it counts are all
// that were made there. `file` is named in errors.
Result<Log> read_heaptrack(std::string_view text, const std::string& file);

}  // namespace seep::foreign
