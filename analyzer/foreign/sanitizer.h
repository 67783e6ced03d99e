// Reads the leaks in a report of LeakSanitizer, alone or in AddressSanitizer: of gcc's and clang's
// runtime, symbolized or not, also in the midst of a program's own output. Stateless, safe from any
// thread; the text may hold anything.
#pragma once

#include <string>
#include <string_view>

#include "analyzer/foreign/log.h"
#include "analyzer/model/result.h"

namespace seep::foreign {

// An empty text is the log of a program without leaks: the tool writes nothing then. `file` is
// named in errors.
Result<Log> read_sanitizer(std::string_view text, const std::string& file);

// "    #1 0x5581 in open_session /src/server.cpp:29:12" or "    #1 0x5581  (/bin/server+0x11dd)".
bool parse_sanitizer_frame(std::string_view line, Frame& frame);

}  // namespace seep::foreign
