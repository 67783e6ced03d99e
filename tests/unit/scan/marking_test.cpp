// Marks and losses on blocks of real memory, whose table and roots are made by hand.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <memory>
#include <vector>

#include "preload/scan/losses.h"
#include "preload/scan/marker.h"

namespace seep::scan {
namespace {

constexpr std::size_t kRoom = std::size_t{64} << 20;

class Marking : public ::testing::Test {
 protected:
  void SetUp() override {
    void* const room = mmap(nullptr, kRoom, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT_NE(room, MAP_FAILED);
    room_ = static_cast<char*>(room);
    ASSERT_TRUE(memory_.read());  // large blocks are read page by page
    ASSERT_TRUE(nodes_->map());
    ASSERT_TRUE(ways_.map());
    ASSERT_TRUE(counts_.map(kSites));
    ASSERT_TRUE(marker_.map());
    for (std::uint32_t site = 0; site < kSites; ++site) {
      counts_.choose(site);
    }
  }

  void TearDown() override { munmap(room_, kRoom); }

  // A block of `words` words.
  std::uint64_t* add(std::uint32_t site, std::size_t words = 4, std::uint32_t birth = 10) {
    char* begin = room_ + used_;
    used_ += (words * 8 + 31) / 16 * 16;
    const table::Block block{reinterpret_cast<std::uintptr_t>(begin), words * 8, site, birth};
    table::Block old;
    EXPECT_EQ(blocks_->insert(block, old), table::Insert::kNew);
    EXPECT_TRUE(nodes_->add_block(block));
    return reinterpret_cast<std::uint64_t*>(begin);
  }
  // An object of `words` words that lies at `place`. To be called after all add().
  std::uint64_t* add_object(std::uint64_t* place, std::uint32_t site, std::size_t words = 3,
                            std::uint32_t birth = 10) {
    const table::Block object{to(place), words * 8, site, birth};
    table::Block old;
    EXPECT_EQ(pools_->insert(object, old), table::Insert::kNew);
    EXPECT_TRUE(nodes_->add_object(object));
    return place;
  }
  static std::uint64_t to(const std::uint64_t* block) {
    return reinterpret_cast<std::uint64_t>(block);
  }
  // Marks what the words lead to.
  bool mark(const std::vector<std::uint64_t>& words) {
    const auto begin = reinterpret_cast<std::uintptr_t>(words.data());
    const Root root{{0, 0, 1, 0, 0}, begin};
    marker_.add_root(begin, begin + words.size() * 8, root);
    return marker_.run();
  }
  bool is_marked(const std::uint64_t* block) const {
    return nodes_->is_marked(NodeId::of_block(to(block)));
  }
  bool is_object_marked(const std::uint64_t* object) const {
    return nodes_->is_marked(NodeId::of_object(to(object)));
  }
  LossTally lost(std::uint32_t site) { return losses_.tally(site); }

  static constexpr std::uint32_t kSites = 10;

  char* room_ = nullptr;  // the program's: of our own memory nothing is read
  std::size_t used_ = 0;
  std::unique_ptr<table::AddressTable> blocks_ = std::make_unique<table::AddressTable>();
  std::unique_ptr<table::PoolTable> pools_ = std::make_unique<table::PoolTable>();
  std::unique_ptr<Nodes> nodes_ = std::make_unique<Nodes>(*blocks_, *pools_);
  MemoryMap memory_;
  Ways ways_;
  WayCounts counts_{ways_};
  Deadline deadline_{UINT64_MAX};
  Marker marker_{*nodes_, memory_, ways_, counts_, deadline_};
  LossFinder losses_{*nodes_, memory_, deadline_};
};

TEST_F(Marking, FollowsPointersFromTheRoots) {
  std::uint64_t* const first = add(1);
  std::uint64_t* const second = add(2);
  std::uint64_t* const other = add(3);
  first[3] = to(second) + 31;  // its last byte
  other[0] = to(first);
  ASSERT_TRUE(mark({0, to(first), 12345}));
  EXPECT_TRUE(is_marked(first));
  EXPECT_TRUE(is_marked(second));
  EXPECT_FALSE(is_marked(other));
}

TEST_F(Marking, APointerBehindABlockDoesNotHoldIt) {
  std::uint64_t* const block = add(1);
  ASSERT_TRUE(mark({to(block) + 32}));
  EXPECT_FALSE(is_marked(block));
}

TEST_F(Marking, AListOfAMillionIsMarked) {
  std::uint64_t head = 0;
  for (int i = 0; i < 1000000; ++i) {
    std::uint64_t* const node = add(4, 2);
    node[0] = head;
    head = to(node);
  }
  ASSERT_TRUE(mark({head}));
  const auto& counts = counts_.sort();
  ASSERT_EQ(counts.size(), 2U);  // the first one, and those that another one holds
  EXPECT_EQ(counts[0].blocks, 999999U);
  EXPECT_EQ(counts[1].blocks, 1U);
}

// More than the queue holds are met at once: 131,071 nodes find room in a segment.
TEST_F(Marking, NoneIsMissedWhereTheQueueIsTooShort) {
  marker_.limit_queue_for_testing(1);
  std::vector<std::uint64_t> roots;
  for (int i = 0; i < 50000; ++i) {
    roots.push_back(to(add(1, 2)));
  }
  std::uint64_t* const table = add(2, 600000);
  for (int i = 0; i < 500000; ++i) {
    table[i] = to(add(3, 2));
  }
  std::uint64_t* const last = reinterpret_cast<std::uint64_t*>(roots.back());
  last[0] = to(table);
  ASSERT_TRUE(mark(roots));
  std::size_t unmarked = 0;
  nodes_->visit_all(false, [&](NodeId) { return ++unmarked != 0; });
  EXPECT_EQ(unmarked, 0U);
}

TEST_F(Marking, ShortestWaysAreCounted) {
  std::uint64_t* const holder = add(1);
  std::uint64_t* const longer = add(2);
  std::uint64_t* const target = add(3);
  holder[0] = to(longer);
  longer[0] = to(target);
  holder[2] = to(target);
  ASSERT_TRUE(mark({to(holder)}));
  for (const HolderCounts::Count& count : counts_.sort()) {
    if (count.site == 3) {
      format::LinkRecord links[Ways::kMostLinks];
      ASSERT_EQ(ways_.list(count.holder, links), 2U);
      EXPECT_EQ(links[0].kind, static_cast<std::uint32_t>(format::LinkKind::kGlobal));
      EXPECT_EQ(links[1].site, 1U);
    }
  }
}

// Whatever their addresses: holders of the second kind lie below those of the first.
TEST_F(Marking, OfTwoShortestWaysTheOneFromTheFirstRootsIsTaken) {
  constexpr std::size_t kPairs = 5000;
  std::vector<std::uint64_t> first;
  std::vector<std::uint64_t> second;
  for (std::vector<std::uint64_t>* const roots : {&second, &first}) {
    for (std::size_t i = 0; i < kPairs; ++i) {
      roots->push_back(to(add(roots == &first ? 1 : 2)));
    }
  }
  for (std::size_t i = 0; i < kPairs; ++i) {
    const std::uint64_t target = to(add(3));
    for (const std::uint64_t holder : {first[i], second[kPairs - 1 - i]}) {
      *reinterpret_cast<std::uint64_t*>(holder) = target;
    }
  }
  const Root root{{static_cast<std::uint32_t>(format::LinkKind::kTls), 0, 0, 1, 0}, 0};
  const Root other{{static_cast<std::uint32_t>(format::LinkKind::kStack), 0, 0, 1, 0}, 0};
  marker_.add_root(to(first.data()), to(first.data() + kPairs), root);
  marker_.begin_kind();
  marker_.add_root(to(second.data()), to(second.data() + kPairs), other);
  ASSERT_TRUE(marker_.run());
  std::uint64_t counted = 0;
  for (const HolderCounts::Count& count : counts_.sort()) {
    if (count.site == 3) {
      format::LinkRecord links[Ways::kMostLinks];
      ASSERT_EQ(ways_.list(count.holder, links), 2U);
      EXPECT_EQ(links[1].site, 1U);
      counted += count.blocks;
    }
  }
  EXPECT_EQ(counted, kPairs);
}

TEST_F(Marking, StopsWhenTheTimeIsOver) {
  std::uint64_t head = 0;
  for (int i = 0; i < 100000; ++i) {
    std::uint64_t* const node = add(4, 2);
    node[0] = head;
    head = to(node);
  }
  deadline_ = Deadline(0);
  EXPECT_FALSE(mark({head}));
}

TEST_F(Marking, TellsDirectFromIndirectLosses) {
  std::uint64_t* const root = add(1);
  std::uint64_t* const child = add(2);
  std::uint64_t* const grandchild = add(3);
  root[0] = to(child);
  child[1] = to(grandchild) + 8;
  std::uint64_t* const lonely = add(4);
  lonely[2] = to(lonely);  // a pointer to itself does not count
  ASSERT_TRUE(mark({}));
  ASSERT_EQ(losses_.find(kSites, 0), LossFinder::End::kDone);
  EXPECT_EQ(lost(1).direct_blocks, 1U);
  EXPECT_EQ(lost(1).direct_bytes, 32U);
  EXPECT_EQ(lost(2).direct_blocks, 0U);
  EXPECT_EQ(lost(2).indirect_blocks, 1U);
  EXPECT_EQ(lost(3).indirect_blocks, 1U);
  EXPECT_EQ(lost(4).direct_blocks, 1U);
  EXPECT_EQ(lost(4).indirect_blocks, 0U);
}

TEST_F(Marking, OneOfACycleIsTheDirectLoss) {
  std::uint64_t* const a = add(1);
  std::uint64_t* const b = add(2);
  std::uint64_t* const c = add(3);
  a[0] = to(b);
  b[0] = to(c);
  c[0] = to(a);
  ASSERT_TRUE(mark({}));
  ASSERT_EQ(losses_.find(kSites, 0), LossFinder::End::kDone);
  EXPECT_EQ(lost(1).direct_blocks, 1U);
  EXPECT_EQ(lost(2).indirect_blocks, 1U);
  EXPECT_EQ(lost(3).indirect_blocks, 1U);
}

// Whatever the order of addresses: the cycle hangs on a direct loss behind it.
TEST_F(Marking, ACycleThatALossHoldsIsIndirect) {
  std::uint64_t* const a = add(1);
  std::uint64_t* const b = add(2);
  std::uint64_t* const holder = add(3);
  a[0] = to(b);
  b[0] = to(a);
  holder[0] = to(a);
  ASSERT_TRUE(mark({}));
  ASSERT_EQ(losses_.find(kSites, 0), LossFinder::End::kDone);
  EXPECT_EQ(lost(1).indirect_blocks, 1U);
  EXPECT_EQ(lost(2).indirect_blocks, 1U);
  EXPECT_EQ(lost(3).direct_blocks, 1U);
}

TEST_F(Marking, EachIndirectLossHangsOnADirectOne) {
  for (int i = 0; i < 3; ++i) {
    std::uint64_t* const root = add(1);
    std::uint64_t* const child = add(2);
    root[0] = to(child);
    child[1] = to(add(3));
  }
  std::uint64_t* const other = add(4);
  other[0] = to(add(3));
  std::uint64_t* const parents = add(5, 4, /*birth=*/1);
  parents[0] = to(add(3));
  ASSERT_TRUE(mark({}));
  ASSERT_EQ(losses_.find(kSites, 5), LossFinder::End::kDone);
  EXPECT_EQ(lost(3).indirect_blocks, 5U);
  const auto& heads = losses_.heads();
  ASSERT_EQ(heads.size(), 3U);
  const auto expect = [&](std::size_t i, std::uint32_t site, std::uint32_t head, unsigned blocks) {
    EXPECT_EQ(heads[i].site, site);
    EXPECT_EQ(heads[i].holder, head);
    EXPECT_EQ(heads[i].blocks, blocks);
  };
  expect(0, 2, 1, 3);
  expect(1, 3, 1, 3);
  expect(2, 3, 4, 1);
}

// ---- objects of pools --------------------------------------------------------------------------

TEST_F(Marking, APointerIntoAnObjectLeadsToItAndItsArena) {
  std::uint64_t* const arena = add(1, 100);
  std::uint64_t* const held = add(2);
  std::uint64_t* const hidden = add(3);
  std::uint64_t* const object = add_object(arena + 10, 4);
  std::uint64_t* const other = add_object(arena + 13, 5);
  object[2] = to(held);
  other[0] = to(hidden);
  ASSERT_TRUE(mark({to(object) + 17}));
  EXPECT_TRUE(is_object_marked(object));
  EXPECT_TRUE(is_marked(arena));
  EXPECT_TRUE(is_marked(held));
  EXPECT_FALSE(is_object_marked(other));
  EXPECT_FALSE(is_marked(hidden)) << "an object that nothing leads to holds nothing";
}

// Its own words are those outside of objects: in front, between two, behind.
TEST_F(Marking, AnArenaHoldsWhatItsOwnWordsPointTo) {
  std::uint64_t* const arena = add(1, 3000);
  std::uint64_t* const blocks[] = {add(2), add(3), add(4)};
  std::uint64_t* const hidden = add(5);
  add_object(arena + 10, 6, 1000);
  std::uint64_t* const object = add_object(arena + 1020, 6);
  arena[9] = to(blocks[0]);
  arena[1015] = to(blocks[1]);
  arena[2999] = to(blocks[2]);
  arena[500] = to(hidden);
  object[0] = to(hidden);
  ASSERT_TRUE(mark({to(arena)}));
  for (const std::uint64_t* const block : blocks) {
    EXPECT_TRUE(is_marked(block));
  }
  EXPECT_FALSE(is_object_marked(object));
  EXPECT_FALSE(is_marked(hidden));
}

TEST_F(Marking, TheFirstObjectMayBeginWhereItsArenaDoes) {
  std::uint64_t* const arena = add(1, 16);
  std::uint64_t* const first = add_object(arena, 2);
  std::uint64_t* const second = add_object(arena + 3, 2);
  arena[10] = to(second);
  ASSERT_TRUE(mark({to(arena)}));
  EXPECT_TRUE(is_marked(arena));
  EXPECT_TRUE(is_object_marked(first));
  EXPECT_TRUE(is_object_marked(second));
}

// Behind the last object of a page stands another block.
TEST_F(Marking, APointerBehindAnObjectLeadsToTheBlockThere) {
  std::uint64_t* const arena = add(1, 8);
  std::uint64_t* const other = add(2);
  std::uint64_t* const object = add_object(arena, 3);
  ASSERT_TRUE(mark({to(other) + 8}));
  EXPECT_TRUE(is_marked(other));
  EXPECT_FALSE(is_marked(arena));
  ASSERT_TRUE(mark({to(object) + 24}));
  EXPECT_TRUE(is_marked(arena));
  EXPECT_FALSE(is_object_marked(object));
}

// Large blocks that are met drop pointers into their pages: not into their objects.
TEST_F(Marking, ObjectsInPagesThatAMarkedArenaCovers) {
  std::uint64_t* const arena = add(1, 20000);
  std::uint64_t* const list = add(2, 4);
  std::uint64_t* const object = add_object(arena + 9000, 3);
  list[1] = to(object);
  ASSERT_TRUE(mark({to(arena)}));
  EXPECT_FALSE(is_object_marked(object));
  ASSERT_TRUE(mark({to(list)}));
  EXPECT_TRUE(is_object_marked(object));
}

TEST_F(Marking, AWayLeadsThroughObjects) {
  std::uint64_t* const arena = add(1, 100);
  std::uint64_t* const target = add(3);
  std::uint64_t* const object = add_object(arena + 10, 2);
  object[1] = to(target);
  ASSERT_TRUE(mark({to(object)}));
  unsigned found = 0;
  for (const HolderCounts::Count& count : counts_.sort()) {
    if (count.site == 3) {
      format::LinkRecord links[Ways::kMostLinks];
      ASSERT_EQ(ways_.list(count.holder, links), 2U);
      EXPECT_EQ(links[1].site, 2U);
      EXPECT_EQ(links[1].offset, 8U);
      ++found;
    }
  }
  EXPECT_EQ(found, 1U);
}

TEST_F(Marking, ALostObjectOfAReachableArenaIsADirectLoss) {
  std::uint64_t* const arena = add(1, 100);
  std::uint64_t* const held = add(4);
  std::uint64_t* const lost_object = add_object(arena + 10, 2);
  std::uint64_t* const child = add_object(arena + 20, 3);
  lost_object[0] = to(child);
  child[1] = to(held);
  ASSERT_TRUE(mark({to(arena)}));
  ASSERT_EQ(losses_.find(kSites, 0), LossFinder::End::kDone);
  EXPECT_EQ(lost(1).direct_blocks, 0U);
  EXPECT_EQ(lost(2).direct_blocks, 1U);
  EXPECT_EQ(lost(2).direct_bytes, 24U);
  EXPECT_EQ(lost(3).indirect_blocks, 1U);
  EXPECT_EQ(lost(4).indirect_blocks, 1U);
  const auto& heads = losses_.heads();
  ASSERT_EQ(heads.size(), 2U);
  EXPECT_EQ(heads[0].holder, 2U);
  EXPECT_EQ(heads[1].holder, 2U);
}

// Whatever its objects point to, in it and elsewhere. Its bytes are those that they leave.
TEST_F(Marking, ALostArenaHasLostItsObjects) {
  std::uint64_t* const arena = add(1, 100);
  std::uint64_t* const held = add(4);
  std::uint64_t* const first = add_object(arena, 2);
  std::uint64_t* const second = add_object(arena + 20, 3, 10);
  first[0] = to(second);
  second[0] = to(first);
  second[1] = to(arena) + 99 * 8;
  second[2] = to(held);
  ASSERT_TRUE(mark({}));
  ASSERT_EQ(losses_.find(kSites, 0), LossFinder::End::kDone);
  EXPECT_EQ(lost(1).direct_blocks, 1U);
  EXPECT_EQ(lost(1).direct_bytes, (100U - 3 - 10) * 8);
  EXPECT_EQ(lost(2).indirect_bytes, 24U);
  EXPECT_EQ(lost(3).indirect_bytes, 80U);
  EXPECT_EQ(lost(4).indirect_blocks, 1U);
}

TEST_F(Marking, WhoPointsToAnObjectOfALostArenaHasLostTheArena) {
  std::uint64_t* const arena = add(1, 100);
  std::uint64_t* const holder = add(2);
  std::uint64_t* const object = add_object(arena + 20, 3);
  holder[0] = to(object);
  ASSERT_TRUE(mark({}));
  ASSERT_EQ(losses_.find(kSites, 0), LossFinder::End::kDone);
  EXPECT_EQ(lost(2).direct_blocks, 1U);
  EXPECT_EQ(lost(1).indirect_blocks, 1U);
  EXPECT_EQ(lost(3).indirect_blocks, 1U);
}

// Pools that are released without a word about their objects: the memory is somebody else's now.
TEST_F(Marking, ObjectsInYoungerBlocksAreGone) {
  std::uint64_t* const older = add(1, 16, /*birth=*/5);
  std::uint64_t* const younger = add(2, 16, /*birth=*/20);
  const auto is_overlaid = [&](const std::uint64_t* place, std::uint64_t words) {
    return nodes_->is_overlaid({to(place), words * 8, 3, 10});
  };
  EXPECT_FALSE(is_overlaid(older, 16));
  EXPECT_FALSE(is_overlaid(older + 10, 4));
  EXPECT_TRUE(is_overlaid(older + 10, 10)) << "it goes on in another block";
  EXPECT_TRUE(is_overlaid(younger + 2, 3));
  EXPECT_TRUE(is_overlaid(older + 16, 6)) << "a block begins in it";
  EXPECT_FALSE(is_overlaid(younger + 100, 3)) << "in no block at all";
}

TEST_F(Marking, BlocksOfTheParentAreNotCounted) {
  add(1, 4, 10);
  add(1, 4, 20);
  ASSERT_TRUE(mark({}));
  ASSERT_EQ(losses_.find(kSites, 15), LossFinder::End::kDone);
  EXPECT_EQ(lost(1).direct_blocks, 1U);
}

}  // namespace
}  // namespace seep::scan
