// Line tables against the interpreter that made them, against tables made by hand, and against
// bytes that are no table.
#include "preload/script/python_lines.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace seep::script {
namespace {

using Table = std::vector<std::uint8_t>;

std::size_t read_table(void* context, std::size_t at, std::uint8_t* to, std::size_t capacity) {
  const Table& table = *static_cast<const Table*>(context);
  const std::size_t left = at < table.size() ? table.size() - at : 0;
  const std::size_t bytes = std::min(left, capacity);
  std::memcpy(to, table.data() + at, bytes);
  return bytes;
}

std::uint32_t line(LineTableKind kind, Table table, std::uint32_t first, std::int64_t address) {
  TableBytes bytes(read_table, &table);
  return line_of(kind, bytes, first, address);
}

Table table_of(const std::string& hex) {
  Table table;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    table.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  }
  return table;
}

LineTableKind kind_of(const std::string& name) {
  return name == "lnotab"   ? LineTableKind::kLnotab
         : name == "ranges" ? LineTableKind::kRanges
                            : LineTableKind::kLocations;
}

struct Oracle {
  unsigned codes = 0;
  unsigned runs = 0;
};

// Compares each run of a line that line_tables.py printed, at both of its ends.
void compare(const std::string& text, Oracle& oracle) {
  std::istringstream words(text);
  std::string kind;
  std::string hex;
  std::uint32_t first = 0;
  words >> kind >> first >> hex;
  const Table table = table_of(hex);
  ++oracle.codes;
  for (std::string run; words >> run; ++oracle.runs) {
    long begin = 0;
    long end = 0;
    unsigned expected = 0;
    ASSERT_EQ(std::sscanf(run.c_str(), "%ld:%ld:%u", &begin, &end, &expected), 3) << run;
    if (begin == end) {
      continue;
    }
    ASSERT_EQ(line(kind_of(kind), table, first, begin), expected) << text << "\n" << run;
    ASSERT_EQ(line(kind_of(kind), table, first, end - 2), expected) << text << "\n" << run;
  }
}

Oracle compare_with(const std::string& python) {
  Oracle oracle;
  std::FILE* pipe = popen((python + " " SEEP_LINE_TABLES).c_str(), "r");
  std::string text;
  for (int c = 0; pipe != nullptr && (c = std::fgetc(pipe)) != EOF;) {
    if (c != '\n') {
      text += static_cast<char>(c);
      continue;
    }
    compare(text, oracle);
    if (::testing::Test::HasFatalFailure()) {
      break;
    }
    text.clear();
  }
  if (pipe != nullptr) {
    pclose(pipe);
  }
  return oracle;
}

// Interpreters of other versions are named by SEEP_TEST_PYTHONS, separated by colons.
TEST(PythonLines, AreThoseOfTheInterpreter) {
  const char* more = std::getenv("SEEP_TEST_PYTHONS");
  std::istringstream names(std::string("/usr/bin/python3:") + (more == nullptr ? "" : more));
  for (std::string python; std::getline(names, python, ':');) {
    const Oracle oracle = compare_with(python);
    EXPECT_GT(oracle.codes, 500U) << python;
    EXPECT_GT(oracle.runs, 5000U) << python;
  }
}

TEST(PythonLines, OfALnotabHoldFromBehindTheBytes) {
  // 6 bytes of line 10, 50 of line 12, then line 9.
  const Table table{6, 2, 50, 0xFD};
  EXPECT_EQ(line(LineTableKind::kLnotab, table, 10, 0), 10U);
  EXPECT_EQ(line(LineTableKind::kLnotab, table, 10, 5), 10U);
  EXPECT_EQ(line(LineTableKind::kLnotab, table, 10, 6), 12U);
  EXPECT_EQ(line(LineTableKind::kLnotab, table, 10, 56), 9U);
  EXPECT_EQ(line(LineTableKind::kLnotab, table, 10, 100000), 9U);
}

TEST(PythonLines, OfRangesMayBeMissing) {
  // 6 bytes of line 11, 4 of none, 8 of line 10, across an entry without bytes.
  const Table table{6, 1, 4, 0x80, 0, 100, 8, 0x9B};
  EXPECT_EQ(line(LineTableKind::kRanges, table, 10, 4), 11U);
  EXPECT_EQ(line(LineTableKind::kRanges, table, 10, 8), 0U);
  EXPECT_EQ(line(LineTableKind::kRanges, table, 10, 10), 10U);
  EXPECT_EQ(line(LineTableKind::kRanges, table, 10, 18), 0U);
}

TEST(PythonLines, OfLocationsAreOfEachKind) {
  const Table table{
      0x80 | 0 << 3 | 1,  0x11,                // short form, 2 units: line 10
      0x80 | 11 << 3 | 0, 4,         9,        // one line further, 1 unit: 11
      0x80 | 13 << 3 | 0, 0x40 | 24, 3,        // no columns: 12 + 3 * 64, halved: 108 further
      0x80 | 14 << 3 | 7, 0x0B,      0, 1, 2,  // long form, 8 units: 5 back
      0x80 | 15 << 3 | 0,                      // none
  };
  EXPECT_EQ(line(LineTableKind::kLocations, table, 10, 0), 10U);
  EXPECT_EQ(line(LineTableKind::kLocations, table, 10, 3), 10U);
  EXPECT_EQ(line(LineTableKind::kLocations, table, 10, 4), 11U);
  EXPECT_EQ(line(LineTableKind::kLocations, table, 10, 6), 119U);
  EXPECT_EQ(line(LineTableKind::kLocations, table, 10, 8), 114U);
  EXPECT_EQ(line(LineTableKind::kLocations, table, 10, 22), 114U);
  EXPECT_EQ(line(LineTableKind::kLocations, table, 10, 24), 0U);
  EXPECT_EQ(line(LineTableKind::kLocations, table, 10, 26), 0U);
}

TEST(PythonLines, OfCodeThatHasNotBegunAreTheFirst) {
  for (const auto kind :
       {LineTableKind::kLnotab, LineTableKind::kRanges, LineTableKind::kLocations}) {
    EXPECT_EQ(line(kind, {0x80, 0x80}, 7, -2), 7U);
  }
}

// No bytes make it read on for ever, nor give a line that is none.
TEST(PythonLines, OfAnyBytesEnd) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    Table table(random() % 400);
    for (std::uint8_t& byte : table) {
      byte = static_cast<std::uint8_t>(random());
    }
    for (const auto kind :
         {LineTableKind::kLnotab, LineTableKind::kRanges, LineTableKind::kLocations}) {
      EXPECT_LE(line(kind, table, static_cast<std::uint32_t>(random() % 100000),
                     static_cast<std::int64_t>(random() % 4096)),
                std::uint32_t{INT32_MAX});
    }
  }
}

std::size_t read_for_ever(void* context, std::size_t /*at*/, std::uint8_t* to,
                          std::size_t capacity) {
  ++*static_cast<std::size_t*>(context);
  std::memset(to, 0, capacity);
  return capacity;
}

TEST(PythonLines, OfATableWithoutAnEndAreNone) {
  std::size_t pieces = 0;
  TableBytes bytes(read_for_ever, &pieces);
  EXPECT_EQ(line_of(LineTableKind::kRanges, bytes, 1, 1), 0U);
  EXPECT_LE(pieces, kMostTableBytes / 64);
}

}  // namespace
}  // namespace seep::script
