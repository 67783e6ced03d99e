// Walks over the values of a language that is made up here: lists and records of blocks.
#include "preload/scan/script_walk.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "preload/scan/script_chains.h"

namespace seep::scan {
namespace {

using script::Label;
using script::LabelKind;
using script::Value;

constexpr std::size_t kRoom = std::size_t{64} << 20;
constexpr std::uint32_t kSites = 10;
constexpr std::uint32_t kList = 1;

// What the language's interpreter would read from memory.
struct Edge {
  Label label;
  std::uintptr_t to;
};
struct Script {
  std::vector<Edge> roots[script::kRootRanks];
  std::map<std::uintptr_t, std::vector<Edge>> edges;
  std::map<std::uintptr_t, std::uintptr_t> parts;
  std::set<std::uintptr_t> kept;
};
Script* g_script = nullptr;

constexpr script::Graph kGraph{
    [](const runtime::MemoryRange& block, const script::GraphMemory&) {
      return g_script->kept.count(block.begin) != 0;
    },
    nullptr,
    [](unsigned rank, script::GraphSink& sink) {
      for (const Edge& edge : g_script->roots[rank]) {
        sink.lead(edge.label, {edge.to, kList});
      }
    },
    [](const Value& value, script::GraphSink& sink) {
      const auto& edges = g_script->edges[value.address];
      if (const auto part = g_script->parts.find(value.address); part != g_script->parts.end()) {
        sink.add_part(part->second);
      }
      sink.describe({1, edges.size()});
      for (const Edge& edge : edges) {
        sink.lead(edge.label,
                  {edge.to, g_script->edges.count(edge.to) != 0 ? kList : script::kLeaf});
      }
    },
    [](const Label& label, const script::GraphMemory&, script::GraphText& text) {
      text.add_char(static_cast<char>(label.name));
    },
    [](std::uint64_t, const script::GraphMemory&, script::GraphText& text) { text.add("list"); },
};

Label label(LabelKind kind, char name = 0) {
  return {kind, 0, 0, 0, static_cast<std::uint64_t>(name)};
}
const Label kElement = label(LabelKind::kElement);

class ScriptWalkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    g_script = &script_;
    ASSERT_TRUE(room_.map(kRoom));
    ASSERT_TRUE(memory_.read());
    ASSERT_TRUE(nodes_->map());
    ASSERT_TRUE(figures_.map(kSites));
    ASSERT_TRUE(answer_.chains.map(100));
    ASSERT_TRUE(answer_.links.map(1000));
  }

  // A block of 32 bytes.
  std::uintptr_t add(std::uint32_t site) {
    const auto begin = reinterpret_cast<std::uintptr_t>(&room_[used_]);
    used_ += 32;
    const table::Block block{begin, 32, site, 10};
    table::Block old;
    EXPECT_EQ(blocks_->insert(block, old), table::Insert::kNew);
    EXPECT_TRUE(nodes_->add_block(block));
    figures_[site].blocks += 1;
    return begin;
  }
  void root(Label edge, std::uintptr_t to, unsigned rank = 0) {
    script_.roots[rank].push_back({edge, to});
  }
  void lead(std::uintptr_t from, Label edge, std::uintptr_t to) {
    script_.edges[from].push_back({edge, to});
    script_.edges[to];
  }
  // The chains of a site, the commonest first: "3 a -> b".
  std::vector<std::string> chains(std::uint32_t site) {
    ScriptWalk walk(kGraph, *nodes_, memory_, deadline_);
    EXPECT_TRUE(walk.map(kSites));
    walk.choose(site);
    EXPECT_TRUE(walk.run());
    add_script_chains(walk, figures_, 8, answer_);
    std::vector<std::string> found;
    for (const format::ChainRecord& chain : answer_.chains) {
      std::string text = std::to_string(chain.blocks);
      for (std::uint32_t i = 0; i < chain.links_count; ++i) {
        const format::LinkRecord& link = answer_.links[chain.links_begin + i];
        text += (i == 0 ? " " : " -> ") +
                std::string(answer_.holder_texts.begin() + link.offset, link.site);
      }
      found.push_back(text);
    }
    return found;
  }

  using Chains = std::vector<std::string>;

  Script script_;
  Pages<char> room_;
  std::size_t used_ = 0;
  std::unique_ptr<table::AddressTable> blocks_ = std::make_unique<table::AddressTable>();
  std::unique_ptr<table::PoolTable> pools_ = std::make_unique<table::PoolTable>();
  std::unique_ptr<Nodes> nodes_ = std::make_unique<Nodes>(*blocks_, *pools_);
  MemoryMap memory_;
  Pages<SiteFigures> figures_;
  Answer answer_;
  Deadline deadline_{UINT64_MAX};
};

TEST_F(ScriptWalkTest, ElementsAreHeldByTheirList) {
  const std::uintptr_t list = add(1);
  root(label(LabelKind::kGlobalRoot, 'a'), list);
  for (int i = 0; i < 1234; ++i) {
    lead(list, kElement, add(2));
  }
  EXPECT_EQ(chains(2), Chains{"1234 a (list, 1,234 elements)"});
  EXPECT_EQ(answer_.links[0].kind, static_cast<std::uint32_t>(format::LinkKind::kScriptGlobal));
}

TEST_F(ScriptWalkTest, AShortestChainIsTold) {
  const std::uintptr_t inner = add(1);
  const std::uintptr_t outer = add(1);
  root(label(LabelKind::kLocalRoot, 'a'), outer);
  root(label(LabelKind::kGlobalRoot, 'b'), inner);
  lead(outer, label(LabelKind::kMember, 'm'), inner);
  lead(inner, label(LabelKind::kMember, 'n'), add(2));
  EXPECT_EQ(chains(2), Chains{"1 b -> n (list, 0 elements)"});
}

TEST_F(ScriptWalkTest, WhatAValueHasForItsElementsIsHeldAsItIs) {
  const std::uintptr_t list = add(1);
  root(label(LabelKind::kLocalRoot, 'a'), list);
  script_.edges[list];
  script_.parts[list] = add(2) + 8;
  EXPECT_EQ(chains(2), Chains{"1 a (list, 0 elements)"});
  EXPECT_EQ(answer_.links[0].kind, static_cast<std::uint32_t>(format::LinkKind::kScriptLocal));
}

TEST_F(ScriptWalkTest, APartOfAValueIsNotToldForIt) {
  const std::uintptr_t list = add(1);
  const std::uintptr_t part = add(1);
  root(label(LabelKind::kGlobalRoot, 'a'), list);
  lead(list, label(LabelKind::kSame), part);
  for (int i = 0; i < 5; ++i) {
    lead(part, kElement, add(2));
  }
  EXPECT_EQ(chains(2), Chains{"5 a (list, 1 element)"});
}

TEST_F(ScriptWalkTest, AListOfNodesIsOneHolder) {
  std::uintptr_t node = add(1);
  root(label(LabelKind::kGlobalRoot, 'a'), node);
  for (int i = 0; i < 1000; ++i) {
    const std::uintptr_t next = add(2);
    lead(node, label(LabelKind::kMember, 'n'), next);
    node = next;
  }
  EXPECT_EQ(chains(2), Chains{"1000 a -> n (1,000 lists, 999 elements)"});
}

TEST_F(ScriptWalkTest, KeysAreToldWhereOneHoldsHalf) {
  const std::uintptr_t list = add(1);
  root(label(LabelKind::kGlobalRoot, 'a'), list);
  const std::uintptr_t lists[] = {add(1), add(1), add(1)};
  lead(list, label(LabelKind::kKey, 'x'), lists[0]);
  lead(list, label(LabelKind::kKey, 'y'), lists[1]);
  lead(list, label(LabelKind::kKey, 'z'), lists[2]);
  for (int i = 0; i < 40; ++i) {
    lead(lists[0], label(LabelKind::kMember, 'm'), add(2));
  }
  for (int i = 0; i < 20; ++i) {
    lead(lists[1], label(LabelKind::kMember, 'm'), add(2));
  }
  EXPECT_EQ(chains(2),
            (Chains{"40 a[x] -> m (40 lists, 0 elements)", "20 a[y] -> m (20 lists, 0 elements)"}));
  answer_.chains.map(100);
  for (int i = 0; i < 50; ++i) {
    lead(lists[2], label(LabelKind::kMember, 'm'), add(2));
  }
  EXPECT_EQ(chains(2), Chains{"110 a[*] -> m"}) << "no key leads to half of them";
}

TEST_F(ScriptWalkTest, WhatNoVariableLeadsToComesLast) {
  const std::uintptr_t list = add(1);
  const std::uintptr_t held = add(1);
  root(label(LabelKind::kGlobalRoot, 'a'), list);
  root(label(LabelKind::kLooseRoot, 'l'), held, 1);
  lead(list, kElement, held);
  lead(held, label(LabelKind::kMember, 'm'), add(2));
  EXPECT_EQ(chains(2), Chains{"1 a[*] (list, 1 element) -> m (list, 0 elements)"});
}

TEST_F(ScriptWalkTest, WhatALooseValueLeadsToIsNotLoose) {
  const std::uintptr_t first = add(1);
  const std::uintptr_t second = add(2);
  root(label(LabelKind::kLooseRoot, 'l'), first, 1);
  root(label(LabelKind::kLooseRoot, 'l'), second, 1);
  lead(first, label(LabelKind::kMember, 'm'), second);
  lead(second, label(LabelKind::kMember, 'n'), first);
  EXPECT_EQ(chains(2), Chains{"1 l -> m (list, 1 element)"});
}

TEST_F(ScriptWalkTest, ASiteOfWhichLittleIsMetHasNone) {
  const std::uintptr_t list = add(1);
  root(label(LabelKind::kGlobalRoot, 'a'), list);
  lead(list, kElement, add(2));
  add(2);
  add(2);
  EXPECT_EQ(chains(2), Chains{});
}

TEST_F(ScriptWalkTest, WhatIsKeptIsListedBySite) {
  for (const std::uint32_t site : {7U, 2U, 2U, 3U, 2U}) {
    const std::uintptr_t block = add(site);
    script_.kept.insert(block);
    nodes_->mark(block, nodes_->find_unmarked(block), [](NodeId, const NodeInfo&) {});
  }
  script_.kept.erase(script_.kept.begin());  // of site 7
  script_.kept.insert(add(4));               // that nothing leads to
  ScriptWalk walk(kGraph, *nodes_, memory_, deadline_);
  ASSERT_TRUE(walk.map(kSites));
  ASSERT_TRUE(walk.list_kept(kSites, answer_.kept));
  ASSERT_EQ(answer_.kept.size(), 2U);
  EXPECT_EQ(answer_.kept[0].site, 2U);
  EXPECT_EQ(answer_.kept[0].blocks, 3U);
  EXPECT_EQ(answer_.kept[0].bytes, 96U);
  EXPECT_EQ(answer_.kept[1].site, 3U);
  EXPECT_EQ(answer_.kept[1].blocks, 1U);
}

// Few values, which are followed without a look at the time, and many blocks to go over.
TEST_F(ScriptWalkTest, TheListOfWhatIsKeptLeavesTheChainsTheirTime) {
  constexpr int kBlocks = 5000;
  const std::uintptr_t list = add(1);
  root(label(LabelKind::kGlobalRoot, 'a'), list);
  for (int i = 0; i < kBlocks; ++i) {
    const std::uintptr_t block = add(2);
    script_.kept.insert(block);
    nodes_->mark(block, nodes_->find_unmarked(block), [](NodeId, const NodeInfo&) {});
  }
  const Deadline passed(0);
  ScriptWalk walk(kGraph, *nodes_, memory_, passed);
  ASSERT_TRUE(walk.map(kSites));
  walk.choose(1);
  tell_script(walk, figures_, 8, kSites, answer_);
  EXPECT_EQ(answer_.chains.size(), 1U);
  EXPECT_EQ(answer_.kept.size(), 0U) << "a part of the blocks is no answer";
}

TEST_F(ScriptWalkTest, EndsWhereTimeIsUp) {
  const std::uintptr_t list = add(1);
  root(label(LabelKind::kGlobalRoot, 'a'), list);
  for (int i = 0; i < 5000; ++i) {
    lead(list, kElement, add(2));
  }
  const Deadline passed(0);
  ScriptWalk walk(kGraph, *nodes_, memory_, passed);
  ASSERT_TRUE(walk.map(kSites));
  EXPECT_FALSE(walk.run());
}

}  // namespace
}  // namespace seep::scan
