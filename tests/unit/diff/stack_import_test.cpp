#include "analyzer/model/stack_import.h"

#include <gtest/gtest.h>

#include "analyzer/model/stack_key.h"

namespace seep::model {
namespace {

Module module_named(const std::string& path) {
  Module module;
  module.path = path;
  return module;
}

Node node_of(std::uint16_t module, std::uint64_t offset, std::uint32_t parent) {
  Node node;
  node.module = module;
  node.offset = offset;
  node.parent = parent;
  return node;
}

// Two stacks that share their outermost frame.
Stacks forked_stacks() {
  return {{module_named(""), module_named("/a"), module_named("/b")},
          {Node(), node_of(1, 0x10, 0), node_of(2, 0x20, 1), node_of(1, 0x30, 1)},
          {}};
}

TEST(StackImporter, CopiesAStackWithItsModules) {
  const Stacks source = forked_stacks();
  Stacks target;
  const std::uint32_t node = StackImporter(target, source).import(2);
  EXPECT_EQ(stack_keys(target)[node], stack_keys(source)[2]);
  EXPECT_EQ(target.nodes.size(), 3U);
  EXPECT_EQ(target.modules.at(target.nodes.at(node).module).path, "/b");
}

TEST(StackImporter, CopiesSharedFramesOnce) {
  const Stacks source = forked_stacks();
  Stacks target;
  StackImporter importer(target, source);
  const std::uint32_t first = importer.import(2);
  const std::uint32_t second = importer.import(3);
  EXPECT_EQ(importer.import(2), first);
  EXPECT_EQ(target.nodes.at(first).parent, target.nodes.at(second).parent);
  EXPECT_EQ(target.nodes.size(), 4U);
  EXPECT_EQ(target.modules.size(), 3U);
}

TEST(StackImporter, TheRootStaysTheRoot) {
  const Stacks source = forked_stacks();
  Stacks target;
  EXPECT_EQ(StackImporter(target, source).import(0), 0U);
  EXPECT_EQ(target.nodes.size(), 1U);
}

TEST(StackImporter, KeepsWhatTheTargetHeld) {
  const Stacks source = forked_stacks();
  Stacks target = {{module_named(""), module_named("/c")}, {Node(), node_of(1, 0x99, 0)}, {}};
  const std::uint64_t held = stack_keys(target)[1];
  const std::uint32_t node = StackImporter(target, source).import(3);
  EXPECT_EQ(stack_keys(target)[1], held);
  EXPECT_EQ(stack_keys(target)[node], stack_keys(source)[3]);
}

TEST(StackImporter, AFullModuleTableBooksFramesUnderNoModule) {
  const Stacks source = forked_stacks();
  Stacks target;
  target.modules.resize(65'536);
  const std::uint32_t node = StackImporter(target, source).import(3);
  EXPECT_EQ(target.nodes.at(node).module, 0);
  EXPECT_EQ(target.nodes.at(node).offset, 0x30U);
}

}  // namespace
}  // namespace seep::model
