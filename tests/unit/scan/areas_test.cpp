#include "preload/scan/areas.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

namespace seep::scan {
namespace {

constexpr Root kMapRoot{{static_cast<std::uint32_t>(format::LinkKind::kMap), 0, 0, 0, 0}, 0};

// Begin, end, and what it is: 'x' excluded, 'm' a map, '-' in no list.
using Piece = std::tuple<std::uintptr_t, std::uintptr_t, char>;

std::vector<Piece> pieces(const AreaMap& areas, std::uintptr_t begin, std::uintptr_t end) {
  std::vector<Piece> found;
  areas.visit_pieces(begin, end, [&](std::uintptr_t from, std::uintptr_t to, const Area* area) {
    found.emplace_back(from, to, area == nullptr ? '-' : area->is_root ? 'm' : 'x');
  });
  return found;
}

TEST(Areas, TheFirstListIsRight) {
  AreaMap areas;
  ASSERT_TRUE(areas.map());
  areas.list(AreaMap::kMaps).add({300, 400, kMapRoot, true});
  areas.list(AreaMap::kMaps).add({100, 200, kMapRoot, true});
  areas.list(AreaMap::kExcluded).exclude(150, 160);
  areas.list(AreaMap::kAllocator).exclude(180, 350);
  areas.sort();
  EXPECT_EQ(pieces(areas, 50, 500), (std::vector<Piece>{{50, 100, '-'},
                                                        {100, 150, 'm'},
                                                        {150, 160, 'x'},
                                                        {160, 200, 'm'},
                                                        {200, 300, 'x'},
                                                        {300, 400, 'm'},
                                                        {400, 500, '-'}}));
  EXPECT_EQ(pieces(areas, 155, 190), (std::vector<Piece>{{155, 160, 'x'}, {160, 190, 'm'}}));
}

}  // namespace
}  // namespace seep::scan
