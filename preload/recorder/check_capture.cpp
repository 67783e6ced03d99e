#include "preload/recorder/check_capture.h"

#include <dlfcn.h>
#include <link.h>

#include <atomic>
#include <string_view>

#include "format/snapshot_format.h"
#include "preload/recorder/recorder.h"
#include "preload/runtime/file.h"
#include "preload/runtime/text.h"
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

// The frames of a script are the interpreter's word: the native ones are compared.
std::uint32_t without_script_frames(std::uint32_t node) {
  while (const NodeRecord* frame = frame_of(node)) {
    if (frame->frame >> format::kFrameModuleShift != format::kScriptModule) {
      break;
    }
    node = frame->parent;
  }
  return node;
}

// The loop of an interpreter, with which a stack ends.
bool is_loop(const PlainWalk& walk, const NodeRecord& expected) {
  const stack::Site nowhere{stack::find_place(walk.pc()).load, 0, {}};
  return expected.parent == table::StackTable::kRoot &&
         expected.frame == stack::interpreter_loop_frame() &&
         stack::is_interpreter_loop(walk.regs().rip(), nowhere);
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
      return {false, frames};
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

}  // namespace

void check_capture(std::uint32_t site, const Caller& caller, unsigned stack_depth) {
  if (site == table::SiteTable::kNone) {
    return;
  }
  const std::uint32_t given = without_script_frames(g_tables.sites.site(site).node);
  if (given == table::StackTable::kRoot) {
    return;  // lost, and counted as such
  }
  stack::Stack stack;
  stack::capture(stack_depth, stack);
  const std::uint32_t captured = g_tables.stacks.intern(stack);
  const Comparison unwound = compare_unwound(given, caller, stack_depth);
  stack::count(CaptureCount::compared);
  if (captured != given || !unwound.equal) {
    report(given, captured, unwound, caller);
  }
}

}  // namespace seep::recorder
