// Call stacks of scripts: what an interpreter says of the calling thread, read from its memory.
// Context: IN-HOOK, any thread, signal handlers too. Nothing of the interpreter is called and
// nothing allocated; less than 2 KB of stack.
//
// One interpreter is read in a process: the first that starts; the stacks of a second stay native.
// A language has a file pair here that reads its frames (php_frames), and one in intercept/ that
// sees its allocator (php_heap).
//
//   key()   a few loads: which stack it may be        0: no script runs on this thread
//   walk()  all frames, and every word that was read on the way, in order (ReadSet)
//
// A stack that was walked before is found again by its key and by comparing those words (memo.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

#include "preload/script/last_frames.h"
#include "preload/table/script_frame_table.h"

namespace seep::script {

inline constexpr unsigned kMostFrames = 32;

// The words that a walk read, in its order: where the first ones are as they were, reading the next
// is safe, and where all are, the walk would come to the same frames. Short-lived memory may be
// used again for other things of the same address: a walk must note enough to tell
// (php_frames.cpp).
//
// A guarded word lies in memory that can always be read, and is only changed before changes() goes
// up: as long as that is what it was, none of them need be looked at.
//
// A closure has a function of its own, in memory of its own: what such a pointer leads to is
// compared instead of the pointer. These words come after all others.
class ReadSet {
 public:
  static constexpr unsigned kMostWords = 8 * kMostFrames;
  static constexpr unsigned kMostBehind = 8 * kMostFrames;
  static constexpr unsigned kRoom = kMostWords + kMostBehind;

  struct Word {
    std::uint64_t address;
    std::uint64_t value;
  };
  // Of an address: there stands the pointer that the next ones are behind; it is an offset from
  // that pointer.
  static constexpr std::uint64_t kIsPointer = std::uint64_t{1} << 63;
  static constexpr std::uint64_t kIsOffset = std::uint64_t{1} << 62;

  // Writes them to `room`, which has kRoom; null: they are not kept.
  explicit ReadSet(Word* room)
      : room_(room),
        next_(room),
        guarded_(room == nullptr ? nullptr : room + kMostWords),
        next_behind_(guarded_),
        is_whole_(room != nullptr) {}

  // Reads a word of the interpreter.
  std::uint64_t read(std::uint64_t address) {
    const std::uint64_t value = *reinterpret_cast<const std::uint64_t*>(address);
    if (next_ == guarded_) [[unlikely]] {
      is_whole_ = false;
    } else {
      *next_++ = {address, value};
    }
    return value;
  }
  std::uint64_t read_guarded(std::uint64_t address) {
    const std::uint64_t value = *reinterpret_cast<const std::uint64_t*>(address);
    if (next_ == guarded_) [[unlikely]] {
      is_whole_ = false;
    } else {
      *--guarded_ = {address, value};
    }
    return value;
  }
  // The pointer at `address` may be another one next time.
  std::uint64_t follow(std::uint64_t address) {
    behind_ = *reinterpret_cast<const std::uint64_t*>(address);
    add_behind({address | kIsPointer, 0});
    return behind_;
  }
  // Reads what lies `offset` behind the last one that was followed.
  std::uint64_t read_behind(std::uint64_t offset) {
    const std::uint64_t value = *reinterpret_cast<const std::uint64_t*>(behind_ + offset);
    add_behind({offset | kIsOffset, value});
    return value;
  }
  // Reads what may be read only once the words behind pointers were.
  std::uint64_t read_last(std::uint64_t address) {
    const std::uint64_t value = *reinterpret_cast<const std::uint64_t*>(address);
    add_behind({address, value});
    return value;
  }
  // Takes over what another walk read; false, and nothing is done, where there is no room.
  bool take(const Word* words, unsigned count, const Word* guarded, unsigned guarded_count,
            const Word* behind, unsigned behind_count) {
    if (count + guarded_count > static_cast<unsigned>(guarded_ - next_) ||
        behind_count > static_cast<unsigned>(room_ + kRoom - next_behind_)) {
      return false;
    }
    std::memcpy(next_, words, count * sizeof(Word));
    next_ += count;
    guarded_ -= guarded_count;
    std::memcpy(guarded_, guarded, guarded_count * sizeof(Word));
    std::memcpy(next_behind_, behind, behind_count * sizeof(Word));
    next_behind_ += behind_count;
    return true;
  }
  // They do not tell the stack: it is to be read each time.
  void give_up() { is_whole_ = false; }
  // Whether all of them are kept.
  [[nodiscard]] bool is_whole() const { return is_whole_; }
  [[nodiscard]] unsigned count() const { return static_cast<unsigned>(next_ - room_); }
  [[nodiscard]] unsigned guarded_count() const {
    return static_cast<unsigned>(room_ + kMostWords - guarded_);
  }
  [[nodiscard]] unsigned behind_count() const {
    return static_cast<unsigned>(next_behind_ - behind());
  }
  // At the end of the room for the first ones, and behind it.
  [[nodiscard]] const Word* guarded() const { return guarded_; }
  [[nodiscard]] const Word* behind() const { return room_ + kMostWords; }

 private:
  void add_behind(const Word& word) {
    if (room_ == nullptr || next_behind_ == room_ + kRoom) [[unlikely]] {
      is_whole_ = false;
    } else {
      *next_behind_++ = word;
    }
  }

  Word* room_;
  Word* next_;
  Word* guarded_;
  Word* next_behind_;
  bool is_whole_;
  std::uint64_t behind_ = 0;
};

class Memo;

struct Stack {
  // Of a walk that will be kept in `memory` (Memo::add); null: nothing is kept.
  explicit Stack(Memo* memory);

  ReadSet words;
  LastFrames* last;                   // null: each frame is looked up
  Memo* memo;                         // null: each frame is walked
  unsigned rests_to_try = 16;         // of earlier walks
  unsigned depth = 0;                 // frames filled in
  unsigned lost = 0;                  // frames that found no room in the table
  bool cut = false;                   // there are more
  bool unsure = false;                // something was not as it should be: to be read again
  std::uint32_t frames[kMostFrames];  // ids of the table, innermost first

  // False when there is no room for another one.
  bool add(std::uint32_t frame) {
    cut = depth == kMostFrames;
    if (!cut) {
      frames[depth++] = frame;
    }
    return !cut;
  }
};

struct Interpreter {
  std::uint64_t (*key)();
  void (*walk)(table::ScriptFrameTable& table, Stack& stack);
};

// Null while no interpreter is read. Release in set_interpreter, acquire in interpreter().
[[gnu::visibility("hidden")]] extern std::atomic<const Interpreter*> g_interpreter;
inline const Interpreter* interpreter() {
  return g_interpreter.load(std::memory_order_acquire);
}
// The interpreter is read from now on, and walks of native frames end in its loop, the code at
// [loop_begin, loop_begin + loop_bytes). False where another one is read already: that stays, and
// refusal() tells. In one thread at a time.
bool set_interpreter(const Interpreter* interpreter, std::uint64_t loop_begin,
                     std::uint64_t loop_bytes);

// None is read any more.
void forget_interpreter();

// Goes up when words that compare equal may mean another script: a request has ended, and its
// memory is used again. Relaxed: it is read and changed in the thread that runs the script.
[[gnu::visibility("hidden")]] extern std::atomic<std::uint32_t> g_epoch;
inline std::uint32_t epoch() {
  return g_epoch.load(std::memory_order_relaxed);
}
inline void begin_epoch() {
  g_epoch.fetch_add(1, std::memory_order_relaxed);
}

// Goes up after a guarded word has changed. Relaxed: what a thread's own stack depends on changes
// in that thread, or under the interpreter's lock that it has taken since.
[[gnu::visibility("hidden")]] extern std::atomic<std::uint64_t> g_changes;
inline std::uint64_t changes() {
  return g_changes.load(std::memory_order_relaxed);
}
inline void note_change() {
  g_changes.fetch_add(1, std::memory_order_relaxed);
}

// The library with this place in it is about to be unmapped: an interpreter in it is read no more.
void forget_interpreter_at(const void* place);
// Whether both lie in one file that is mapped, as far as is known.
bool share_module(std::uint64_t code, const void* place);

// The layout of the interpreter that is read is not the one expected: it is read no more. `why`
// must stay.
void refuse(const char* why);
// An interpreter of the process is not read; one that is goes on being read. `why` must stay.
void pass_over(const char* why);
// Why it was refused; null where it was not.
const char* refusal();

// Whether a script runs on the calling thread.
inline bool runs_here() {
  const Interpreter* known = interpreter();
  return known != nullptr && known->key() != 0;
}

}  // namespace seep::script
