#include "preload/script/python_frames.h"

#include <bit>

#include "preload/script/checked_memory.h"
#include "preload/script/python_code.h"
#include "preload/script/script.h"
#include "preload/stack/interpreter_loop.h"

namespace seep::script {

constinit std::atomic<std::uint64_t> g_code_stamps[kCodeStamps] = {};

namespace {

constinit PythonInterpreter g_python;  // written before set_interpreter, which releases it

// Frames were read and found to be right, or a few were found to be wrong. Relaxed: figures.
constinit std::atomic<bool> g_trusted{false};
constinit std::atomic<unsigned> g_wrong{0};
constexpr unsigned kMostWrong = 8;

// Links of a chain that are followed: those that run no Python code count, too.
constexpr unsigned kMostLinks = 8 * kMostFrames;

// A line that was looked up before. A reader that meets a writer takes it for another one.
struct KnownLine {
  std::atomic<std::uint32_t> sequence;  // odd while it is written; release after, acquire before
  std::atomic<std::uint32_t> frame;     // id in the table
  std::atomic<std::uint64_t> code;
  std::atomic<std::uint64_t> place;
  std::atomic<std::uint64_t> stamp;
};
constexpr std::size_t kKnownLines = 4096;
constinit KnownLine g_known_lines[kKnownLines] = {};

KnownLine& known_line_of(const PythonInstruction& instruction) {
  const std::uint64_t hash =
      (instruction.code ^ std::rotl(instruction.place, 20)) * 0x9E3779B97F4A7C15ULL;
  return g_known_lines[hash >> 52];
}

std::uint32_t find_known_line(const PythonInstruction& instruction, std::uint64_t stamp) {
  const KnownLine& line = known_line_of(instruction);
  const std::uint32_t before = line.sequence.load(std::memory_order_acquire);
  const std::uint32_t frame = line.frame.load(std::memory_order_relaxed);
  const bool is_it = line.code.load(std::memory_order_relaxed) == instruction.code &&
                     line.place.load(std::memory_order_relaxed) == instruction.place &&
                     line.stamp.load(std::memory_order_relaxed) == stamp;
  std::atomic_thread_fence(std::memory_order_acquire);
  const bool is_whole = before % 2 == 0 && line.sequence.load(std::memory_order_relaxed) == before;
  return is_it && is_whole ? frame : table::ScriptFrameTable::kNone;
}

void keep_known_line(const PythonInstruction& instruction, std::uint64_t stamp,
                     std::uint32_t frame) {
  KnownLine& line = known_line_of(instruction);
  std::uint32_t before = line.sequence.load(std::memory_order_relaxed);
  if (before % 2 != 0 ||
      !line.sequence.compare_exchange_strong(before, before + 1, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
    return;
  }
  std::atomic_thread_fence(std::memory_order_release);
  line.code.store(instruction.code, std::memory_order_relaxed);
  line.place.store(instruction.place, std::memory_order_relaxed);
  line.stamp.store(stamp, std::memory_order_relaxed);
  line.frame.store(frame, std::memory_order_relaxed);
  line.sequence.store(before + 2, std::memory_order_release);
}

std::uint64_t load(std::uintptr_t address) {
  return *reinterpret_cast<const std::uint64_t*>(address);
}

// Whether the words of a frame are there.
bool is_frame(std::uintptr_t frame) {
  const PythonLayout& layout = g_python.layout;
  std::size_t bytes = layout.frame_owner == kNoOffset ? 0 : layout.frame_owner + std::size_t{1};
  for (const std::uint16_t word :
       {layout.frame_code, layout.frame_previous, layout.frame_instruction}) {
    const std::size_t end = word + sizeof(std::uint64_t);
    bytes = end > bytes ? end : bytes;
  }
  return frame % alignof(void*) == 0 && is_readable(frame, bytes);
}

// The state of this thread; 0 where it has none. An interpreter that ends frees the states of other
// threads long before it takes their addresses away.
std::uintptr_t thread_state() {
  const auto thread = reinterpret_cast<std::uintptr_t>(g_python.this_thread_state());
  const std::uint64_t ending = g_python.ending == nullptr ? 0 : *g_python.ending;
  return ending == 0 || ending == thread ? thread : 0;
}

// The innermost frame of this thread; 0 where it runs none.
std::uintptr_t innermost_frame() {
  const std::uintptr_t thread = thread_state();
  if (thread == 0) {
    return 0;
  }
  const std::uintptr_t frame = load(thread + g_python.layout.thread_frame);
  return g_python.layout.c_frame == kNoOffset || frame == 0 ? frame
                                                            : load(frame + g_python.layout.c_frame);
}

// The same while it is not known whether the layout is right.
[[gnu::cold, gnu::noinline]] std::uintptr_t find_innermost_frame() {
  const PythonLayout& layout = g_python.layout;
  const std::uintptr_t thread = thread_state();
  std::uintptr_t frame = 0;
  if (thread == 0 || !read_checked(thread + layout.thread_frame, frame)) {
    return 0;
  }
  if (layout.c_frame != kNoOffset && !read_checked(frame + layout.c_frame, frame)) {
    return 0;
  }
  return is_frame(frame) ? frame : 0;
}

// The innermost frame and where it and its two callers are: most stacks that differ, differ there.
// The frame's address is compared word for word nowhere else: that two of them, of one hash, should
// be met on one thread is left to chance, which is 2^-64 for a pair.
std::uint64_t python_key() {
  constexpr std::uint64_t kFactor = 0xD1342543DE82EF95ULL;
  constexpr unsigned kCallers = 2;
  const bool trusted = g_trusted.load(std::memory_order_relaxed);
  std::uintptr_t frame = trusted ? innermost_frame() : find_innermost_frame();
  if (frame == 0) {
    return 0;
  }
  const PythonLayout& layout = g_python.layout;
  std::uint64_t key = frame * kFactor ^ load(frame + layout.frame_instruction);
  for (unsigned i = 0; i < kCallers && trusted; ++i) {
    frame = load(frame + layout.frame_previous);
    if (frame == 0) {
      break;
    }
    key = std::rotl(key * kFactor, 29) ^ load(frame + layout.frame_instruction);
  }
  return key * kFactor | 1;
}

// The id of a frame's line in the table; kNone where that is full, kUnreadable where there is no
// line.
constexpr std::uint32_t kUnreadable = table::ScriptFrameTable::kNone - 1;
static_assert(table::ScriptFrameTable::kMostFrames < kUnreadable);
std::uint32_t find_line(table::ScriptFrameTable& table, const PythonInstruction& instruction,
                        std::uint64_t stamp) {
  const std::uint32_t known = find_known_line(instruction, stamp);
  if (known != table::ScriptFrameTable::kNone) {
    return known;
  }
  PythonLine line;
  if (!is_python_code(g_python.code_type, instruction.code) ||
      !read_python_line(g_python.layout, instruction, line)) {
    return kUnreadable;
  }
  const std::uint32_t id = table.intern(
      {line.function.view(), line.file.view(), line.line, format::ScriptLanguage::kPython});
  if (id != table::ScriptFrameTable::kNone) {
    keep_known_line(instruction, stamp, id);
  }
  return id;
}

// Frames that the interpreter puts below its calls from C run no Python code. What they have for an
// instruction is not read: it may be anything.
bool runs_python_code(std::uintptr_t frame) {
  const PythonLayout& layout = g_python.layout;
  std::uint8_t owner = 0;
  if (layout.frame_owner != kNoOffset) {
    __builtin_memcpy(&owner, reinterpret_cast<const void*>(frame + layout.frame_owner), 1);
  }
  return owner < layout.first_foreign_owner;
}

// An address in the code stands for the code: it is told apart from other code there by the stamp.
PythonInstruction read_instruction(std::uintptr_t frame, ReadSet& words) {
  const PythonLayout& layout = g_python.layout;
  const std::uint64_t code = layout.instruction == InstructionKind::kPointer
                                 ? load(frame + layout.frame_code)
                                 : words.read(frame + layout.frame_code);
  return {code & ~std::uint64_t{layout.tag_bits}, words.read(frame + layout.frame_instruction)};
}

// False where the chain does not go on as it should.
bool walk_chain(table::ScriptFrameTable& table, Stack& stack) {
  const PythonLayout& layout = g_python.layout;
  std::uintptr_t frame =
      g_trusted.load(std::memory_order_relaxed) ? innermost_frame() : find_innermost_frame();
  for (unsigned links = 0; frame != 0; ++links) {
    if (links == kMostLinks || !is_frame(frame)) {
      return false;
    }
    if (!runs_python_code(frame)) {
      stack.words.read(frame + layout.frame_code);
    } else {
      const PythonInstruction instruction = read_instruction(frame, stack.words);
      const auto* stamp = &g_code_stamps[code_stamp_of(instruction.code)];
      const std::uint32_t id =
          find_line(table, instruction, stack.words.read(reinterpret_cast<std::uintptr_t>(stamp)));
      if (id == kUnreadable) {
        return false;
      }
      if (id == table::ScriptFrameTable::kNone) {
        ++stack.lost;
      } else if (!stack.add(id)) {
        return true;
      }
    }
    frame = stack.words.read(frame + layout.frame_previous);
  }
  return true;
}

void python_walk(table::ScriptFrameTable& table, Stack& stack) {
  if (walk_chain(table, stack)) {
    if (stack.depth != 0) {
      g_trusted.store(true, std::memory_order_relaxed);
    }
    return;
  }
  ++stack.lost;
  stack.unsure = true;
  if (!g_trusted.load(std::memory_order_relaxed) &&
      g_wrong.fetch_add(1, std::memory_order_relaxed) + 1 == kMostWrong) {
    refuse("Python: its frames do not look as those of its version do");
  }
}

constinit const Interpreter kPython{python_key, python_walk};

}  // namespace

bool set_python(const PythonInterpreter& interpreter) {
  g_trusted.store(false, std::memory_order_relaxed);
  g_wrong.store(0, std::memory_order_relaxed);
  g_python = interpreter;
  return set_interpreter(&kPython, interpreter.loop_begin, interpreter.loop_bytes);
}

const PythonInterpreter* python_interpreter() {
  const bool is_read = interpreter() == &kPython && g_trusted.load(std::memory_order_relaxed);
  return is_read ? &g_python : nullptr;
}

bool python_is_settled() {
  return g_trusted.load(std::memory_order_relaxed) ||
         g_wrong.load(std::memory_order_relaxed) >= kMostWrong;
}

}  // namespace seep::script
