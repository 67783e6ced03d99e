// Finds the memory that counts as roots. Context: IN-FORK-CHILD.
#pragma once

#include <cstdint>

#include "preload/scan/areas.h"
#include "preload/scan/scan.h"

namespace seep::scan {

class RootFinder {
 public:
  RootFinder(const Question& question, const Nodes& nodes, MemoryMap& memory)
      : question_(question), nodes_(nodes), memory_(memory) {}

  // False when the kernel has no memory for it.
  bool find();
  // Hands all roots to `marker`, globals first and registers last, so that of two shortest ways the
  // one is met that says more. False when the deadline passed.
  bool mark(Marker& marker, const Deadline& deadline);

  [[nodiscard]] std::uint64_t root_bytes() const { return root_bytes_; }

 private:
  bool add_own();
  bool add_modules();
  bool add_threads();
  bool add_thread(const ThreadImage& thread);
  bool add_stack_elsewhere(const ThreadImage& thread, const Root& root);
  bool add_dead_stacks();
  bool add_dead_stack(const Mapping& mapping);
  bool add_maps();
  bool add_allocator();
  bool add_arenas(const Mapping& mapping);
  bool add_pages_with_blocks(const Mapping& mapping);
  bool exclude_main_arena(std::uintptr_t begin, std::uintptr_t end);
  [[nodiscard]] bool find_stack(const ThreadImage& thread, MemoryRange& stack) const;
  [[nodiscard]] bool find_stack_of(std::uintptr_t thread_pointer, MemoryRange& stack) const;
  [[nodiscard]] bool is_readable(std::uintptr_t begin, std::uintptr_t end) const;
  [[nodiscard]] bool is_alive(std::uintptr_t thread_pointer) const;
  std::uint64_t static_tls_bytes() const;
  bool mark_kind(format::LinkKind kind, Marker& marker, const Deadline& deadline);
  void mark_piece(std::uintptr_t begin, std::uintptr_t end, const Root& root, Marker& marker);

  const Question& question_;
  const Nodes& nodes_;
  MemoryMap& memory_;
  AreaMap areas_;
  Pages<Root> registers_;
  std::uint64_t tls_bytes_ = 0;
  std::uint64_t root_bytes_ = 0;
};

}  // namespace seep::scan
