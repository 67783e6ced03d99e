#include "analyzer/export/frame_name.h"

#include <fmt/format.h>

#include "analyzer/model/printable.h"
#include "analyzer/report/frame_kind.h"

namespace seep::exporters {

std::string frame_name(const model::ReportFrame& frame) {
  if (frame.function && !frame.function->empty()) {
    return model::printable(*frame.function);
  }
  if (frame.module.empty()) {
    return fmt::format("0x{:x}", frame.offset);
  }
  return fmt::format("{}+0x{:x}", model::printable(report::base_name(frame.module)), frame.offset);
}

}  // namespace seep::exporters
