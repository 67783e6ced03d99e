#include "preload/stack/module_registry.h"

#include <cstring>
#include <new>

#include "preload/runtime/arena.h"

namespace seep::stack {
namespace {

constexpr unsigned kMaxModules = 16384;

// Slot i holds the module with id i. Filled in ascending order: a thread that adds a module looks
// at every slot before the first empty one, so that no file gets two ids.
constinit std::atomic<Module*> g_modules[kMaxModules];   // release by the one CAS, acquire to read
constinit std::atomic<std::uint64_t> g_not_recorded{0};  // relaxed: a figure
constinit runtime::Arena g_arena{std::size_t{64} * 1024};

std::string_view without_deleted(std::string_view path) {
  constexpr std::string_view kDeleted = " (deleted)";
  return path.ends_with(kDeleted) ? path.substr(0, path.size() - kDeleted.size()) : path;
}

// The kernel writes a newline in a path as \012.
bool is_newline(std::string_view path, std::size_t at) {
  constexpr std::string_view kEscape = "\\012";
  return at + kEscape.size() <= path.size() &&
         std::string_view(path.data() + at, kEscape.size()) == kEscape;
}

std::size_t plain_length(std::string_view path) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < path.size(); i += is_newline(path, i) ? 4 : 1) {
    ++length;
  }
  return length;
}

bool equals_plain(std::string_view plain, std::string_view path) {
  std::size_t at = 0;
  for (const char c : plain) {
    const bool newline = is_newline(path, at);
    if (at >= path.size() || c != (newline ? '\n' : path[at])) {
      return false;
    }
    at += newline ? 4 : 1;
  }
  return at == path.size();
}

std::string_view store_plain(std::string_view path) {
  const std::size_t length = plain_length(path);
  auto* text = static_cast<char*>(g_arena.allocate(length + 1));
  if (text == nullptr) {
    return {};
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i < length; ++i) {
    const bool newline = is_newline(path, at);
    text[i] = newline ? '\n' : path[at];
    at += newline ? 4 : 1;
  }
  return {text, length};
}

std::string_view build_id_of(const ElfImage& image) {
  return {reinterpret_cast<const char*>(image.build_id), image.build_id_bytes};
}

// Without a build-id the inode tells a rebuilt file from the one before.
bool is_same_file(const Module& module, const MappedFile& file) {
  return module.build_id == build_id_of(file.image) &&
         (!module.build_id.empty() || file.inode == 0 || module.inode == file.inode) &&
         equals_plain(module.path, without_deleted(file.path));
}

Load* new_load(const MappedFile& file, const Module* module, const Load* older) {
  void* room = g_arena.allocate(sizeof(Load));
  return room == nullptr ? nullptr
                         : new (room) Load{module, older, file.image, file.code_begin, {false}};
}

Module* new_module(const MappedFile& file, unsigned id) {
  void* room = g_arena.allocate(sizeof(Module));
  const std::string_view path = store_plain(without_deleted(file.path));
  if (room == nullptr || path.data() == nullptr) {
    return nullptr;
  }
  auto* module = new (room) Module{static_cast<std::uint16_t>(id), file.inode, path, {}, {nullptr}};
  Load* load = new_load(file, module, nullptr);
  if (load == nullptr) {
    return nullptr;
  }
  module->build_id = build_id_of(load->image);
  module->newest.store(load, std::memory_order_relaxed);  // published with the module
  return module;
}

// Finds the file among the modules, or adds it behind the last.
Module* intern_module(const MappedFile& file) {
  Module* fresh = nullptr;
  for (unsigned id = 1; id < kMaxModules; ++id) {
    Module* module = g_modules[id].load(std::memory_order_acquire);
    if (module == nullptr) {
      if (fresh == nullptr) {
        fresh = new_module(file, id);
      }
      if (fresh == nullptr) {
        return nullptr;
      }
      fresh->id = static_cast<std::uint16_t>(id);
      if (g_modules[id].compare_exchange_strong(module, fresh, std::memory_order_acq_rel,
                                                std::memory_order_acquire)) {
        return fresh;
      }
    }
    if (is_same_file(*module, file)) {
      return module;
    }
  }
  return nullptr;
}

const Load* find_load(const Load* newest, std::uint64_t bias) {
  while (newest != nullptr && newest->image.bias != bias) {
    newest = newest->older;
  }
  return newest;
}

}  // namespace

const Load* intern_load(const MappedFile& file) {
  Module* module = intern_module(file);
  if (module == nullptr) {
    g_not_recorded.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  const Load* newest = module->newest.load(std::memory_order_acquire);
  Load* fresh = nullptr;
  while (true) {
    const Load* known = find_load(newest, file.image.bias);
    if (known != nullptr) {
      return known;
    }
    if (fresh == nullptr) {
      fresh = new_load(file, module, nullptr);
    }
    if (fresh == nullptr) {
      return nullptr;
    }
    fresh->older = newest;
    if (module->newest.compare_exchange_strong(newest, fresh, std::memory_order_acq_rel,
                                               std::memory_order_acquire)) {
      return fresh;
    }
  }
}

unsigned module_count() {
  unsigned low = 0;
  unsigned high = kMaxModules;
  while (high - low > 1) {
    const unsigned middle = low + (high - low) / 2;
    (g_modules[middle].load(std::memory_order_acquire) != nullptr ? low : high) = middle;
  }
  return low;
}

const Module* module_at(unsigned id) {
  return id < kMaxModules ? g_modules[id].load(std::memory_order_acquire) : nullptr;
}

const Load& load_of(const Module& module) {
  const Load* newest = module.newest.load(std::memory_order_acquire);
  for (const Load* load = newest; load != nullptr; load = load->older) {
    if (load->mapped.load(std::memory_order_relaxed)) {
      return *load;
    }
  }
  return *newest;
}

std::uint64_t modules_not_recorded() {
  return g_not_recorded.load(std::memory_order_relaxed);
}

}  // namespace seep::stack
