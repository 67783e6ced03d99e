// A directory of its own for one test, removed with all it holds at the end of the scope.
#pragma once

#include <filesystem>
#include <string>

namespace seep::test {

class TemporaryDirectory {
 public:
  TemporaryDirectory();  // under $TMPDIR, else /tmp; throws std::filesystem::filesystem_error
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // `name` inside it, as text.
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

  // Writes `content` to `name` inside it (folders are made as needed) and returns the path.
  std::string write(const std::string& name, const std::string& content) const;

 private:
  std::filesystem::path path_;
};

// The whole file; fails the program when it cannot be read.
std::string read_file(const std::string& path);

// Writes the whole file, making its folder as needed; fails the program when it cannot.
void write_file(const std::string& path, const std::string& content);

}  // namespace seep::test
