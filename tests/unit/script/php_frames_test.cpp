// Stacks of a PHP that is made of plain memory here, laid out as version 8.2 has it.
#include "preload/script/php_frames.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "preload/script/memo.h"
#include "preload/script/script.h"
#include "preload/stack/interpreter_loop.h"

namespace seep::script {
namespace {

constexpr PhpLayout kLayout = kPhpLayouts[3];
static_assert(kLayout.version == 802);

class Memory {
 public:
  explicit Memory(std::size_t bytes) : bytes_(bytes) {}
  template <typename T>
  void put(std::uint64_t offset, T value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof(value));
  }
  void put(std::uint64_t offset, const std::string& text) {
    std::memcpy(bytes_.data() + offset, text.data(), text.size());
  }
  [[nodiscard]] std::uint64_t address() const {
    return reinterpret_cast<std::uint64_t>(bytes_.data());
  }

 private:
  std::vector<unsigned char> bytes_;
};

class FakePhp : public testing::Test {
 protected:
  FakePhp() {
    PhpSymbols symbols;
    symbols.executor_globals = executor_.address();
    symbols.compiler_globals = compiler_.address();
    EXPECT_TRUE(read_php(symbols, 802));
  }
  ~FakePhp() override {
    memo_.release();
    forget_interpreter();
  }

  Memory& make(std::size_t bytes) { return memory_.emplace_back(bytes); }

  std::uint64_t string(const std::string& text) {
    Memory& string = make(php::kBytes + (text.size() + 8) / 8 * 8);  // as PHP rounds it up
    string.put(php::kLength, std::uint64_t{text.size()});
    string.put(php::kBytes, text);
    return string.address();
  }

  // Its instructions stand on lines `first`, `first` + 1, …
  std::uint64_t user_function(const std::string& name, const std::string& file,
                              std::uint32_t first = 10, std::uint32_t instructions = 4) {
    Memory& code = make(instructions * php::kInstructionBytes);
    for (std::uint32_t i = 0; i < instructions; ++i) {
      code.put(i * php::kInstructionBytes + php::kLine, first + i);
    }
    Memory& function = make(256);
    function.put(php::kType, std::uint8_t{2});
    function.put(php::kFunctionName, name.empty() ? std::uint64_t{0} : string(name));
    function.put(kLayout.filename, string(file));
    function.put(kLayout.filename + php::kLineStart, first);
    function.put(kLayout.filename + php::kLineEnd, first + instructions);
    function.put(kLayout.opcodes, code.address());
    function.put(kLayout.last, instructions);
    code_[function.address()] = code.address();
    return function.address();
  }
  std::uint64_t internal_function(const std::string& name) {
    Memory& function = make(256);
    function.put(php::kType, std::uint8_t{1});
    function.put(php::kFunctionName, string(name));
    return function.address();
  }
  void set_class(std::uint64_t function, const std::string& name) {
    Memory& type = make(64);
    type.put(php::kClassName, string(name));
    *reinterpret_cast<std::uint64_t*>(function + php::kScope) = type.address();
  }

  // Calls a function from what runs now; `instruction` is the one it is at.
  std::uint64_t call(std::uint64_t function, std::uint64_t instruction = 0) {
    Memory& frame = make(80);
    frame.put(php::kFunction, function);
    frame.put(php::kCaller, running());
    frame.put(php::kOpline, code_[function] + instruction * php::kInstructionBytes);
    run(frame.address());
    return frame.address();
  }
  std::uint64_t running() {
    return *reinterpret_cast<std::uint64_t*>(executor_.address() + kLayout.current_execute_data);
  }
  void run(std::uint64_t frame) { executor_.put(kLayout.current_execute_data, frame); }

  std::vector<std::string> stack() {
    const std::uint64_t key = interpreter() == nullptr ? 0 : interpreter()->key();
    if (key == 0) {
      return {};
    }
    Stack captured(&memo_);
    interpreter()->walk(*table_, captured);
    memo_.add(key, 1, captured, 42);  // the next walk may take over from this one
    std::vector<std::string> lines;
    for (unsigned i = 0; i < captured.depth; ++i) {
      const format::ScriptFrameRecord& record = *table_->record(captured.frames[i]);
      lines.push_back(std::string(table_->texts().text(record.function)) + " " +
                      std::string(table_->texts().text(record.file)) + ":" +
                      std::to_string(record.line));
    }
    return lines;
  }
  unsigned words_of(std::uint64_t function);
  // Keeps the stack that runs now as 42 of the native frames 1. Whether all of it could be noted.
  bool remember(Memo& memo) {
    Stack captured(&memo);
    interpreter()->walk(*table_, captured);
    memo.add(interpreter()->key(), 1, captured, 42);
    return captured.words.is_whole();
  }
  // Until the layout is believed.
  void be_believed() {
    const std::uint64_t before = running();
    call(user_function("warm", "/w.php"));
    for (int i = 0; i < 20; ++i) {
      stack();
    }
    run(before);
  }

  std::deque<Memory> memory_;
  std::map<std::uint64_t, std::uint64_t> code_;  // the first instruction of each function
  Memo memo_{};
  Memory& executor_ = make(2048);
  Memory& compiler_ = make(256);
  std::unique_ptr<table::ScriptFrameTable> table_ = std::make_unique<table::ScriptFrameTable>();
};

TEST_F(FakePhp, HasNoStackWhileNothingRuns) {
  EXPECT_TRUE(stack().empty());
}

TEST_F(FakePhp, GivesClassFunctionFileAndLineInnermostFirst) {
  call(user_function("", "/srv/index.php", 1), 3);
  const std::uint64_t run = user_function("run", "/srv/pool.php", 7);
  set_class(run, "Pool");
  call(run, 2);
  call(internal_function("str_repeat"));
  const std::vector<std::string> expected = {"str_repeat :0", "Pool::run /srv/pool.php:9",
                                             "{main} /srv/index.php:4"};
  EXPECT_EQ(stack(), expected);
  be_believed();
  EXPECT_EQ(stack(), expected);
}

TEST_F(FakePhp, PassesOverFramesWithoutAFunction) {
  call(user_function("outer", "/a.php"));
  call(0);
  EXPECT_EQ(stack(), std::vector<std::string>{"outer /a.php:10"});
}

TEST_F(FakePhp, TakesTheFirstLineWhereTheInstructionIsNoneOfTheFunction) {
  const std::uint64_t frame = call(user_function("f", "/a.php", 30));
  for (const std::uint64_t garbage : {std::uint64_t{0}, std::uint64_t{0x1234}, ~std::uint64_t{0}}) {
    *reinterpret_cast<std::uint64_t*>(frame + php::kOpline) = garbage;
    EXPECT_EQ(stack(), std::vector<std::string>{"f /a.php:30"});
  }
  be_believed();
  EXPECT_EQ(stack(), std::vector<std::string>{"f /a.php:30"});
}

TEST_F(FakePhp, TakesTheLineBeforeAnExceptionWasThrown) {
  constexpr std::uint64_t kOps = 888;  // where version 8.2 has them
  for (std::uint64_t i = 0; i < php::kExceptionOps; ++i) {
    executor_.put(kOps + i * php::kInstructionBytes, std::uint64_t{0x5555});
    executor_.put(kOps + i * php::kInstructionBytes + php::kOpcode, php::kHandleException);
  }
  be_believed();
  const std::uint64_t function = user_function("f", "/a.php", 30);
  const std::uint64_t frame = call(function);
  executor_.put(kOps - 8, code_[function] + 2 * php::kInstructionBytes);
  *reinterpret_cast<std::uint64_t*>(frame + php::kOpline) = executor_.address() + kOps;
  EXPECT_EQ(stack(), std::vector<std::string>{"f /a.php:32"});
  EXPECT_FALSE(php_request_is_over());
  run(0);
  EXPECT_FALSE(php_request_is_over());
  executor_.put(993, std::uint8_t{1});
  EXPECT_TRUE(php_request_is_over());
}

TEST_F(FakePhp, NamesTheFileThatIsCompiled) {
  call(user_function("load", "/a.php"));
  compiler_.put(kLayout.in_compilation, std::uint8_t{1});
  compiler_.put(php::kCompiledFile, string("/b.php"));
  EXPECT_EQ(stack(), (std::vector<std::string>{"[compile] /b.php:0", "load /a.php:10"}));
  compiler_.put(php::kCompiledFile, std::uint64_t{0});
  EXPECT_EQ(stack(), (std::vector<std::string>{"[compile] :0", "load /a.php:10"}));
}

TEST_F(FakePhp, CutsDeepStacksAtTheirOuterEnd) {
  const std::uint64_t recursion = user_function("f", "/a.php");
  for (unsigned i = 0; i < 3 * kMostFrames; ++i) {
    call(recursion, i % 2);
  }
  Stack captured(nullptr);
  interpreter()->walk(*table_, captured);
  EXPECT_EQ(captured.depth, kMostFrames);
  EXPECT_TRUE(captured.cut);
}

TEST_F(FakePhp, HasOneFrameForALineWhateverCopyOfTheFunctionRuns) {
  call(user_function("f", "/a.php"));
  stack();
  run(0);
  call(user_function("f", "/a.php"));
  stack();
  EXPECT_EQ(table_->count(), 1U);
}

TEST_F(FakePhp, TheKeyTellsLinesCallersAndFramesApart) {
  be_believed();
  const std::uint64_t outer = user_function("outer", "/a.php");
  const std::uint64_t inner = user_function("inner", "/a.php");
  const std::uint64_t caller = call(outer, 0);
  const std::uint64_t frame = call(inner, 0);
  const std::uint64_t key = interpreter()->key();
  *reinterpret_cast<std::uint64_t*>(frame + php::kOpline) += php::kInstructionBytes;
  EXPECT_NE(interpreter()->key(), key);
  *reinterpret_cast<std::uint64_t*>(frame + php::kOpline) -= php::kInstructionBytes;
  EXPECT_EQ(interpreter()->key(), key);
  *reinterpret_cast<std::uint64_t*>(caller + php::kOpline) += php::kInstructionBytes;
  EXPECT_NE(interpreter()->key(), key);
}

// How many words must be as they were for the stack of a call of `function` to be the same.
unsigned FakePhp::words_of(std::uint64_t function) {
  const std::uint64_t before = running();
  run(0);
  call(function);
  Memo memo{};
  Stack captured(&memo);
  interpreter()->walk(*table_, captured);
  run(before);
  const ReadSet& words = captured.words;
  const unsigned count = words.is_whole() ? words.count() + words.behind_count() : 0;
  memo.release();
  return count;
}

TEST_F(FakePhp, OfAFunctionThatStaysOnlyTheFrameIsComparedWhereRequestsAreTold) {
  be_believed();
  const std::uint64_t named = user_function("f", "/a.php");
  const std::uint64_t main = user_function("", "/a.php");
  const std::uint64_t closure = user_function("{closure}", "/a.php");
  const std::uint64_t trampoline = user_function("g", "/a.php");
  const std::uint64_t internal = internal_function("str_repeat");
  const std::uint64_t of_closure = internal_function("str_repeat");
  *reinterpret_cast<std::uint32_t*>(of_closure + php::kFlags) = 1U << 22;
  *reinterpret_cast<std::uint32_t*>(closure + php::kFlags) = 1U << 22;
  *reinterpret_cast<std::uint32_t*>(trampoline + php::kFlags) = 1U << 18;
  constexpr unsigned kAll = 6;  // the frame in front, function, instruction, file, line, caller
  EXPECT_EQ(words_of(named), kAll);
  tell_php_requests();
  EXPECT_EQ(words_of(named), kAll - 2);
  EXPECT_EQ(words_of(main), kAll + 1) << "its class, too";
  EXPECT_EQ(words_of(closure), kAll + 1 + 3) << "its kind, name and code, too";
  EXPECT_EQ(words_of(trampoline), 0U) << "to be read each time";
  EXPECT_EQ(words_of(internal), 3U) << "the frame in front, function, caller";
  EXPECT_EQ(words_of(of_closure), 5U) << "its name and class, too";
  forget_php_script();
  EXPECT_EQ(words_of(named), kAll);
  EXPECT_EQ(words_of(internal), 5U);
  EXPECT_EQ(words_of(main), kAll + 1 + 1) << "and the file's text";
}

// The object of a closure is used again for another one, whose code is where the first one's was.
TEST_F(FakePhp, AnotherClosureInTheSamePlaceIsAnotherStack) {
  be_believed();
  tell_php_requests();
  const std::uint64_t closure = user_function("{closure}", "/a.php", 30);
  *reinterpret_cast<std::uint32_t*>(closure + php::kFlags) = 1U << 22;
  call(closure);
  Memo memo{};
  remember(memo);
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 42U);
  *reinterpret_cast<std::uint32_t*>(code_[closure] + php::kLine) = 31;
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 0U);
  *reinterpret_cast<std::uint32_t*>(code_[closure] + php::kLine) = 30;
  const auto file = *reinterpret_cast<std::uint64_t*>(closure + kLayout.filename);
  *reinterpret_cast<std::uint64_t*>(closure + kLayout.filename) = string("/b.php");
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 0U);
  *reinterpret_cast<std::uint64_t*>(closure + kLayout.filename) = file;
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 42U);
  memo.release();
  forget_php_script();
}

// Where it is not told when a request ends, another file's name may be in the place of one.
TEST_F(FakePhp, TheTextOfAFilesNameIsComparedWhereRequestsAreNotTold) {
  be_believed();
  const std::uint64_t closure = user_function("{closure}", "/a.php", 30);
  *reinterpret_cast<std::uint32_t*>(closure + php::kFlags) = 1U << 22;
  call(closure);
  Memo memo{};
  remember(memo);
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 42U);
  const auto file = *reinterpret_cast<std::uint64_t*>(closure + kLayout.filename);
  reinterpret_cast<char*>(file + php::kBytes)[1] = 'b';
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 0U);
  EXPECT_NE(stack().front().find("/b.php"), std::string::npos) << stack().front();
  memo.release();
}

// As many as a stack has frames: of one file, as the links of a chain of handlers are.
TEST_F(FakePhp, ManyClosuresAreFoundAgainToo) {
  be_believed();
  tell_php_requests();
  for (unsigned i = 0; i < kMostFrames - 1; ++i) {
    const std::uint64_t closure = user_function("{closure}", "/a.php", 30);
    *reinterpret_cast<std::uint32_t*>(closure + php::kFlags) = 1U << 22;
    static std::uint64_t file = 0;
    file = i == 0 ? *reinterpret_cast<std::uint64_t*>(closure + kLayout.filename) : file;
    *reinterpret_cast<std::uint64_t*>(closure + kLayout.filename) = file;
    call(closure);
  }
  Memo memo{};
  EXPECT_TRUE(remember(memo));
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 42U);
  memo.release();
  forget_php_script();
}

// The method of a trait that a class has under two names: one code, one line, two functions.
TEST_F(FakePhp, ATraitsMethodIsToldByItsFunction) {
  be_believed();
  tell_php_requests();
  const std::uint64_t methods[] = {user_function("work", "/a.php", 30),
                                   user_function("other", "/a.php", 30)};
  for (const std::uint64_t method : methods) {
    *reinterpret_cast<std::uint32_t*>(method + php::kFlags) = 1U << 20;
    for (const std::uint64_t offset : {kLayout.filename, kLayout.opcodes}) {
      *reinterpret_cast<std::uint64_t*>(method + offset) =
          *reinterpret_cast<std::uint64_t*>(methods[0] + offset);
    }
  }
  const std::uint64_t frame = call(methods[0]);
  Memo memo{};
  remember(memo);
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 42U);
  *reinterpret_cast<std::uint64_t*>(frame + php::kFunction) = methods[1];
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 0U);
  EXPECT_EQ(stack().front().substr(0, 5), "other");
  memo.release();
  forget_php_script();
}

// What was found at a frame is found there again, until another function, another instruction or
// another request has it.
TEST_F(FakePhp, OfAFrameThatStaysTheLastLineIsNotBelievedLonger) {
  be_believed();
  tell_php_requests();
  const std::uint64_t function = user_function("f", "/a.php", 30);
  const std::uint64_t frame = call(function);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(stack().front(), "f /a.php:30");
  }
  *reinterpret_cast<std::uint64_t*>(frame + php::kOpline) += php::kInstructionBytes;
  EXPECT_EQ(stack().front(), "f /a.php:31");
  auto& running = *reinterpret_cast<std::uint64_t*>(frame + php::kFunction);
  running = user_function("g", "/b.php", 50);
  *reinterpret_cast<std::uint64_t*>(frame + php::kOpline) = code_[running];
  EXPECT_EQ(stack().front(), "g /b.php:50");
  *reinterpret_cast<std::uint64_t*>(running + php::kFunctionName) = string("h");
  begin_epoch();
  EXPECT_EQ(stack().front(), "h /b.php:50");
  forget_php_script();
}

// Each time that PHP comes by the line, the closure is a new object.
TEST_F(FakePhp, AClosureIsFoundAgainWhereverItsObjectIs) {
  be_believed();
  tell_php_requests();
  const std::uint64_t closures[] = {user_function("{closure}", "/a.php", 30),
                                    user_function("{closure}", "/a.php", 30)};
  for (const std::uint64_t closure : closures) {
    *reinterpret_cast<std::uint32_t*>(closure + php::kFlags) = 1U << 22;
    for (const std::uint64_t offset :
         {std::uint64_t{kLayout.filename}, std::uint64_t{kLayout.opcodes}, php::kFunctionName}) {
      *reinterpret_cast<std::uint64_t*>(closure + offset) =
          *reinterpret_cast<std::uint64_t*>(closures[0] + offset);
    }
  }
  const std::uint64_t frame = call(closures[0]);
  Memo memo{};
  remember(memo);
  auto& function = *reinterpret_cast<std::uint64_t*>(frame + php::kFunction);
  function = closures[1];
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 42U);
  *reinterpret_cast<std::uint64_t*>(closures[1] + php::kScope) = 8;  // bound to a class
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 0U);
  *reinterpret_cast<std::uint64_t*>(closures[1] + php::kScope) = 0;
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 42U);
  auto& name = *reinterpret_cast<std::uint64_t*>(closures[1] + php::kFunctionName);
  const std::uint64_t own_name = std::exchange(name, string("alias"));
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 0U);
  name = own_name;
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 42U);
  *reinterpret_cast<std::uint32_t*>(closures[1] + php::kFlags) = 0;  // no closure at all
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 0U);
  function = 0;
  EXPECT_EQ(memo.find(interpreter()->key(), 1), 0U);
  memo.release();
  forget_php_script();
}

TEST_F(FakePhp, IsReadNoMoreWhereItIsLaidOutInAnotherWay) {
  const std::uint64_t function = user_function("f", "/a.php");
  *reinterpret_cast<std::uint64_t*>(function + kLayout.filename) = 0x10;  // points nowhere
  call(function);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(stack().empty());
  }
  EXPECT_EQ(interpreter(), nullptr);
  EXPECT_NE(refusal(), nullptr);
}

TEST_F(FakePhp, ASecondInterpreterDoesNotTakeItsPlace) {
  const Interpreter other{[] { return std::uint64_t{1}; }, [](table::ScriptFrameTable&, Stack&) {}};
  const Interpreter* php = interpreter();
  EXPECT_FALSE(set_interpreter(&other, 0x5000, 16));
  EXPECT_EQ(interpreter(), php);
  EXPECT_NE(refusal(), nullptr);
  EXPECT_TRUE(set_interpreter(php, 0, 0)) << "it may be read anew";
  forget_interpreter();
  EXPECT_TRUE(set_interpreter(&other, 0x5000, 16));
}

// What stands in no file may be anything; on a thread that runs a script, it is taken for what the
// interpreter made of that.
TEST_F(FakePhp, CodeInNoFileIsTheLoopWhereAScriptRuns) {
  EXPECT_TRUE(set_interpreter(interpreter(), 0x5000, 16));
  const stack::Site in_no_file{};
  EXPECT_FALSE(stack::is_interpreter_loop(0x9000, in_no_file));
  EXPECT_TRUE(stack::is_interpreter_loop(0x5008, in_no_file));
  call(user_function("f", "/a.php"));
  EXPECT_TRUE(stack::is_interpreter_loop(0x9000, in_no_file));
  bool elsewhere = true;
  std::thread([&] { elsewhere = stack::is_interpreter_loop(0x9000, in_no_file); }).join();
  EXPECT_FALSE(elsewhere) << "no script runs on that thread";
}

TEST_F(FakePhp, AFrameThatPointsNowhereIsNotFollowed) {
  run(0x10);
  EXPECT_TRUE(stack().empty());
}

TEST_F(FakePhp, IsReadByOffsetsThatAreGivenForItsVersion) {
  const PhpSymbols symbols{executor_.address(), compiler_.address()};
  PhpLayout given = kLayout;
  given.version = 899;
  EXPECT_TRUE(read_php(symbols, 899, given));
  call(user_function("f", "/a.php"));
  EXPECT_EQ(stack(), std::vector<std::string>{"f /a.php:10"});
  given.version = 802;
  given.filename += 8;
  EXPECT_TRUE(read_php(symbols, 802, given)) << "they go before those that are known";
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(stack().empty());
  }
  EXPECT_EQ(interpreter(), nullptr) << "and are tried like those";
  given.version = 804;
  EXPECT_TRUE(read_php(symbols, 802, given));
  EXPECT_EQ(stack(), std::vector<std::string>{"f /a.php:10"})
      << "of another version they say nothing";
  EXPECT_FALSE(read_php(symbols, 899, given));
}

void* g_thread_globals = nullptr;

// Its globals are those of the thread; here all threads have the same.
class ThreadSafePhp : public FakePhp {
 protected:
  ThreadSafePhp() {
    forget_interpreter();
    g_thread_globals = &base_;
    PhpSymbols symbols;
    symbols.thread_globals = [] { return g_thread_globals; };
    symbols.executor_offset = &executor_offset_;
    symbols.compiler_offset = &compiler_offset_;
    EXPECT_TRUE(read_php(symbols, 802));
  }
  ~ThreadSafePhp() override { end_php_request(); }

  char base_ = 0;
  std::size_t executor_offset_ = executor_.address() - reinterpret_cast<std::uint64_t>(&base_);
  std::size_t compiler_offset_ = compiler_.address() - reinterpret_cast<std::uint64_t>(&base_);
};

TEST_F(ThreadSafePhp, IsReadInAThreadWhileARequestOfItRuns) {
  call(user_function("f", "/a.php"));
  const std::vector<std::string> expected{"f /a.php:10"};
  EXPECT_TRUE(stack().empty()) << "the globals may not be filled in yet";
  begin_php_request();
  EXPECT_EQ(stack(), expected);
  std::vector<std::string> elsewhere;
  std::thread([&] { elsewhere = stack(); }).join();
  EXPECT_TRUE(elsewhere.empty());
  std::thread([&] {
    begin_php_request();
    elsewhere = stack();
  }).join();
  EXPECT_EQ(elsewhere, expected);
  end_php_request();
  EXPECT_TRUE(stack().empty()) << "and may be given back";
}

TEST_F(ThreadSafePhp, IsReadNoMoreWhereItsGlobalsWereTakenFromTheThread) {
  call(user_function("f", "/a.php"));
  begin_php_request();
  g_thread_globals = nullptr;
  EXPECT_TRUE(stack().empty());
}

TEST_F(ThreadSafePhp, ItsScriptHasEndedForTheThreadThatRanIt) {
  Memory& exceptions = make(8);
  for (std::uint64_t i = 0; i < php::kExceptionOps; ++i) {
    executor_.put(800 + i * php::kInstructionBytes, exceptions.address());
    executor_.put(800 + i * php::kInstructionBytes + php::kOpcode, php::kHandleException);
  }
  const std::uint64_t flags =
      800 + php::kExceptionOps * php::kInstructionBytes + php::kFlagsBehindExceptionOps;
  begin_php_request();
  watch_php_script();
  EXPECT_FALSE(php_script_has_ended());
  executor_.put(flags, std::uint8_t{php::kInShutdown});
  EXPECT_TRUE(php_script_has_ended());
  bool elsewhere = true;
  std::thread([&] { elsewhere = php_script_has_ended(); }).join();
  EXPECT_FALSE(elsewhere);
  end_php_request();
  executor_.put(flags, std::uint8_t{0});  // the globals are not there any more
  EXPECT_TRUE(php_script_has_ended());
  forget_php_script();
  EXPECT_FALSE(php_script_has_ended());
}

TEST(PhpVersions, OthersAreNotRead) {
  EXPECT_FALSE(read_php({}, 703));
  EXPECT_FALSE(read_php({}, 900));
}

}  // namespace
}  // namespace seep::script
