#include "preload/table/script_frame_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace seep::table {
namespace {

using Frame = ScriptFrameTable::Frame;
using format::ScriptLanguage;

std::unique_ptr<ScriptFrameTable> new_table() {
  return std::make_unique<ScriptFrameTable>();
}

TEST(ScriptFrameTable, KnowsAFrameByItsContentAndNotByItsPlace) {
  const auto table = new_table();
  const std::string function = "Pool::run";
  const std::string copy = function;
  const std::uint32_t id = table->intern({function, "/srv/pool.php", 9});
  EXPECT_EQ(table->intern({copy, "/srv/pool.php", 9}), id);
  EXPECT_EQ(table->count(), 1U);
}

TEST(ScriptFrameTable, TellsFramesApartByEveryField) {
  const auto table = new_table();
  std::set<std::uint32_t> ids;
  ids.insert(table->intern({"run", "/a.php", 9}));
  ids.insert(table->intern({"runs", "/a.php", 9}));
  ids.insert(table->intern({"run", "/b.php", 9}));
  ids.insert(table->intern({"run", "/a.php", 10}));
  ids.insert(table->intern({"run", "/a.php", 9, ScriptLanguage::kPython}));
  ids.insert(table->intern({"run", "", 9}));
  EXPECT_EQ(ids.size(), 6U);
  EXPECT_EQ(ids.count(ScriptFrameTable::kNone), 0U);
}

TEST(ScriptFrameTable, KeepsTheTextsWhenTheirMemoryIsUsedAgain) {
  const auto table = new_table();
  std::string function = "Pool::run";
  const std::uint32_t id = table->intern({function, "/srv/pool.php", 9});
  function.assign("garbage!!");
  const format::ScriptFrameRecord* record = table->record(id);
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(table->texts().text(record->function), "Pool::run");
  EXPECT_EQ(table->texts().text(record->file), "/srv/pool.php");
  EXPECT_EQ(record->line, 9U);
}

TEST(ScriptFrameTable, FindsEveryFrameOfAStreamThatGrowsOverManySegments) {
  const auto table = new_table();
  constexpr unsigned kFrames = 20'000;
  std::vector<std::uint32_t> ids;
  for (unsigned i = 0; i < kFrames; ++i) {
    ids.push_back(
        table->intern({"function_" + std::to_string(i), "/srv/" + std::to_string(i % 7), i}));
  }
  for (unsigned i = 0; i < kFrames; ++i) {
    const format::ScriptFrameRecord* record = table->record(ids[i]);
    ASSERT_NE(record, nullptr);
    ASSERT_EQ(table->texts().text(record->function), "function_" + std::to_string(i));
    ASSERT_EQ(table->texts().text(record->file), "/srv/" + std::to_string(i % 7));
    ASSERT_EQ(record->line, i);
  }
}

TEST(ScriptFrameTable, GivesItsTextsAsOneStream) {
  const auto table = new_table();
  std::vector<std::uint32_t> ids;
  for (unsigned i = 0; i < 5000; ++i) {
    ids.push_back(table->intern({std::string(i % 300 + 1, 'f'), std::to_string(i), i}));
  }
  std::string stream;
  const TextTable& texts = table->texts();
  texts.visit(texts.size(),
              [&](const char* text, std::size_t bytes) { stream.append(text, bytes); });
  ASSERT_EQ(stream.size(), texts.size());
  for (unsigned i = 0; i < ids.size(); ++i) {
    const format::StringRef& file = table->record(ids[i])->file;
    ASSERT_EQ(stream.substr(file.offset, file.length), std::to_string(i));
  }
}

TEST(ScriptFrameTable, CutsATextThatIsFarTooLong) {
  const auto table = new_table();
  const std::uint32_t id = table->intern({std::string(1 << 20, 'x'), "/a.php", 1});
  ASSERT_NE(id, ScriptFrameTable::kNone);
  EXPECT_EQ(table->record(id)->function.length, TextTable::kMostText);
}

TEST(ScriptFrameTable, RefusesWhatFindsNoRoomAndKeepsTheRest) {
  const auto table = new_table();
  std::uint32_t last = 0;
  std::uint32_t made = 0;
  for (; made <= ScriptFrameTable::kMostFrames; ++made) {
    last = table->intern({"f", "/a.php", made});
    if (last == ScriptFrameTable::kNone) {
      break;
    }
  }
  EXPECT_EQ(last, ScriptFrameTable::kNone);
  EXPECT_GE(made, ScriptFrameTable::kMostFrames / 2);
  EXPECT_EQ(table->intern({"f", "/a.php", 17}), 17U);
}

TEST(ScriptFrameTable, ThreadsThatMeetAtAFrameGetTheSameId) {
  const auto table = new_table();
  constexpr std::uint32_t kFrames = 5000;
  std::vector<std::vector<std::uint32_t>> ids(4, std::vector<std::uint32_t>(kFrames));
  std::vector<std::thread> threads;
  for (auto& mine : ids) {
    threads.emplace_back([&table, &mine] {
      for (std::uint32_t i = 0; i < kFrames; ++i) {
        mine[i] = table->intern({"function_" + std::to_string(i / 3), "/srv/a.php", i});
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_EQ(ids[0], ids[2]);
  EXPECT_EQ(ids[0], ids[3]);
}

}  // namespace
}  // namespace seep::table
