#include "preload/script/python_frames.h"

#include <bit>
#include <string_view>

#include "preload/script/checked_memory.h"
#include "preload/script/known_frames.h"
#include "preload/script/memo.h"
#include "preload/script/python_code.h"
#include "preload/script/script.h"
#include "preload/stack/interpreter_loop.h"

namespace seep::script {

constinit std::atomic<std::uint64_t> g_code_stamps[kCodeStamps] = {};

namespace {

// Written before set_interpreter, which releases them.
constinit PythonInterpreter g_python;
constinit std::size_t g_frame_bytes = 0;

// Frames were read and found to be right, or a few were found to be wrong. Relaxed: figures.
constinit std::atomic<bool> g_trusted{false};
constinit std::atomic<unsigned> g_wrong{0};
constexpr unsigned kMostWrong = 8;

// Links of a chain that are followed: those that run no Python code count, too.
constexpr unsigned kMostLinks = 8 * kMostFrames;

constinit KnownFrames g_known_lines{};

KnownFrames::Key key_of(const PythonInstruction& instruction, std::uint64_t stamp) {
  return {{instruction.code, instruction.place, stamp}};
}

std::uint64_t load(std::uintptr_t address) {
  return *reinterpret_cast<const std::uint64_t*>(address);
}

// To the end of the last word of a frame that is read.
std::size_t bytes_of_frame(const PythonLayout& layout) {
  std::size_t bytes = layout.frame_owner == kNoOffset ? 0 : layout.frame_owner + std::size_t{1};
  for (const std::uint16_t word :
       {layout.frame_code, layout.frame_previous, layout.frame_instruction}) {
    const std::size_t end = word + sizeof(std::uint64_t);
    bytes = end > bytes ? end : bytes;
  }
  return bytes;
}

// Whether the words of a frame are there: those of a stack lie in few pages.
class FrameCheck {
 public:
  bool is_frame(std::uintptr_t frame) {
    const std::uintptr_t last = frame + g_frame_bytes - 1;
    if (frame % alignof(void*) != 0) {
      return false;
    }
    if (frame / kPageBytes == page_ && last / kPageBytes == page_) {
      return true;
    }
    page_ = frame / kPageBytes;
    return is_readable(frame, g_frame_bytes);
  }

 private:
  static constexpr std::uintptr_t kPageBytes = 4096;

  std::uintptr_t page_ = 0;  // was found to be readable, or the walk is over
};

// The state of this thread; 0 where it has none. An interpreter that ends frees the states of other
// threads long before it takes their addresses away.
[[gnu::always_inline]] inline std::uintptr_t thread_state() {
  const auto thread = reinterpret_cast<std::uintptr_t>(g_python.this_thread_state());
  const std::uint64_t ending = g_python.ending == nullptr ? 0 : *g_python.ending;
  return ending == 0 || ending == thread ? thread : 0;
}

// The innermost frame of this thread; 0 where it runs none.
[[gnu::always_inline]] inline std::uintptr_t innermost_frame() {
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
  return FrameCheck().is_frame(frame) ? frame : 0;
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

// Python's own tracebacks leave these out, too: half a dozen for each module that imports another.
bool is_of_importer(std::string_view file) {
  return file.substr(0, 17) == "<frozen importlib";
}

// The id of a frame's line in the table, with kOfImporter where it is one of the importer's; kNone
// where the table is full, kUnreadable where there is no line.
constexpr std::uint32_t kUnreadable = table::ScriptFrameTable::kNone - 1;
constexpr std::uint32_t kOfImporter = 1U << 30;
static_assert(table::ScriptFrameTable::kMostFrames <= kOfImporter);
[[gnu::noinline]] std::uint32_t find_line(table::ScriptFrameTable& table,
                                          const PythonInstruction& instruction,
                                          std::uint64_t stamp) {
  const std::uint32_t known = g_known_lines.find(key_of(instruction, stamp));
  if (known != table::ScriptFrameTable::kNone) {
    return known;
  }
  PythonLine line;
  if (!is_python_code(g_python.code_type, instruction.code) ||
      !read_python_line(g_python.layout, instruction, line)) {
    return kUnreadable;
  }
  std::uint32_t id = table.intern(
      {line.function.view(), line.file.view(), line.line, format::ScriptLanguage::kPython});
  if (id != table::ScriptFrameTable::kNone) {
    id |= is_of_importer(line.file.view()) ? kOfImporter : 0;
    g_known_lines.keep(key_of(instruction, stamp), id);
  }
  return id;
}

// The same where the thread's last walk over this frame gives it. `known` is null, or will give it
// next time.
[[gnu::always_inline]] inline std::uint32_t find_line_again(table::ScriptFrameTable& table,
                                                            const PythonInstruction& instruction,
                                                            std::uint64_t stamp,
                                                            LastFrames::Frame* known) {
  if (known == nullptr) {
    return find_line(table, instruction, stamp);
  }
  if (instruction.code != 0 && known->words[0] == instruction.code &&
      known->words[1] == instruction.place && known->words[2] == stamp) {
    return known->id;
  }
  const std::uint32_t id = find_line(table, instruction, stamp);
  const bool is_line = id != kUnreadable && id != table::ScriptFrameTable::kNone;
  known->words[0] = is_line ? instruction.code : 0;
  known->words[1] = instruction.place;
  known->words[2] = stamp;
  known->id = id;
  return id;
}

// The innermost frame is told whosever it is. False when there is no room for it.
bool add_line(std::uint32_t id, Stack& stack) {
  if (id == table::ScriptFrameTable::kNone) {
    ++stack.lost;
    return true;
  }
  return ((id & kOfImporter) != 0 && stack.depth != 0) || stack.add(id & ~kOfImporter);
}

// Frames that the interpreter puts below its calls from C run no Python code. What they have for an
// instruction is not read: it may be anything.
[[gnu::always_inline]] inline bool runs_python_code(const PythonLayout& layout,
                                                    std::uintptr_t frame) {
  std::uint8_t owner = 0;
  if (layout.frame_owner != kNoOffset) {
    __builtin_memcpy(&owner, reinterpret_cast<const void*>(frame + layout.frame_owner), 1);
  }
  return owner < layout.first_foreign_owner;
}

// An address in the code stands for the code: it is told apart from other code there by the stamp.
[[gnu::always_inline]] inline PythonInstruction read_instruction(const PythonLayout& layout,
                                                                 std::uintptr_t frame,
                                                                 ReadSet& words) {
  const std::uint64_t code = layout.instruction == InstructionKind::kPointer
                                 ? load(frame + layout.frame_code)
                                 : words.read(frame + layout.frame_code);
  return {code & ~std::uint64_t{layout.tag_bits}, words.read(frame + layout.frame_instruction)};
}

// False when there is no room for it, or where there is no line: that is `unsure` then.
[[gnu::always_inline]] inline bool add_frame(const PythonLayout& layout, std::uintptr_t frame,
                                             LastFrames::Frame* known,
                                             table::ScriptFrameTable& table, Stack& stack) {
  const LastFrames::Rest rest =
      known == nullptr ? LastFrames::Rest{} : stack.memo->rest_from(frame, stack);
  const PythonInstruction instruction = read_instruction(layout, frame, stack.words);
  const auto* stamp = &g_code_stamps[code_stamp_of(instruction.code)];
  const std::uint32_t id = find_line_again(
      table, instruction, stack.words.read_guarded(reinterpret_cast<std::uintptr_t>(stamp)), known);
  if (id == kUnreadable) {
    stack.unsure = true;
    return false;
  }
  // One of the importer's is told in some stacks and left out in others.
  if (known != nullptr && (id & kOfImporter) == 0) {
    known->rest = rest;
  }
  return add_line(id, stack);
}

// As far as an earlier walk does not tell how it goes on. False where the chain is not as it should
// be.
bool walk_chain(table::ScriptFrameTable& table, Stack& stack) {
  const PythonLayout layout = g_python.layout;  // a compiler does not know that nobody changes it
  std::uintptr_t frame =
      g_trusted.load(std::memory_order_relaxed) ? innermost_frame() : find_innermost_frame();
  FrameCheck check;
  for (unsigned links = 0; frame != 0; ++links) {
    LastFrames::Frame* const known = stack.last == nullptr ? nullptr : &stack.last->at(frame);
    if (known != nullptr && stack.memo->take_rest_of(frame, *known, stack)) {
      return true;
    }
    if (links == kMostLinks || !check.is_frame(frame)) {
      return false;
    }
    if (!runs_python_code(layout, frame)) {
      stack.words.read(frame + layout.frame_code);
    } else if (!add_frame(layout, frame, known, table, stack)) {
      return !stack.unsure;
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
  stack.unsure = true;  // also where the chain itself is wrong
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
  g_frame_bytes = bytes_of_frame(interpreter.layout);
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
