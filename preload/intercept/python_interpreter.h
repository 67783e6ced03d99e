// CPython in the process: found by its dynamic symbols, its allocators seen from then on, its
// frames read once it has started. Context: IN-HOOK, at looks at the clock while recording.
#pragma once

#include <cstdint>

#include "preload/intercept/python_heap.h"
#include "preload/script/python_frames.h"

namespace seep::intercept {

class PythonProcess {
 public:
  // Python is wanted; nothing happens without.
  void want() { state_ = State::kAbsent; }

  [[nodiscard]] bool is_absent() const { return state_ == State::kAbsent; }
  [[nodiscard]] bool is_settled() const {
    return state_ == State::kUnwanted || state_ == State::kRead;
  }
  // It was found, and starts with one of the next calls, if it is started at all.
  [[nodiscard]] bool starts_soon() const { return state_ == State::kFound && looks_ != 0; }

  // Once, and again where libraries were loaded since.
  void find();
  // Libraries were unloaded, perhaps with it.
  void find_again();
  // Whether it has started meanwhile.
  void look();
  // The library with this place in it is about to be unmapped: nothing of it may be called again.
  void forget_at(const void* place);

 private:
  enum class State : std::uint8_t {
    kUnwanted,  // or of a version that is not known
    kAbsent,
    kFound,    // it has not started yet, as far as the threads that looked can tell
    kStarted,  // its frames are being tried
    kRead,     // nothing else is to be done
  };

  State state_ = State::kUnwanted;
  bool is_read_ = false;  // else another interpreter is
  unsigned looks_ = 0;    // that are left of those at every call
  PythonHeap heap_;
  script::PythonInterpreter frames_;
};

}  // namespace seep::intercept
