// Chains of frames, made here in the layout of 3.11 and read as an interpreter's: right ones, and
// ones that lead to anywhere.
#include "preload/script/python_frames.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <memory>
#include <string>

#include "preload/script/memo.h"
#include "preload/script/python_code.h"
#include "preload/script/python_text.h"
#include "preload/script/script.h"

namespace seep::script {
namespace {

constexpr std::uint32_t kVersion = 0x030B02F0;

// An object of the interpreter: bytes, and words at offsets.
struct Object {
  alignas(16) unsigned char bytes[1024] = {};

  template <typename T>
  void put(std::size_t offset, T value) {
    std::memcpy(bytes + offset, &value, sizeof(value));
  }
  std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(bytes); }
};

Object g_code_type;
Object g_thread;
Object g_c_frame;
void* g_thread_state = nullptr;

void* this_thread_state() {
  return g_thread_state;
}

void make_text(Object& object, const std::string& text, std::uint32_t kind, bool ascii) {
  const PythonLayout& layout = *known_layout(kVersion);
  object.put(kVarSize, std::uint64_t{text.size() / kind});
  object.put(kTextFlags, (kind | 8U | (ascii ? 16U : 0U)) << 2);
  std::memcpy(object.bytes + (ascii ? layout.text_ascii : layout.text_other), text.data(),
              text.size());
}

// A function of one line, and a frame that runs it.
struct Function {
  Object code, name, file, lines, frame;

  Function(const std::string& called, std::int32_t line) {
    const PythonLayout& layout = *known_layout(kVersion);
    make_text(name, called, 1, true);
    make_text(file, "/srv/app.py", 1, true);
    lines.put(kVarSize, std::uint64_t{1});
    lines.bytes[kBytesBegin] = 0x80 | 7;  // eight units of the first line
    code.put(kObjectType, g_code_type.address());
    code.put(layout.code_name, name.address());
    code.put(layout.code_file, file.address());
    code.put(layout.code_line_table, lines.address());
    code.put(layout.code_first_line, line);
    frame.put(layout.frame_code, code.address());
    frame.put(layout.frame_instruction, code.address() + layout.code_begin + 2);
  }
  void is_called_by(const Function& caller) {
    frame.put(known_layout(kVersion)->frame_previous, caller.frame.address());
  }
};

class PythonFrames : public ::testing::Test {
 protected:
  PythonFrames() {
    const PythonLayout& layout = *known_layout(kVersion);
    g_thread.put(layout.thread_frame, g_c_frame.address());
    g_thread_state = g_thread.bytes;
    set_python({layout, g_code_type.address(), this_thread_state, 0, 0});
    note_freed_python_object(inner_.code.bytes, g_code_type.address());  // of an earlier test
    note_freed_python_object(outer_.code.bytes, g_code_type.address());
    inner_.is_called_by(outer_);
    runs(inner_);
  }
  ~PythonFrames() override {
    memo_.release();
    forget_interpreter();
  }

  void runs(const Function& function) { runs(function.frame.address()); }
  void runs(std::uintptr_t frame) { g_c_frame.put(known_layout(kVersion)->c_frame, frame); }

  // "inner:12 outer:7", and how many were lost.
  std::string walk(unsigned* lost = nullptr) {
    Stack stack(&memo_);
    interpreter()->walk(lines(), stack);
    memo_.add(1, 1, stack, 42);  // the next walk may take over from this one
    std::string text;
    for (unsigned i = 0; i < stack.depth; ++i) {
      const format::ScriptFrameRecord& record = *lines().record(stack.frames[i]);
      text += (i == 0 ? "" : " ") + std::string(lines().texts().text(record.function)) + ":" +
              std::to_string(record.line);
    }
    if (lost != nullptr) {
      *lost = stack.lost;
    }
    return text;
  }

  // One for all: a line that was looked up is known by its id from then on.
  static table::ScriptFrameTable& lines() {
    static auto table = std::make_unique<table::ScriptFrameTable>();
    return *table;
  }
  Memo memo_{};
  Function inner_{"inner", 12};
  Function outer_{"outer", 7};
};

TEST_F(PythonFrames, AreReadFromTheInnermostOutward) {
  unsigned lost = 1;
  EXPECT_EQ(walk(&lost), "inner:12 outer:7");
  EXPECT_EQ(lost, 0U);
}

TEST_F(PythonFrames, HaveAKeyWhileAnyRuns) {
  EXPECT_NE(interpreter()->key(), 0U);
  const std::uint64_t key = interpreter()->key();
  walk();  // believed from now on
  runs(outer_);
  EXPECT_NE(interpreter()->key(), key);
  runs(std::uintptr_t{0});
  EXPECT_EQ(interpreter()->key(), 0U);
  g_thread_state = nullptr;
  EXPECT_EQ(interpreter()->key(), 0U);
}

// The same place, another function: the line kept for the first one is not believed.
TEST_F(PythonFrames, OfCodeThatWasReplacedAreReadAnew) {
  EXPECT_EQ(walk(), "inner:12 outer:7");
  note_freed_python_object(inner_.code.bytes, g_code_type.address());
  make_text(inner_.name, "other", 1, true);
  EXPECT_EQ(walk(), "other:12 outer:7");
}

// The same frame runs other code: what was found there last is not believed.
TEST_F(PythonFrames, OfOtherCodeAreReadAnew) {
  EXPECT_EQ(walk(), "inner:12 outer:7");
  const PythonLayout& layout = *known_layout(kVersion);
  Function third("third", 30);
  inner_.frame.put(layout.frame_code, third.code.address());
  inner_.frame.put(layout.frame_instruction, third.code.address() + layout.code_begin + 2);
  EXPECT_EQ(walk(), "third:30 outer:7");
  note_freed_python_object(third.code.bytes, g_code_type.address());
}

TEST_F(PythonFrames, ThatLeadNowhereEndTheWalk) {
  for (const std::uintptr_t bad :
       {std::uintptr_t{8}, std::uintptr_t{1} << 46, outer_.frame.address() + 1}) {
    inner_.frame.put(known_layout(kVersion)->frame_previous, bad);
    unsigned lost = 0;
    EXPECT_EQ(walk(&lost), "inner:12") << bad;
    EXPECT_EQ(lost, 1U) << bad;
  }
}

TEST_F(PythonFrames, InACircleEndTheWalk) {
  outer_.is_called_by(inner_);
  const std::string text = walk();
  EXPECT_EQ(text.substr(0, 33), "inner:12 outer:7 inner:12 outer:7");
}

// A frame at the end of what is mapped: not a byte behind it is read.
TEST_F(PythonFrames, AreNotReadBeyondTheirEnd) {
  constexpr std::size_t kPage = 4096;
  const PythonLayout& layout = *known_layout(kVersion);
  auto* pages = static_cast<unsigned char*>(
      mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(pages, MAP_FAILED);
  munmap(pages + kPage, kPage);
  const std::size_t bytes = layout.frame_instruction + 8;
  unsigned char* frame = pages + kPage - bytes;
  std::memcpy(frame, outer_.frame.bytes, bytes);
  runs(reinterpret_cast<std::uintptr_t>(frame));
  EXPECT_EQ(walk(), "outer:7");
  runs(reinterpret_cast<std::uintptr_t>(frame) + 8);
  EXPECT_EQ(walk(), "");
  munmap(pages, kPage);
}

TEST_F(PythonFrames, OfAnotherLayoutAreRefusedAfterAFew) {
  inner_.code.put(kObjectType, std::uint64_t{0});
  for (int i = 0; i < 100 && interpreter() != nullptr; ++i) {
    EXPECT_EQ(walk(), "");
  }
  EXPECT_EQ(interpreter(), nullptr);
  EXPECT_NE(refusal(), nullptr);
}

TEST_F(PythonFrames, HaveNamesInAnyScript) {
  make_text(inner_.name, "caf\xE9", 1, false);
  EXPECT_EQ(walk(), "caf\xC3\xA9:12 outer:7");
  note_freed_python_object(inner_.code.bytes, g_code_type.address());
  make_text(inner_.name, std::string("\xAC\x20", 2), 2, false);
  EXPECT_EQ(walk(), "\xE2\x82\xAC:12 outer:7");
  note_freed_python_object(inner_.code.bytes, g_code_type.address());
  make_text(inner_.name, std::string("\x00\xF6\x01\x00\xFF\xDC\x00\x00", 8), 4, false);
  EXPECT_EQ(walk(), "\xF0\x9F\x98\x80\xFF:12 outer:7");
}

TEST(PythonText, ThatMakesNoSenseIsNone) {
  const PythonLayout& layout = *known_layout(kVersion);
  Object object;
  PythonText text;
  EXPECT_FALSE(text.read(layout, 0));
  EXPECT_FALSE(text.read(layout, std::uintptr_t{1} << 46));
  EXPECT_FALSE(text.read(layout, object.address())) << "no kind";
  make_text(object, "name", 1, true);
  EXPECT_TRUE(text.read(layout, object.address()));
  EXPECT_EQ(text.view(), "name");
  EXPECT_FALSE(text.read(layout, object.address() + 1)) << "not aligned";
  object.put(kVarSize, std::uint64_t{1} << 40);
  EXPECT_FALSE(text.read(layout, object.address())) << "too long";
}

}  // namespace
}  // namespace seep::script
