// A line on stderr for whatever takes over a second, so that a terminal is never silent.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>

namespace seep::cli {

// Shows nothing in the first second, nothing when stderr is no terminal, and wipes its line when it
// ends. Its functions may be called from one thread.
class Progress {
 public:
  // kSilent: shows nothing, for who draws on the terminal.
  enum class Kind { kShown, kSilent };
  explicit Progress(Kind kind = Kind::kShown);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // What is being done: "reading". With `all` not 0, how far it is.
  void say(const std::string& what, std::size_t done = 0, std::size_t all = 0);

 private:
  void show_until_stopped();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::string line_;   // guarded by mutex_
  bool stop_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace seep::cli
