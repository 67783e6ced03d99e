// One name for a frame, the same in every format. Safe for a terminal: control characters, and
// bytes that are no UTF-8, stand as \xNN.
#pragma once

#include <string>

#include "analyzer/model/report.h"

namespace seep::exporters {

// "open_session"; "libfoo.so+0x12" where no name is known.
std::string frame_name(const model::ReportFrame& frame);

}  // namespace seep::exporters
