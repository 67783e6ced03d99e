// The table of modules, when it is full.
#include "preload/stack/module_registry.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace seep::stack {
namespace {

// As many files as there are ids, and some more. In a process of its own: modules are never
// forgotten.
[[noreturn]] void fill_the_table() {
  constexpr unsigned kMore = 17000;
  const ElfImage image{};
  unsigned refused = 0;
  for (unsigned i = 0; i < kMore; ++i) {
    const std::string path = "/file" + std::to_string(i);
    refused += intern_load({path, i + 1, 0x1000, image}) == nullptr ? 1 : 0;
  }
  const bool kept = intern_load({"/file0", 1, 0x1000, image}) != nullptr;
  std::exit(refused > 0 && kept && modules_not_recorded() == refused ? 0 : 1);
}

TEST(ModuleRegistry, CountsWhatFindsNoRoom) {
  EXPECT_EXIT(fill_the_table(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace seep::stack
