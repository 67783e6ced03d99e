#include "preload/script/php_frames.h"

#include <atomic>
#include <bit>
#include <string_view>

#include "preload/runtime/file.h"
#include "preload/runtime/text.h"
#include "preload/runtime/thread_pointer.h"
#include "preload/script/known_frames.h"
#include "preload/script/memo.h"
#include "preload/script/php_check.h"
#include "preload/script/php_texts.h"
#include "preload/script/script.h"
#include "preload/stack/interpreter_loop.h"

namespace seep::script {
namespace {

constexpr unsigned kMostSteps = 4096;  // frames of a stack that are looked at
constexpr int kFunctionsToBelieve = 16;
constexpr int kMostDoubts = 8;

// Written before the interpreter is set.
constinit PhpSymbols g_symbols;
constinit PhpLayout g_layout{};
constinit std::uintptr_t g_thread = 0;  // that runs PHP, in builds that are not thread-safe

// Where in the executor's globals the instructions of an exception stand; 0: not found. Relaxed:
// whoever looks finds the same.
constinit std::atomic<std::uint64_t> g_exception_ops{0};

constinit const std::uint8_t kNoFlags = 0;
constinit const std::uint8_t kFlagsAtEnd = php::kInShutdown;
// Whose flags are wanted; 0: nobody's. Of the thread that runs the script.
constinit std::uint64_t g_script_globals = 0;
// Relaxed: written before the handlers are set in whose calls it is read, or by PHP's thread.
constinit std::atomic<bool> g_requests_are_told{false};
constinit KnownFrames g_known_frames{};

// The trial of the layout. Relaxed: figures; two threads that count at once do no harm.
constinit std::atomic<int> g_functions_to_check{kFunctionsToBelieve};
constinit std::atomic<int> g_doubts{0};

bool is_trusted() {
  return g_functions_to_check.load(std::memory_order_relaxed) <= 0;
}

template <typename T = std::uint64_t>
T at(std::uint64_t address) {
  return *reinterpret_cast<const T*>(address);
}

struct Globals {
  std::uint64_t executor = 0;
  std::uint64_t compiler = 0;
};

// Thread-safe builds: what the globals of the thread are part of, while a request of it runs.
constinit thread_local void* t_request_globals = nullptr;

// False on a thread that runs no PHP, or none yet, or none any more.
[[gnu::always_inline]] inline bool find_globals(Globals& globals) {
  if (g_symbols.thread_globals == nullptr) {
    globals = {g_symbols.executor_globals, g_symbols.compiler_globals};
    return runtime::thread_pointer() == g_thread;
  }
  // PHP has others where it took the thread down in the middle of a request.
  if (t_request_globals == nullptr || t_request_globals != g_symbols.thread_globals()) {
    return false;
  }
  const auto base = reinterpret_cast<std::uint64_t>(t_request_globals);
  globals = {base + *g_symbols.executor_offset, base + *g_symbols.compiler_offset};
  return true;
}

bool is_compiling(const Globals& globals) {
  return at<std::uint8_t>(globals.compiler + g_layout.in_compilation) != 0;
}

bool is_internal(std::uint64_t function) {
  return (at<std::uint8_t>(function + php::kType) & php::kInternalBit) != 0;
}

// ---- the exception's instructions and the flags
// ---------------------------------------------------

bool are_exception_ops(std::uint64_t first) {
  for (std::uint64_t i = 0; i < php::kExceptionOps; ++i) {
    const std::uint64_t instruction = first + i * php::kInstructionBytes;
    if (at<std::uint8_t>(instruction + php::kOpcode) != php::kHandleException ||
        at(instruction) != at(first)) {
      return false;
    }
  }
  return at(first) != 0;
}

const std::uint8_t* flags_of(const Globals& globals, std::uint64_t exception_ops) {
  return reinterpret_cast<const std::uint8_t*>(globals.executor + exception_ops +
                                               php::kExceptionOps * php::kInstructionBytes +
                                               php::kFlagsBehindExceptionOps);
}

void show_flags(const Globals& globals, std::uint64_t exception_ops) {
  if (g_script_globals == globals.executor) {
    g_php_flags.store(flags_of(globals, exception_ops), std::memory_order_relaxed);
  }
}

// Where they stand in the executor's globals, which are there as a whole; 0 before the first
// request.
std::uint64_t find_exception_ops(const Globals& globals) {
  const std::uint64_t known = g_exception_ops.load(std::memory_order_relaxed);
  if (known != 0) [[likely]] {
    return known;
  }
  constexpr std::uint64_t kBytes = php::kExceptionOps * php::kInstructionBytes;
  for (std::uint64_t place = g_layout.current_execute_data + 8U;
       place + kBytes <= php::kMostExecutorBytes; place += 8) {
    if (are_exception_ops(globals.executor + place)) {
      g_exception_ops.store(place, std::memory_order_relaxed);
      show_flags(globals, place);
      return place;
    }
  }
  return 0;
}

// Whether the stack may be read by plain loads.
bool is_believed(const Globals& globals) {
  if (is_trusted()) [[likely]] {
    return true;
  }
  const int functions = count_php_functions(
      g_layout, at(globals.executor + g_layout.current_execute_data), kFunctionsToBelieve);
  if (functions < 0) {
    if (g_doubts.fetch_add(1, std::memory_order_relaxed) + 1 == kMostDoubts) {
      refuse("the frames of PHP are not laid out as its version has them");
    }
    return false;
  }
  g_functions_to_check.fetch_sub(functions, std::memory_order_relaxed);
  return true;
}

// ---- reading ------------------------------------------------------------------------------------

// Up to a zero: the name of a class without one has a file and a line behind it.
std::string_view view_of(std::uint64_t text) {
  if (text == 0) {
    return {};
  }
  const auto length = at(text + php::kLength);
  const std::string_view all(reinterpret_cast<const char*>(text + php::kBytes),
                             length < kMostTextBytes ? length : kMostTextBytes);
  return all.substr(0, all.find('\0'));
}

using Name = runtime::Text<512>;

void add_name(std::uint64_t function, std::uint64_t name, Name& text) {
  const std::uint64_t scope = at(function + php::kScope);
  if (scope != 0 && name != 0) {
    text.add(view_of(at(scope + php::kClassName))).add("::");
  }
  text.add(name == 0 ? "{main}" : view_of(name));
}

// Whether a function may be gone before the request ends, and another one have its place: a file's
// own code, `eval`'s, a closure. One with a name of its own stands in a table of functions or of a
// class.
bool may_pass(std::uint64_t function) {
  return at(function + php::kFunctionName) == 0 ||
         (at<std::uint32_t>(function + php::kFlags) & php::kMayPass) != 0;
}

// Whether it stays where it is, with its instructions and all names, until the request ends, and
// that is told. That a closure of a function of PHP itself has the mark of a closure, too, is known
// of 8.2 and later ones.
bool stays(std::uint64_t function) {
  constexpr unsigned kMarksAllClosures = 802;
  return !may_pass(function) && (g_layout.version >= kMarksAllClosures || !is_internal(function)) &&
         g_requests_are_told.load(std::memory_order_relaxed);
}

// Whether it is one that an object of its own holds, as a closure does: the same lines in many
// places.
bool is_copy(std::uint64_t function) {
  constexpr unsigned kFirstWithMark = 800;
  const std::uint32_t closure =
      g_layout.version < kFirstWithMark ? php::kIsClosureBefore8 : php::kIsClosure;
  return !is_internal(function) && at(function + php::kFunctionName) != 0 &&
         (at<std::uint32_t>(function + php::kFlags) & closure) != 0;
}

// The words of a function: those of one that stays are what they were, and need not be noted; those
// of a copy are noted as what the frame's pointer leads to.
class FunctionWords {
 public:
  FunctionWords(std::uint64_t frame, ReadSet& words)
      : function_(at(frame + php::kFunction)), words_(words) {
    if (function_ != 0 && is_copy(function_)) {
      kind_ = Kind::kCopy;
      words.follow(frame + php::kFunction);
    } else {
      words.read(frame + php::kFunction);
      kind_ = function_ != 0 && stays(function_) ? Kind::kStays : Kind::kPasses;
    }
  }
  [[nodiscard]] std::uint64_t function() const { return function_; }
  [[nodiscard]] bool stay() const { return kind_ == Kind::kStays; }
  [[nodiscard]] bool are_of_copy() const { return kind_ == Kind::kCopy; }

  [[nodiscard]] std::uint64_t read(std::uint64_t offset) const {
    return kind_ == Kind::kStays  ? at(function_ + offset)
           : kind_ == Kind::kCopy ? words_.read_behind(offset)
                                  : words_.read(function_ + offset);
  }
  // A word of an instruction.
  [[nodiscard]] std::uint64_t read_code(std::uint64_t address) const {
    return kind_ == Kind::kStays  ? at(address)
           : kind_ == Kind::kCopy ? words_.read_last(address)
                                  : words_.read(address);
  }

 private:
  enum class Kind : std::uint8_t { kStays, kPasses, kCopy };

  std::uint64_t function_;
  ReadSet& words_;
  Kind kind_;
};

bool is_in_function(std::uint64_t function, std::uint64_t instruction) {
  return instruction - at(function + g_layout.opcodes) <
         at<std::uint32_t>(function + g_layout.last) * php::kInstructionBytes;
}

// An instruction outside of the function's is that of an exception being thrown, or none at all: of
// generators and of compiled code it is not always kept up. One inside says the line by itself.
std::uint32_t line_of(std::uint64_t opline, const Globals& globals, const FunctionWords& own,
                      ReadSet& words) {
  const std::uint64_t function = own.function();
  if (!is_in_function(function, opline)) {
    (void)own.read(g_layout.opcodes);
    const std::uint64_t ops = find_exception_ops(globals);
    const std::uint64_t throwing = opline - (globals.executor + ops);
    if (ops != 0 && throwing < php::kExceptionOps * php::kInstructionBytes) {
      opline = words.read(globals.executor + ops - 8);
    }
  }
  return is_in_function(function, opline)
             ? static_cast<std::uint32_t>(own.read_code(opline + php::kLine))
             : at<std::uint32_t>(function + g_layout.filename + php::kLineStart);
}

bool add(std::uint32_t id, Stack& stack) {
  if (id == table::ScriptFrameTable::kNone) {
    ++stack.lost;
    return true;
  }
  return stack.add(id);
}

// The id of a function's line. The names, files and classes of one that `stays` do so, too: their
// addresses tell them.
std::uint32_t find_frame(std::uint64_t function, std::uint64_t file, std::uint32_t line, bool stays,
                         table::ScriptFrameTable& table) {
  const std::uint64_t name = at(function + php::kFunctionName);
  const KnownFrames::Key key{
      {function, name, at(function + php::kScope), file, std::uint64_t{epoch()} << 32 | line}};
  std::uint32_t id = stays ? g_known_frames.find(key) : table::ScriptFrameTable::kNone;
  if (id == table::ScriptFrameTable::kNone) {
    Name text;
    add_name(function, name, text);
    id = table.intern({text.view(), view_of(file), line, format::ScriptLanguage::kPhp});
    if (stays && id != table::ScriptFrameTable::kNone) {
      g_known_frames.keep(key, id);
    }
  }
  return id;
}

// What is noted tells a function that may pass from the next one in its place: the file's name may
// be another one at the same address, too, and a function called by `__call` has the name of the
// call, which may be anything. No two functions have a line of a file in common that matters.
void note_passing(const FunctionWords& own, ReadSet& words, Texts& texts) {
  if ((at<std::uint32_t>(own.function() + php::kFlags) & php::kByTrampoline) != 0) {
    words.give_up();
  }
  if (own.are_of_copy()) {
    (void)own.read(php::kType);          // and the flags: it is a copy
    (void)own.read(php::kFunctionName);  // of a method that has several
    (void)own.read(php::kScope);
    (void)own.read(g_layout.opcodes);  // the instruction may be left over from another one's
    texts.note_last(own.read(g_layout.filename));
  } else if (!is_internal(own.function())) {
    (void)own.read(php::kScope);
    texts.note(own.read(g_layout.filename));
  }
}

std::uint32_t find_user_frame(std::uint64_t opline, const FunctionWords& own,
                              const Globals& globals, table::ScriptFrameTable& table,
                              ReadSet& words) {
  const std::uint64_t function = own.function();
  const std::uint64_t file =
      may_pass(function) ? at(function + g_layout.filename) : own.read(g_layout.filename);
  const std::uint32_t line = line_of(opline, globals, own, words);
  return find_frame(function, file, line, own.stay(), table);
}

// The same of a function that stays, whose instructions do so, too: where this thread found the
// frame at the same one last.
std::uint32_t find_staying_frame(std::uint64_t opline, const FunctionWords& own,
                                 const Globals& globals, table::ScriptFrameTable& table,
                                 Stack& stack, LastFrames::Frame& known) {
  const std::uint64_t function = own.function();
  if (known.words[0] == function && known.words[1] == opline && known.words[2] == epoch()) {
    return known.id;
  }
  const std::uint32_t id = find_user_frame(opline, own, globals, table, stack.words);
  if (id != table::ScriptFrameTable::kNone && is_in_function(function, opline)) {
    known.words[0] = function;
    known.words[1] = opline;
    known.words[2] = epoch();
    known.id = id;
  }
  return id;
}

// False when there is no room for more.
bool add_function(std::uint64_t frame, const FunctionWords& own, const Globals& globals,
                  table::ScriptFrameTable& table, Stack& stack, Texts& texts) {
  const std::uint64_t function = own.function();
  if (may_pass(function)) {
    note_passing(own, stack.words, texts);
  }
  if (is_internal(function)) {
    (void)own.read(php::kFunctionName);
    (void)own.read(php::kScope);
    return add(find_frame(function, 0, 0, own.stay(), table), stack);
  }
  const std::uint64_t opline = stack.words.read(frame + php::kOpline);
  return add(own.stay() && stack.last != nullptr
                 ? find_staying_frame(opline, own, globals, table, stack, stack.last->at(frame))
                 : find_user_frame(opline, own, globals, table, stack.words),
             stack);
}

// Files' texts are noted once for all frames: what is behind one of them is no tale of its own
// then.
bool may_take_rest(const Stack& stack) {
  return stack.memo != nullptr && g_requests_are_told.load(std::memory_order_relaxed);
}

void walk_frames(const Globals& globals, table::ScriptFrameTable& table, Stack& stack,
                 Texts& texts) {
  const bool takes_rest = may_take_rest(stack);
  std::uint64_t frame = stack.words.read(globals.executor + g_layout.current_execute_data);
  for (unsigned step = 0; frame != 0 && step < kMostSteps; ++step) {
    if (takes_rest) {
      LastFrames::Frame& last = stack.last->at(frame);
      if (stack.memo->take_rest_of(frame, last, stack)) {
        return;
      }
      last.rest = stack.memo->rest_from(frame, stack);
    }
    const FunctionWords own(frame, stack.words);
    if (own.function() != 0 && !add_function(frame, own, globals, table, stack, texts)) {
      return;
    }
    frame = stack.words.read(frame + php::kCaller);
  }
}

void walk_php(table::ScriptFrameTable& table, Stack& stack) {
  Globals globals;
  if (!find_globals(globals) || !is_believed(globals)) {
    return;
  }
  find_exception_ops(globals);  // while a script runs they are there
  Texts texts(stack.words, g_requests_are_told.load(std::memory_order_relaxed));
  if (is_compiling(globals)) {
    const std::uint64_t file = stack.words.read(globals.compiler + php::kCompiledFile);
    texts.note(file);
    add(table.intern({"[compile]", view_of(file), 0, format::ScriptLanguage::kPhp}), stack);
  }
  walk_frames(globals, table, stack, texts);
  texts.end();
}

// Where a frame stands: at an instruction of a function that is written in PHP; what others have
// for one is left over from the frame that was there before.
[[gnu::always_inline]] inline std::uint64_t place_in(std::uint64_t frame) {
  const std::uint64_t function = at(frame + php::kFunction);
  return function != 0 && !is_internal(function) ? at(frame + php::kOpline) : function;
}

// From the innermost frame and where it and its caller stand.
std::uint64_t key_of_php() {
  Globals globals;
  if (!find_globals(globals)) {
    return 0;
  }
  const std::uint64_t frame = at(globals.executor + g_layout.current_execute_data);
  const std::uint64_t compiling = is_compiling(globals) ? 2 : 0;
  if (frame == 0 || !is_trusted()) [[unlikely]] {
    return frame | compiling;
  }
  const std::uint64_t caller = at(frame + php::kCaller);
  const std::uint64_t called_from = caller == 0 ? 0 : place_in(caller);
  return (frame ^ std::rotl(place_in(frame), 21) ^ std::rotl(called_from, 42)) << 2 | compiling | 1;
}

constexpr Interpreter kPhp{key_of_php, walk_php};

}  // namespace

constinit std::atomic<const std::uint8_t*> g_php_flags{&kNoFlags};
constinit std::uintptr_t g_php_script_thread = 0;

bool read_php(const PhpSymbols& symbols, unsigned version, const PhpLayout& given) {
  const PhpLayout* layout = &given;
  for (const PhpLayout& known : kPhpLayouts) {
    layout = given.version != version && known.version == version ? &known : layout;
  }
  if (layout->version != version) {
    return false;
  }
  g_symbols = symbols;
  g_layout = *layout;
  g_thread = runtime::thread_pointer();
  g_exception_ops.store(0, std::memory_order_relaxed);
  g_functions_to_check.store(kFunctionsToBelieve, std::memory_order_relaxed);
  g_doubts.store(0, std::memory_order_relaxed);
  set_interpreter(&kPhp, symbols.loop_begin, symbols.loop_bytes);
  return true;
}

bool php_is_executing() {
  Globals globals;
  return find_globals(globals) && at(globals.executor + g_layout.current_execute_data) != 0;
}

bool php_request_is_over() {
  Globals globals;
  if (!find_globals(globals) || at(globals.executor + g_layout.current_execute_data) != 0) {
    return false;
  }
  const std::uint64_t ops = find_exception_ops(globals);
  return ops != 0 && (*flags_of(globals, ops) & php::kInShutdown) != 0;
}

void begin_php_request() {
  if (interpreter() == &kPhp && g_symbols.thread_globals != nullptr &&
      *g_symbols.executor_offset != 0 && *g_symbols.compiler_offset != 0) {
    t_request_globals = g_symbols.thread_globals();
  }
}

// The flags go with the globals: that the script has ended is still so.
void end_php_request() {
  if (php_script_has_ended()) {
    g_php_flags.store(&kFlagsAtEnd, std::memory_order_relaxed);
    g_script_globals = 0;
  }
  t_request_globals = nullptr;
}

void watch_php_script() {
  Globals globals;
  if (find_globals(globals)) {
    g_script_globals = globals.executor;
    g_php_script_thread = runtime::thread_pointer();
    if (const std::uint64_t ops = find_exception_ops(globals); ops != 0) {
      show_flags(globals, ops);
    }
  }
}

void tell_php_requests() {
  g_requests_are_told.store(true, std::memory_order_relaxed);
}

void forget_php_script() {
  g_requests_are_told.store(false, std::memory_order_relaxed);
  g_script_globals = 0;
  g_php_flags.store(&kNoFlags, std::memory_order_relaxed);
}

PhpPlace php_place() {
  if (interpreter() != &kPhp || g_symbols.thread_globals != nullptr) {
    return {};
  }
  return {&g_layout, g_symbols.executor_globals, g_symbols.compiler_globals};
}

}  // namespace seep::script
