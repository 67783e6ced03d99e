// The part of roots.h that is about threads: their stacks and thread-local storage.
//
// libc puts a thread's control block at the top of its stack, below it the thread-local storage,
// and keeps in it where the stack lies:
//
//   | guard | dead … | stack pointer … | thread-local storage | control block |
//   begin                                                     thread pointer  end
//
// Stacks of threads that have ended are kept for the next: what they hold is stale. They are found
// by their control block, whose first and third words are its own address.
#include <elf.h>

#include "preload/runtime/file.h"
#include "preload/scan/roots.h"
#include "preload/stack/modules.h"

namespace seep::scan {
namespace {

constexpr std::size_t kControlBlockBytes = 2304;  // glibc 2.28 to 2.41: 2304 at most
constexpr std::size_t kMostAboveBlock = 16384;    // alignment, and what a library may add
constexpr std::size_t kRedZoneBytes = 128;
constexpr std::size_t kControlBlockAlignment = 64;
constexpr std::uint64_t kSpareTlsBytes = 2048;  // for libraries that are loaded later

constexpr Root thread_root(format::LinkKind kind, std::uint32_t thread) {
  return {{static_cast<std::uint32_t>(kind), 0, 0, thread, 0}, 0};
}

std::uint64_t word_at(std::uintptr_t address) {
  return *reinterpret_cast<const std::uint64_t*>(address);
}

std::uint64_t tls_bytes_of(std::uintptr_t image) {
  Elf64_Ehdr header;
  if (!runtime::read_own_memory(reinterpret_cast<const void*>(image), &header, sizeof(header))) {
    return 0;
  }
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    const auto* at = reinterpret_cast<const void*>(image + header.e_phoff + i * sizeof(segment));
    if (!runtime::read_own_memory(at, &segment, sizeof(segment))) {
      return 0;
    }
    if (segment.p_type == PT_TLS) {
      return segment.p_memsz + segment.p_align;
    }
  }
  return 0;
}

}  // namespace

// At most what all modules together ask for. It only tells thread-local storage from stack.
std::uint64_t RootFinder::static_tls_bytes() const {
  std::uint64_t bytes = kSpareTlsBytes;
  for (unsigned id = 1; id <= stack::module_count(); ++id) {
    const stack::Load& load = stack::load_of(*stack::module_at(id));
    if (load.mapped.load(std::memory_order_relaxed)) {
      bytes += tls_bytes_of(load.image.begin);
    }
  }
  return bytes;
}

bool RootFinder::is_readable(std::uintptr_t begin, std::uintptr_t end) const {
  const Mapping* mapping = memory_.find(begin);
  return mapping != nullptr && mapping->readable && mapping->kind != MappingKind::kNothing &&
         end <= mapping->end;
}

bool RootFinder::is_alive(std::uintptr_t thread_pointer) const {
  for (std::size_t i = 0; i < question_.thread_count; ++i) {
    if (question_.threads[i].thread_pointer == thread_pointer) {
      return true;
    }
  }
  return false;
}

// The control block holds the begin and size of the stack, one behind the other, at an offset that
// differs between versions of libc: the pair of words that can be nothing else is taken.
bool RootFinder::find_stack_of(std::uintptr_t thread_pointer, MemoryRange& stack) const {
  for (std::size_t at = 0; at + 16 <= kControlBlockBytes; at += 8) {
    const std::uintptr_t place = thread_pointer + at;
    if (!is_readable(place, place + 16)) {
      return false;
    }
    const std::uint64_t begin = word_at(place);
    const std::uint64_t end = begin + word_at(place + 8);
    if ((begin | end) % runtime::kPageBytes == 0 && begin < thread_pointer &&
        thread_pointer < end && end - thread_pointer <= kMostAboveBlock) {
      stack = {begin, end};
      return true;
    }
  }
  return false;
}

bool RootFinder::find_stack(const ThreadImage& thread, MemoryRange& stack) const {
  if (thread.id != question_.process) {
    return thread.thread_pointer != 0 && find_stack_of(thread.thread_pointer, stack);
  }
  for (const Mapping& mapping : memory_.mappings()) {
    if (mapping.main_stack) {
      stack = {mapping.begin, mapping.end};
      return true;
    }
  }
  return false;
}

bool RootFinder::add_threads() {
  tls_bytes_ = static_tls_bytes();
  for (std::size_t i = 0; question_.knows_all_threads && i < question_.thread_count; ++i) {
    if (!add_thread(question_.threads[i])) {
      return false;
    }
  }
  return !question_.knows_all_threads || add_dead_stacks();
}

bool RootFinder::add_thread(const ThreadImage& thread) {
  AreaList& list = areas_.list(AreaMap::kThreads);
  const Root on_stack = thread_root(format::LinkKind::kStack, thread.id);
  const Root in_tls = thread_root(format::LinkKind::kTls, thread.id);
  const std::uintptr_t tls_begin = thread.thread_pointer - tls_bytes_;
  MemoryRange stack{};
  if (!find_stack(thread, stack)) {
    return add_stack_elsewhere(thread, on_stack);
  }
  const bool tls_on_stack =
      stack.begin < thread.thread_pointer && thread.thread_pointer < stack.end;
  if (!tls_on_stack && thread.thread_pointer != 0) {
    std::uintptr_t begin = tls_begin;  // a block may lie just below
    std::uintptr_t end = tls_begin;
    nodes_.blocks().visit_uncovered(tls_begin, thread.thread_pointer,
                                    [&](std::uintptr_t from, std::uintptr_t to) {
                                      begin = from == end ? begin : from;
                                      end = to;
                                    });
    if (!list.add({begin, thread.thread_pointer + kControlBlockBytes, in_tls, true})) {
      return false;
    }
  }
  std::uintptr_t live = stack.begin;
  if (thread.stack_pointer >= stack.begin && thread.stack_pointer < stack.end) {
    live = thread.stack_pointer - (thread.is_caller ? 0 : kRedZoneBytes);
  } else if (!add_stack_elsewhere(thread, on_stack)) {  // of a signal handler, or a coroutine
    return false;
  }
  const std::uintptr_t tls = !tls_on_stack ? stack.end : tls_begin > live ? tls_begin : live;
  return list.exclude(stack.begin, live) && list.add({live, tls, on_stack, true}) &&
         list.add({tls, stack.end, in_tls, true});
}

// A stack that the program made: an object of a pool, a block, or in a mapping.
bool RootFinder::add_stack_elsewhere(const ThreadImage& thread, const Root& root) {
  const std::uintptr_t live = thread.stack_pointer - (thread.is_caller ? 0 : kRedZoneBytes);
  table::Block block;
  if (nodes_.objects().find(thread.stack_pointer, block) ||
      nodes_.blocks().find(thread.stack_pointer, block)) {
    return areas_.list(AreaMap::kThreads).add({live, block.address + block.size, root, true});
  }
  const Mapping* mapping = memory_.find(thread.stack_pointer);
  return mapping == nullptr || areas_.list(AreaMap::kThreads).add({live, mapping->end, root, true});
}

// Behind a guard that cannot be read.
bool RootFinder::add_dead_stacks() {
  const Mapping* before = nullptr;
  for (const Mapping& mapping : memory_.mappings()) {
    const bool behind_guard =
        before != nullptr && before->end == mapping.begin && !before->readable;
    before = &mapping;
    if (behind_guard && mapping.readable && mapping.kind == MappingKind::kAnonymous &&
        !question_.blocks->had_block_near(mapping.begin) && !add_dead_stack(mapping)) {
      return false;
    }
  }
  return true;
}

bool RootFinder::add_dead_stack(const Mapping& mapping) {
  std::uintptr_t found = 0;
  memory_.visit_written(mapping.begin, mapping.end, [&](std::uintptr_t begin, std::uintptr_t end) {
    for (std::uintptr_t at = begin; found == 0 && at + kControlBlockAlignment <= end;
         at += kControlBlockAlignment) {
      if (word_at(at) == at && word_at(at + 16) == at) {
        found = at;
      }
    }
  });
  MemoryRange stack{};
  if (found == 0 || is_alive(found) || !find_stack_of(found, stack)) {
    return true;
  }
  return areas_.list(AreaMap::kThreads).exclude(mapping.begin, found);
}

}  // namespace seep::scan
