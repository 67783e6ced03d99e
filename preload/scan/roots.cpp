#include "preload/scan/roots.h"

#include <string_view>

#include "preload/stack/modules.h"

namespace seep::scan {
namespace {

using format::LinkKind;

constexpr Root root_of(LinkKind kind, std::uint32_t site = 0, std::uint32_t module = 0,
                       std::uint32_t thread = 0, std::uint64_t bias = 0) {
  return {{static_cast<std::uint32_t>(kind), site, module, thread, 0}, bias};
}

LinkKind kind_of(const Root& root) {
  return static_cast<LinkKind>(root.link.kind);
}

}  // namespace

bool AreaMap::map() {
  constexpr std::size_t kMostAreas = std::size_t{1} << 18;
  for (AreaList& list : lists_) {
    if (!list.map(kMostAreas)) {
      return false;
    }
  }
  return true;
}

void AreaMap::sort() {
  for (AreaList& list : lists_) {
    list.sort();
  }
}

bool RootFinder::find() {
  if (!areas_.map() || !registers_.map(question_.thread_count + 1)) {
    return false;
  }
  const bool done = add_own() && add_modules() && add_threads() && add_maps() && add_allocator();
  areas_.sort();
  return done;
}

// What seep itself has: tables full of addresses of blocks.
bool RootFinder::add_own() {
  AreaList& excluded = areas_.list(AreaMap::kExcluded);
  Pages<MemoryRange> own;
  if (!own.map(runtime::kMostMapped)) {
    return false;
  }
  const std::size_t count = runtime::list_mapped(&own[0], own.capacity());
  for (std::size_t i = 0; i < count; ++i) {
    if (!excluded.exclude(own[i].begin, own[i].end)) {
      return false;
    }
  }
  for (std::size_t i = 0; i < question_.thread_count; ++i) {
    const std::uintptr_t own_tls =
        question_.threads[i].thread_pointer + static_cast<std::uint64_t>(question_.own_tls_offset);
    if (question_.threads[i].thread_pointer != 0 &&
        !excluded.exclude(own_tls, own_tls + question_.own_tls_bytes)) {
      return false;
    }
  }
  return excluded.exclude(question_.own_image.begin, question_.own_image.end);
}

// Their data: of what is mapped of the file, pages that differ from it (MemoryMap).
bool RootFinder::add_modules() {
  constexpr std::string_view kLibc = "/libc.so.6";
  constexpr std::string_view kOldLibc = "/libc-2.";
  for (unsigned id = 1; id <= stack::module_count(); ++id) {
    const stack::Module& module = *stack::module_at(id);
    const stack::Load& load = stack::load_of(module);
    if (!load.mapped.load(std::memory_order_relaxed)) {
      continue;
    }
    const Root root = root_of(LinkKind::kGlobal, 0, id, 0, load.image.bias);
    if (!areas_.list(AreaMap::kModules).add({load.image.begin, load.image.end, root, true})) {
      return false;
    }
    const bool is_libc = module.path.find(kLibc) != std::string_view::npos ||
                         module.path.find(kOldLibc) != std::string_view::npos;
    if (is_libc && !exclude_main_arena(load.image.begin, load.image.end)) {
      return false;
    }
  }
  return true;
}

bool RootFinder::add_maps() {
  bool done = true;
  question_.ranges->walk([&](const table::Range& range) {
    done = done && areas_.list(AreaMap::kMaps)
                       .add({range.begin, range.end, root_of(LinkKind::kMap, range.site), true});
  });
  return done;
}

bool RootFinder::mark(Marker& marker, const Deadline& deadline) {
  constexpr LinkKind kOrder[] = {LinkKind::kGlobal, LinkKind::kTls, LinkKind::kMap,
                                 LinkKind::kOther, LinkKind::kStack};
  for (const LinkKind kind : kOrder) {
    marker.begin_kind();
    if (!mark_kind(kind, marker, deadline)) {
      return false;
    }
  }
  marker.begin_kind();
  for (std::size_t i = 0; i < question_.root_region_count; ++i) {
    const MemoryRange& region = question_.root_regions[i];
    memory_.visit_written(region.begin, region.end, [&](std::uintptr_t from, std::uintptr_t to) {
      marker.add_root(from, to, kOtherRoot);
    });
  }
  const auto keep = [&](std::uintptr_t address) { marker.add_address(address, kOtherRoot); };
  question_.kept_blocks->visit(*question_.blocks, keep);
  question_.kept_objects->visit(*question_.pools, keep);
  marker.begin_kind();
  for (std::size_t i = 0; i < question_.thread_count; ++i) {
    const ThreadImage& thread = question_.threads[i];
    registers_.add(root_of(LinkKind::kRegister, 0, 0, thread.id));
    const auto begin = reinterpret_cast<std::uintptr_t>(thread.words);
    const std::uintptr_t end = begin + thread.word_count * sizeof(std::uint64_t);
    root_bytes_ += end - begin;
    marker.add_root(begin, end, registers_[i]);
  }
  return true;
}

bool RootFinder::mark_kind(LinkKind kind, Marker& marker, const Deadline& deadline) {
  for (const Mapping& mapping : memory_.mappings()) {
    if (!mapping.readable || mapping.kind == MappingKind::kNothing) {
      continue;
    }
    if (deadline.has_passed()) {
      return false;
    }
    areas_.visit_pieces(mapping.begin, mapping.end,
                        [&](std::uintptr_t begin, std::uintptr_t end, const Area* area) {
                          if (area != nullptr && !area->is_root) {
                            return;
                          }
                          const Root& root = area == nullptr ? kOtherRoot : area->root;
                          if (kind_of(root) == kind) {
                            mark_piece(begin, end, root, marker);
                          }
                        });
  }
  return true;
}

// Blocks may lie in memory of two kinds, objects in any; their bytes are no roots. But a stack that
// a thread runs on counts, whoever shared it out.
void RootFinder::mark_piece(std::uintptr_t begin, std::uintptr_t end, const Root& root,
                            Marker& marker) {
  const bool may_hold_blocks = kind_of(root) == LinkKind::kMap || kind_of(root) == LinkKind::kOther;
  const auto add = [&](std::uintptr_t from, std::uintptr_t to) {
    root_bytes_ += to - from;
    marker.add_root(from, to, root);
  };
  const auto add_outside_objects = [&](std::uintptr_t from, std::uintptr_t to) {
    nodes_.objects().visit_uncovered(from, to, add);
  };
  memory_.visit_written(begin, end, [&](std::uintptr_t from, std::uintptr_t to) {
    if (may_hold_blocks) {
      nodes_.blocks().visit_uncovered(from, to, add_outside_objects);
    } else if (kind_of(root) == LinkKind::kStack) {
      add(from, to);
    } else {
      add_outside_objects(from, to);
    }
  });
}

}  // namespace seep::scan
