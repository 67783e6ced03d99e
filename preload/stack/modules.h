// The files with code that are or were mapped in this process, and which of them an address lies
// in. Context: IN-HOOK, IN-AGENT, any thread, signal handlers too. Lock-free; asks the kernel
// (/proc/self/maps), and where there is no /proc reads the loader's list past its lock, so that it
// cannot wait for a thread inside dlopen.
// Modules and loads are never freed: a pointer to one stays good for the life of the process.
//
//   Module  a file: path and build-id. Its id goes into frames, so that stacks stay equal when a
//           library is unloaded and loaded again, wherever it lands.
//   Load    a module at one address. The same module at the same address is the same Load again.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "preload/stack/elf_image.h"

namespace seep::stack {

struct Load;

struct Module {
  std::uint16_t id;  // 1, 2, …; 0 stands for "no module" everywhere
  std::uint64_t inode;
  std::string_view path;            // NUL-terminated; without the kernel's " (deleted)"
  std::string_view build_id;        // raw bytes; empty when the file has none
  std::atomic<const Load*> newest;  // never null; release in modules.cpp, acquire by readers
};

struct Load {
  const Module* module;
  const Load* older;         // another load of the same module, or null
  ElfImage image;            // place, bias and unwind tables
  std::uint64_t code_begin;  // the first executable byte
  // Written after a change of the mappings was seen; relaxed, as the mappings themselves may change
  // at any moment.
  mutable std::atomic<bool> mapped;

  // Added to a run-time address it gives a frame: id << 48 | ELF address.
  [[nodiscard]] std::uint64_t frame_base() const {
    return (std::uint64_t{module->id} << 48) - image.bias;
  }
};

// Where an address lies.
struct Place {
  const Load* load;  // null: in no module
  bool executable;   // false: in no executable mapping that is known
};

// Looks `pc` up. Reads the mappings again when it is unknown, at most once for each 64 KiB of
// addresses as long as the mappings stay the same.
Place find_place(std::uint64_t pc);

// Reads the mappings now, and what the files say of themselves. To be called after dlclose, and
// where is_intact() has failed.
void refresh_modules();

// The same where something has changed. Where the list of mappings is, as far as code goes, the one
// that the known modules were read from, and each of them is intact, this costs a tenth. To be
// called before a snapshot. Context: IN-AGENT: takes 40 KB of stack.
void refresh_changed_modules();

// The module that `address` lies in, code or data, is about to be unmapped: it is taken out of what
// is known. Who meets its place again reads the mappings then. Nothing happens where it is unknown,
// or where it is the program itself.
void forget_module(std::uint64_t address);

// Goes up when a module was mapped or unmapped; JIT code does not count. 0 before the first read.
// Release with the table of places, acquire in generation().
extern constinit std::atomic<std::uint64_t> g_generation;
inline std::uint64_t generation() {
  return g_generation.load(std::memory_order_acquire);
}

// True while what is mapped at the place of `load` still is that module, as far as the first bytes
// of its unwind tables tell.
bool is_intact(const Load& load);

// Ids are 1 … module_count().
unsigned module_count();
// Null for an id that was not given out.
const Module* module_at(unsigned id);
// The load that is mapped now, or else the newest.
const Load& load_of(const Module& module);

// Modules that found no room: their frames are booked without a module.
std::uint64_t modules_not_recorded();

}  // namespace seep::stack
