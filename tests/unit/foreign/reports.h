// Reports of other tools, as files of this repository, whole or changed. Thread safe.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "analyzer/foreign/log.h"
#include "analyzer/model/result.h"

namespace seep::foreign {

inline std::string report(const std::string& name) {
  std::ifstream file(std::string(SEEP_REPORTS) + "/" + name);
  EXPECT_TRUE(file.is_open()) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline Log accepted(const Result<Log>& log) {
  EXPECT_TRUE(log.ok()) << log.error().message();
  return log ? *log : Log{};
}

inline std::string refused(const Result<Log>& log) {
  EXPECT_FALSE(log.ok());
  return log ? "" : log.error().message();
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

}  // namespace seep::foreign
