// One page that shows a report: growth, suspects, stacks, series and flame graphs. It needs no
// network and no other file.
#pragma once

#include <string_view>

#include "analyzer/export/write.h"

namespace seep::exporters {

// `data` is page_data()'s. It stands in the page compressed and in base64: whatever the names of a
// program are, the page's markup is the same.
void write_html(std::string_view data, const Write& write);

// The page without data, as scripts/build_page makes it.
std::string_view empty_page();

}  // namespace seep::exporters
