#include "preload/recorder/check_capture.h"

#include <dlfcn.h>
#include <link.h>

#include <atomic>
#include <string_view>

#include "format/snapshot_format.h"
#include "preload/recorder/recorder.h"
#include "preload/recorder/sites.h"
#include "preload/runtime/file.h"
#include "preload/runtime/text.h"
#include "preload/script/memo.h"
#include "preload/script/script.h"
#include "preload/stack/capture.h"
#include "preload/stack/capture_counts.h"
#include "preload/stack/cfi.h"
#include "preload/stack/interpreter_loop.h"
#include "preload/stack/modules.h"
#include "preload/stack/stack_reader.h"

namespace seep::recorder {
namespace {

using format::CaptureCount;
using format::NodeRecord;
using stack::StepResult;

constexpr unsigned kMostPrinted = 10;
constexpr int kErrorOutput = 2;
constexpr unsigned kMostOwnFrames = 32;  // from here to the hook

constinit std::atomic<unsigned> g_printed{0};  // relaxed: a figure

// The file that the loader has at an address, without waiting for the loader's lock.
#if __GLIBC_PREREQ(2, 35)
const char* file_at(std::uint64_t pc) {
  dl_find_object found;
  return _dl_find_object(reinterpret_cast<void*>(pc), &found) == 0 ? found.dlfo_link_map->l_name
                                                                   : nullptr;
}
#else
const char* file_at(std::uint64_t /*pc*/) {
  return nullptr;
}
#endif

// What the loader calls each module: a hash of its name, 0 until it is met. A module that another
// one has replaced at its place would come to two names. Relaxed: one word says all.
constexpr unsigned kNames = 4096;
constinit std::atomic<std::uint64_t> g_names[kNames];

std::uint64_t hash_of(const char* text) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a
  for (; *text != 0; ++text) {
    hash = (hash ^ static_cast<unsigned char>(*text)) * 0x100000001B3ULL;
  }
  return hash;
}

// Whether the frame's module still is the file that it was first met as. True where the loader
// knows nothing of it.
bool is_of_its_file(std::uint64_t frame, std::uint64_t pc) {
  const auto id = static_cast<unsigned>(frame >> 48);
  const char* file = id < kNames ? file_at(pc) : nullptr;
  if (file == nullptr) {
    return true;
  }
  const std::uint64_t name = hash_of(file);
  std::uint64_t before = 0;
  return g_names[id].compare_exchange_strong(before, name, std::memory_order_relaxed) ||
         before == name;
}

// A walk that looks everything up anew. Goes on while there are tables.
class PlainWalk {
 public:
  explicit PlainWalk(const stack::Registers& here) : regs_(here) {}

  [[nodiscard]] const stack::Registers& regs() const { return regs_; }

  // The frame as a stack has it; false where it is in no module.
  bool frame(stack::Frame& out) const {
    const stack::Place place = stack::find_place(pc());
    if (place.load == nullptr) {
      return false;
    }
    out = {regs_.rip() + place.load->frame_base(), is_exact_ ? format::kExactPc : 0};
    return true;
  }

  // kFailed also where tables are missing.
  StepResult step() {
    const stack::Load* load = stack::find_place(pc()).load;
    stack::Rule rule;
    if (load == nullptr || (file_at(pc()) == nullptr && !stack::is_intact(*load)) ||
        !stack::find_rule(load->image.tables, pc(), rule)) {
      return StepResult::kFailed;
    }
    reader_.move_to(regs_.rsp());
    const StepResult result =
        stack::step(rule, regs_,
                    {[](void* context, std::uint64_t address, std::uint64_t& word) {
                       return static_cast<stack::StackReader*>(context)->read(address, word);
                     },
                     &reader_});
    is_exact_ = rule.signal_frame;
    return result;
  }

  [[nodiscard]] std::uint64_t pc() const { return regs_.rip() - (is_exact_ ? 0 : 1); }

 private:
  stack::Registers regs_;
  stack::StackReader reader_;
  bool is_exact_ = true;  // of the innermost one: no call has returned to it
};

// A node, as long as it is one: the root stands for the end.
const NodeRecord* frame_of(std::uint32_t node) {
  return node == table::StackTable::kRoot ? nullptr : g_tables.stacks.node(node);
}

bool is_of_script(const NodeRecord& frame) {
  return frame.frame >> format::kFrameModuleShift == format::kScriptModule;
}

std::uint32_t without_script_frames(std::uint32_t node) {
  for (const NodeRecord* frame = frame_of(node); frame != nullptr && is_of_script(*frame);
       frame = frame_of(node)) {
    node = frame->parent;
  }
  return node;
}

// A large object that an interpreter's reallocate gets from malloc is asked for by a hook of ours:
// walks from scratch begin at its caller.
std::uint32_t without_own_frames(std::uint32_t node) {
  const stack::Place here = stack::find_place(reinterpret_cast<std::uint64_t>(&without_own_frames));
  const std::uint64_t own = here.load->module->id;
  for (const NodeRecord* frame = frame_of(node);
       frame != nullptr && frame->frame >> format::kFrameModuleShift == own;
       frame = frame_of(node)) {
    node = frame->parent;
  }
  return node;
}

// Whether the frames of the script that runs now are those before the native ones of a stack: all
// are walked, and none is taken over from an earlier walk.
bool has_script_frames(std::uint32_t node) {
  script::Stack walked(nullptr);
  const script::Interpreter* const interpreter = script::interpreter();
  if (interpreter != nullptr && interpreter->key() != 0) {
    interpreter->walk(g_tables.script_frames, walked);
  }
  if (walked.lost != 0) {
    return true;  // and the recorded one lacks any number of them
  }
  for (unsigned i = 0; i < walked.depth; ++i) {
    const NodeRecord* const frame = frame_of(node);
    if (frame == nullptr || !is_of_script(*frame) ||
        (frame->frame & ~(std::uint64_t{format::kScriptModule} << format::kFrameModuleShift)) !=
            walked.frames[i]) {
      return false;
    }
    node = frame->parent;
  }
  const NodeRecord* const next = frame_of(node);
  return next == nullptr || !is_of_script(*next);
}

// The loop of an interpreter, with which a stack ends.
bool is_loop(const PlainWalk& walk, const NodeRecord& expected) {
  const stack::Site nowhere{stack::find_place(walk.pc()).load, 0, {}};
  return expected.parent == table::StackTable::kRoot &&
         expected.frame == stack::interpreter_loop_frame() &&
         stack::is_interpreter_loop(walk.regs().rip(), nowhere);
}

// Whether the walk goes so deep into the interpreter that the loop stands for those frames, too.
bool goes_deep_into_interpreter(PlainWalk& walk, const NodeRecord& expected) {
  if (expected.parent != table::StackTable::kRoot ||
      expected.frame != stack::interpreter_loop_frame()) {
    return false;
  }
  for (unsigned own = 0; own <= stack::InterpreterFrames::kMostOwnFrames; ++own) {
    stack::Frame found;
    const bool is_own = walk.frame(found) && found.frame >> format::kFrameModuleShift ==
                                                 expected.frame >> format::kFrameModuleShift;
    if (!is_own || walk.step() != StepResult::kStepped) {
      return false;
    }
  }
  return true;
}

bool reach_caller(PlainWalk& walk, const Caller& caller) {
  for (unsigned i = 0; i < kMostOwnFrames && walk.regs().rsp() != caller.sp; ++i) {
    if (walk.step() != StepResult::kStepped) {
      return false;
    }
  }
  return walk.regs().rip() == caller.ip && walk.regs().rsp() == caller.sp;
}

struct Comparison {
  bool equal;
  unsigned frames;  // that were equal
};

// Whether the walk goes on to more than `stack_depth` frames, being at frame `frames` now; also
// true where tables are missing.
bool is_longer(PlainWalk& walk, unsigned frames, unsigned stack_depth) {
  for (; frames < stack_depth; ++frames) {
    const StepResult result = walk.regs().rip() == 0 ? StepResult::kOutermost : walk.step();
    if (result != StepResult::kStepped) {
      return result == StepResult::kFailed;
    }
  }
  return walk.regs().rip() != 0;
}

// Compares the walk, at the hook's caller now, with the stack from `node` outward. How many frames
// of a cut stack are kept is not judged here, only that it had to be cut.
Comparison compare(PlainWalk& walk, std::uint32_t node, unsigned stack_depth) {
  for (unsigned frames = 0;; ++frames) {
    const NodeRecord* expected = frame_of(node);
    if (walk.regs().rip() == 0 || expected == nullptr || frames == stack_depth) {
      return {walk.regs().rip() == 0 && expected == nullptr, frames};
    }
    if (is_loop(walk, *expected)) {
      return {true, frames + 1};
    }
    stack::Frame found;
    if (!walk.frame(found)) {
      return {true, frames};
    }
    if (found.frame != expected->frame || found.flags != (expected->flags & ~format::kCut) ||
        !is_of_its_file(found.frame, walk.pc())) {
      return {goes_deep_into_interpreter(walk, *expected), frames};
    }
    const bool last = expected->parent == table::StackTable::kRoot;
    if ((expected->flags & format::kCut) != 0) {
      return {last && is_longer(walk, frames, stack_depth), frames + 1};
    }
    const StepResult result = walk.step();
    if (result != StepResult::kStepped) {
      return {last || result == StepResult::kFailed, frames + 1};
    }
    node = expected->parent;
  }
}

// Unwinds from here; a frame of its own, that stays as it is while it does.
[[gnu::noinline]] Comparison compare_unwound(std::uint32_t node, const Caller& caller,
                                             unsigned stack_depth) {
  PlainWalk walk(stack::registers_here());
  return reach_caller(walk, caller) ? compare(walk, node, stack_depth) : Comparison{false, 0};
}

using Line = runtime::Text<512>;

void print(const Line& line) {
  runtime::write_all(kErrorOutput, line.c_str(), line.size());
}

void print_stack(std::string_view title, std::uint32_t node) {
  print(Line().add(title).add(":\n"));
  for (const NodeRecord* frame = frame_of(node); frame != nullptr;
       frame = frame_of(frame->parent)) {
    const auto id = static_cast<unsigned>(frame->frame >> 48);
    const stack::Module* module = stack::module_at(id);
    print(Line()
              .add("  ")
              .add(module != nullptr ? module->path : "(no module)")
              .add(" 0x")
              .add_hex(frame->frame & 0xFFFFFFFFFFFF, 1 + 11)
              .add(" flags ")
              .add_decimal(frame->flags)
              .add("\n"));
  }
}

[[gnu::cold, gnu::noinline]] void report(std::uint32_t given, std::uint32_t captured,
                                         const Comparison& unwound, const Caller& caller) {
  stack::count(CaptureCount::different);
  if (g_printed.fetch_add(1, std::memory_order_relaxed) >= kMostPrinted) {
    return;
  }
  print(Line()
            .add("seep: a stack differs: ip 0x")
            .add_hex(caller.ip)
            .add(" sp 0x")
            .add_hex(caller.sp)
            .add(" bp 0x")
            .add_hex(caller.bp)
            .add("\n"));
  print_stack("recorded", given);
  if (captured != given) {
    print_stack("captured from scratch", captured);
  }
  print(Line()
            .add("a plain unwind is ")
            .add(unwound.equal ? "equal" : "different")
            .add(" after ")
            .add_decimal(unwound.frames)
            .add(" frames of the recorded one\n"));
}

void print_script_frame(std::uint32_t id) {
  const format::ScriptFrameRecord* const frame = g_tables.script_frames.record(id);
  const table::TextTable& texts = g_tables.script_frames.texts();
  print(Line()
            .add("  ")
            .add(texts.text(frame->function))
            .add(" line ")
            .add_decimal(frame->line)
            .add("\n"));
}

[[gnu::cold, gnu::noinline]] void report_script(std::uint32_t node) {
  stack::count(CaptureCount::different);
  if (g_printed.fetch_add(1, std::memory_order_relaxed) >= kMostPrinted) {
    return;
  }
  print(Line().add("seep: a script's stack differs; recorded:\n"));
  for (const NodeRecord* frame = frame_of(node); frame != nullptr && is_of_script(*frame);
       frame = frame_of(frame->parent)) {
    print_script_frame(static_cast<std::uint32_t>(frame->frame));
  }
  script::Stack walked(nullptr);
  script::interpreter()->walk(g_tables.script_frames, walked);
  print(Line().add("walked:\n"));
  for (unsigned i = 0; i < walked.depth; ++i) {
    print_script_frame(walked.frames[i]);
  }
}

}  // namespace

void check_capture(std::uint32_t site, const Caller& caller) {
  if (site == table::SiteTable::kNone) {
    return;
  }
  const std::uint32_t given = without_script_frames(g_tables.sites.site(site).node);
  if (given == table::StackTable::kRoot) {
    return;  // lost, and counted as such
  }
  stack::Stack stack;
  stack::capture(stack_depth(), stack);
  const std::uint32_t captured = g_tables.stacks.intern(stack);
  const Comparison unwound = compare_unwound(given, caller, stack_depth());
  stack::count(CaptureCount::compared);
  if (!has_script_frames(g_tables.sites.site(site).node)) {
    report_script(g_tables.sites.site(site).node);
  } else if (captured != without_own_frames(given) || !unwound.equal) {
    report(given, captured, unwound, caller);
  }
}

}  // namespace seep::recorder
