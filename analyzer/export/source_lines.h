// The lines of source files that a report names, as far as they can be read on this machine.
#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace seep::exporters {

// Names of files come from recordings, and those from other people: only files that are sources by
// their name, regular ones of a reasonable size, are read, and only some lines of each are kept.
class SourceLines {
 public:
  using Lines = std::map<unsigned, std::string>;  // by number, from 1 on

  // `sysroot` goes before each path; may be empty.
  explicit SourceLines(std::string sysroot) : sysroot_(std::move(sysroot)) {}

  // Asks for the lines around this one.
  void want(const std::string& file, unsigned line);

  // Reads what was asked for; only files with a line to show are in it.
  [[nodiscard]] std::map<std::string, Lines> read() const;

  static constexpr unsigned kLinesAround = 4;
  static constexpr std::size_t kMostFiles = 200;
  static constexpr std::size_t kMostFileBytes = 8U << 20U;
  static constexpr std::size_t kMostLineBytes = 300;  // of each line
  static constexpr std::size_t kMostLines = 20'000;   // in all

 private:
  std::string sysroot_;
  std::map<std::string, Lines> wanted_;  // with empty texts
  std::size_t lines_ = 0;
};

// "a.cpp", "worker.php": a name that only source files have.
bool is_source_name(const std::string& file);

}  // namespace seep::exporters
