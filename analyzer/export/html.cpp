#include "analyzer/export/html.h"

#include <cstddef>
#include <string>

#include "analyzer/export/base64.h"
#include "analyzer/export/gzip.h"

// Of page.S.
extern "C" const char kSeepPageBegin[];
extern "C" const char kSeepPageEnd[];

namespace seep::exporters {
namespace {

constexpr std::string_view kPlaceOfData = "%data%";

}  // namespace

std::string_view empty_page() {
  return {kSeepPageBegin, static_cast<std::size_t>(kSeepPageEnd - kSeepPageBegin)};
}

void write_html(std::string_view data, const Write& write) {
  const std::string_view page = empty_page();
  const std::size_t place = page.rfind(kPlaceOfData);
  std::string compressed;
  const Write keep = [&](std::string_view piece) { compressed += piece; };
  Gzip gzip(keep);
  gzip.add(data);
  gzip.finish();
  write(page.substr(0, place));
  write(base64(compressed));
  write(page.substr(place + kPlaceOfData.size()));
}

}  // namespace seep::exporters
