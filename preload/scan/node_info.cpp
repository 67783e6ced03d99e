#include "preload/scan/node_info.h"

namespace seep::scan {

NodeInfos::~NodeInfos() {
  for (NodeInfo* const segment : segments_) {
    runtime::unmap_pages(segment, kSegmentInfos * sizeof(NodeInfo));
  }
}

bool NodeInfos::insert(std::size_t place, NodeInfo info) {
  if (size_ >> kSegmentBits == segments_.size()) {
    void* const fresh = runtime::map_pages(kSegmentInfos * sizeof(NodeInfo));
    if (fresh == nullptr || !segments_.add(static_cast<NodeInfo*>(fresh))) {
      return false;
    }
    if (segments_.size() > 1) {  // most programs do not fill the first
      runtime::prefer_huge_pages(fresh, kSegmentInfos * sizeof(NodeInfo));
    }
  }
  for (std::size_t i = size_++; i > place; --i) {
    at(i) = at(i - 1);
  }
  at(place) = info;
  return true;
}

}  // namespace seep::scan
