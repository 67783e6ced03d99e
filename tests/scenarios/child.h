// A program that a test starts: its arguments, what is added to its environment, and what came out.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace seep::scenarios {

using Arguments = std::vector<std::string>;
using Environment =
    std::map<std::string, std::string>;  // added to ours; ours without LD_PRELOAD, SEEP_*

struct Output {
  std::string out;
  std::string err;
  int status = -1;  // as a shell gives it: the exit status, 128 + n for signal n
};

// Starts the program at construction; it is killed when this process ends, or the object is
// destroyed without wait(). Standard input is /dev/null.
class Child {
 public:
  // `scratch`: an existing directory for the files that take stdout and stderr.
  Child(const Arguments& arguments, const Environment& environment,
        const std::filesystem::path& scratch);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  void send(int signal) const;
  // Without waiting; what it wrote so far may end within a line.
  bool has_ended() const;
  std::string out_so_far() const;
  Output wait();

 private:
  pid_t pid_ = -1;
  bool reaped_ = false;
  std::filesystem::path out_;
  std::filesystem::path err_;
};

// Whole text of a file; empty when it cannot be read.
std::string read_text(const std::filesystem::path& path);
std::vector<std::string> lines_of(const std::string& text);

}  // namespace seep::scenarios
