#include "preload/recorder/sites.h"

#include "preload/recorder/recorder.h"
#include "preload/script/script.h"
#include "preload/stack/capture.h"
#include "preload/stack/capture_counts.h"
#include "preload/stack/modules.h"

namespace seep::recorder {
namespace {

using format::CaptureCount;

constinit unsigned g_stack_depth = stack::kMaxFrames;  // written before the first event

// The site of a stack's node; that of no stack, where the node or the site found no room.
std::uint32_t site_of_node(std::uint32_t node, format::SiteKind kind) {
  std::uint32_t site = g_tables.sites.find_or_add(node, kind);
  if (node == table::StackTable::kRoot || site == table::SiteTable::kNone) {
    count_loss(format::Loss::stacks_not_recorded);
    site = g_tables.sites.find_or_add(table::StackTable::kRoot, kind);
  }
  return site;
}

// The native frames of a stack.
struct NativeStack {
  std::uint32_t node;
  bool cut;
  bool has_script;  // frames of a script stand on them
};

// Unwinds the whole stack of the hook that runs now, by whatever rules it takes.
[[gnu::cold, gnu::noinline]] NativeStack capture_native() {
  stack::Stack captured;
  stack::capture(g_stack_depth, captured);
  if (captured.cut) {
    count_loss(format::Loss::stacks_cut);
  } else if (captured.failed) {
    count_loss(format::Loss::unwind_failed);
  }
  return {g_tables.stacks.intern(captured), false, captured.in_loop || script::runs_here()};
}

// The node of a walk that ended in an interpreter's loop, without the `left_out` frames before
// that.
[[gnu::cold, gnu::noinline]] std::uint32_t intern_without(const stack::LastWalk& walk,
                                                          unsigned left_out) {
  stack::Stack told{};
  const stack::WalkStep* const steps = walk.first();
  const unsigned loop = walk.count() - 1;
  for (unsigned i = 0; i <= loop; ++i) {
    if (i + left_out < loop || i == loop) {
      told.frames[told.depth++] = {steps[i].frame, steps[i].flags};
    }
  }
  return g_tables.stacks.intern(told);
}

// Walks the stack from `caller`, as far as the thread's last walk does not give it.
NativeStack walk_native(ThreadCache& cache, const Caller& caller) {
  const stack::Walk walk = stack::walk(caller, g_stack_depth, cache.walk);
  cache.count(CaptureCount::frames_walked, walk.fresh_frames);
  if (walk.end == stack::Walk::End::kNone) {
    cache.count(CaptureCount::unpredictable);
    return capture_native();
  }
  const bool cut = walk.end == stack::Walk::End::kCut;
  const bool has_end = cache.walk.first()[cache.walk.count() - 1].at.ip == 0;
  cache.count(CaptureCount::frames_repeated,
              cache.walk.count() - walk.fresh_frames - (has_end ? 1 : 0));
  const std::uint32_t node = walk.left_out == 0 ? g_tables.stacks.intern(cache.walk, cut)
                                                : intern_without(cache.walk, walk.left_out);
  return {node, cut, walk.in_loop || script::runs_here()};
}

stack::Frame script_frame(std::uint32_t id) {
  return {format::kScriptModule << format::kFrameModuleShift | id, 0};
}

// The node of a script's frames on the native ones; kRoot where there is no room. `last` may be
// null; it knows no frames that are marked, as one of a stack that was cut is.
std::uint32_t intern_script(std::uint32_t node, const script::Stack& captured,
                            table::LastNodes* last) {
  using table::StackTable;
  table::LastNodes* const memory = captured.cut ? nullptr : last;
  unsigned left = captured.depth;
  while (memory != nullptr && left != 0) {
    const std::uint32_t known = memory->find(node, captured.frames[left - 1]);
    if (known == StackTable::kRoot) {
      break;
    }
    node = known;
    --left;
  }
  if (left == 0) {
    return node;
  }
  stack::Frame frames[script::kMostFrames];
  std::uint32_t nodes[script::kMostFrames];
  for (unsigned i = 0; i < left; ++i) {
    frames[i] = script_frame(captured.frames[i]);
  }
  frames[left - 1].flags |= captured.cut ? format::kCut : 0;
  const std::uint32_t innermost = g_tables.stacks.intern_below(node, frames, left, nodes);
  if (memory != nullptr && innermost != StackTable::kRoot) {
    for (unsigned i = left; i-- != 0; node = nodes[i]) {
      memory->keep(node, captured.frames[i], nodes[i]);
    }
  }
  return innermost;
}

// The node of the script's frames on the native ones; `node` itself where no script runs.
std::uint32_t add_script_frames(std::uint32_t node, const script::Stack& captured,
                                table::LastNodes* last) {
  for (unsigned i = 0; i < captured.lost; ++i) {
    count_loss(format::Loss::script_frames_not_recorded);
  }
  if (captured.cut) {
    count_loss(format::Loss::stacks_cut);
  }
  return intern_script(node, captured, last);
}

// Reads the frames of the script that runs now. They will be found again in `memo`, if that is not
// null; also where some found no room in the table, which never has room again: hashing their texts
// at each allocation would cost more than all else.
[[gnu::cold, gnu::noinline]] std::uint32_t walk_script(std::uint32_t native, std::uint32_t node,
                                                       format::SiteKind kind, script::Memo* memo) {
  const script::Interpreter* const interpreter = script::interpreter();
  const std::uint64_t key = interpreter == nullptr ? 0 : interpreter->key();
  if (key == 0) {  // what was predicted is of a script that ran where none does now
    return site_of_node(memo == nullptr ? node : capture_native().node, kind);
  }
  script::Stack captured(memo);
  interpreter->walk(g_tables.script_frames, captured);
  table::LastNodes* const last = memo == nullptr ? nullptr : memo->last_nodes();
  const std::uint32_t site = site_of_node(add_script_frames(node, captured, last), kind);
  const bool is_read = captured.depth + captured.lost != 0 && !captured.unsure;
  if (memo != nullptr && is_read && site != table::SiteTable::kNone) {
    memo->add(key, native, captured, site | (captured.cut ? kCutMark : 0));
  }
  return site;
}

// The site of a stack, marked if that was cut; or its native frames (kScriptMark). What is walked
// here will be predicted.
std::uint32_t find_or_walk(ThreadCache& cache, const Caller& caller) {
  using Outcome = stack::Predictions::Outcome;
  const stack::Predictions::Found found = cache.predictions.find(caller, stack::generation());
  if (found.outcome == Outcome::kHit) {
    cache.count(CaptureCount::predicted);
    return found.value;
  }
  cache.count(found.outcome == Outcome::kChanged ? CaptureCount::changed : CaptureCount::first_met);
  const NativeStack native = walk_native(cache, caller);
  const bool remembered = cache.walk.count() != 0;
  const bool is_root = native.node == table::StackTable::kRoot;
  const std::uint32_t value = native.has_script && !is_root
                                  ? native.node | kScriptMark
                                  : site_of_node(native.node, format::SiteKind::kHeap);
  const std::uint32_t marked = value | (native.cut ? kCutMark : 0);
  const bool booked_as_met =
      !is_root && ((value & kScriptMark) != 0 || g_tables.sites.site(value).node == native.node);
  if (remembered && booked_as_met && !cache.predictions.add(caller, cache.walk, marked)) {
    cache.count(CaptureCount::unpredictable);
  }
  return marked;
}

std::uint32_t without_cut_mark(std::uint32_t value) {
  if ((value & kCutMark) != 0) {
    count_loss(format::Loss::stacks_cut);
  }
  return value & ~kCutMark;
}

[[gnu::cold, gnu::noinline]] std::uint32_t capture_site(format::SiteKind kind) {
  stack::count(CaptureCount::without_cache);
  const NativeStack native = capture_native();
  return native.has_script ? walk_script(0, native.node, kind, nullptr)
                           : site_of_node(native.node, kind);
}

}  // namespace

void set_stack_depth(unsigned depth) {
  g_stack_depth = depth;
}

unsigned stack_depth() {
  return g_stack_depth;
}

std::uint32_t capture_heap_site() {
  return capture_site(format::SiteKind::kHeap);
}

[[gnu::noinline]] std::uint32_t script_site_of(ThreadCache& cache, std::uint32_t native) {
  const std::uint32_t site = find_script_site(cache, native);
  return site != 0
             ? without_cut_mark(site)
             : walk_script(native, native & ~kScriptMark, format::SiteKind::kHeap, &cache.scripts);
}

// Where a script runs, nearly every stack is the one that was looked for last under its key: what
// does not say so by itself, as a site does, is looked for in that way first.
std::uint32_t heap_site_of(ThreadCache& cache, const Caller& caller) {
  if (script::interpreter() != nullptr) {
    const std::uint32_t latest = cache.predictions.find_latest(caller, stack::generation());
    if (needs_script(latest)) {
      cache.count(CaptureCount::predicted);
      return script_site_of(cache, latest);
    }
  }
  const std::uint32_t value = without_cut_mark(find_or_walk(cache, caller));
  return (value & kScriptMark) == 0 ? value : script_site_of(cache, value);
}

std::uint32_t heap_site_of(const Caller& caller) {
  const CacheInUse in_use;
  ThreadCache* cache = in_use.get();
  return cache == nullptr ? capture_heap_site() : heap_site_of(*cache, caller);
}

std::uint32_t mmap_site_of(const Caller& caller) {
  const CacheInUse in_use;
  ThreadCache* cache = in_use.get();
  if (cache == nullptr) {
    return capture_site(format::SiteKind::kMmap);
  }
  const NativeStack native = walk_native(*cache, caller);
  if (native.cut) {
    count_loss(format::Loss::stacks_cut);
  }
  return native.has_script ? walk_script(0, native.node, format::SiteKind::kMmap, nullptr)
                           : site_of_node(native.node, format::SiteKind::kMmap);
}

}  // namespace seep::recorder
