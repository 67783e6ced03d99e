// A copy of the process, made by fork, that does one thing beside it and ends.
// Context: IN-AGENT and its tasks make it; what runs in it is IN-FORK-CHILD. Raw system calls: no
// handler of the program's forks runs. The copy is no child that the program's waitpid(-1) sees: it
// ends without a signal. It keeps all signals blocked, as its maker has.
#pragma once

#include <cstdint>

namespace seep::scan {

// While an object lives, a process that made itself undumpable can open its own files in /proc, and
// can be traced by its user. Of this task's memory.
class ProcReadable {
 public:
  ProcReadable();
  ~ProcReadable();
  ProcReadable(const ProcReadable&) = delete;
  ProcReadable& operator=(const ProcReadable&) = delete;

 private:
  long was_;
};

// Makes the copy, which runs `run(argument)` and ends. Its id, or -errno.
// It begins with its maker's descriptors. The kernel ends it before anything else where memory is
// short, and it leaves no core file.
long make_copy(void (*run)(void*), void* argument);

// Waits for a copy; kills it at `deadline_ns` (monotonic).
class CopyWait {
 public:
  CopyWait(long copy, std::uint64_t deadline_ns) : copy_(copy), deadline_ns_(deadline_ns) {}
  // Reaps it when it has ended, and kills it when it is late.
  bool has_ended();
  // Kills it soon.
  void end_it() { deadline_ns_ = 0; }
  // A short one at first.
  void nap();

 private:
  long copy_;
  std::uint64_t deadline_ns_;
  unsigned naps_ = 0;
  bool is_killed_ = false;
};

// Memory that both see, zeroed; null when the kernel has none.
void* map_shared(std::size_t bytes);
void unmap_shared(void* begin, std::size_t bytes);

}  // namespace seep::scan
