#include "preload/stack/modules.h"

#include <cstddef>
#include <cstring>

#include "preload/runtime/arena.h"
#include "preload/runtime/file.h"
#include "preload/runtime/text.h"
#include "preload/stack/capture_counts.h"
#include "preload/stack/module_registry.h"
#include "preload/stack/place_table.h"
#include "preload/stack/proc_maps.h"

namespace seep::stack {

constinit std::atomic<std::uint64_t> g_generation{0};

namespace {

constexpr std::uint64_t kUserAddressEnd = std::uint64_t{1} << 47;
constexpr unsigned kMaxTries = 4;

// Goes up with each table published, JIT ranges included. Relaxed: it only dates the entries of
// g_elsewhere.
constinit std::atomic<std::uint32_t> g_serial{0};

// Granules of addresses that were looked for and found in no executable mapping: address >> 16 in
// the upper half, the serial then in the lower. Relaxed: one word says all.
constexpr unsigned kElsewhereSlots = 256;
constexpr unsigned kGranuleShift = 16;
constinit std::atomic<std::uint64_t> g_elsewhere[kElsewhereSlots];

std::uint64_t elsewhere_word(std::uint64_t pc) {
  return (pc >> kGranuleShift) << 32 | g_serial.load(std::memory_order_relaxed);
}

std::atomic<std::uint64_t>& elsewhere_slot(std::uint64_t pc) {
  return g_elsewhere[(pc >> kGranuleShift) % kElsewhereSlots];
}

Place search(std::uint64_t pc) {
  const TableGuard guard;
  const CodeRange* range = guard.table() != nullptr ? guard.table()->find(pc) : nullptr;
  return range != nullptr ? Place{range->load, true} : Place{nullptr, false};
}

// Turns the lines of the maps into code ranges. A file is met at its offset 0; the executable
// mappings within its segments belong to it, even where it has replaced them by anonymous memory
// (huge pages for code).
class TableBuilder {
 public:
  explicit TableBuilder(PlaceTable& table)
      : table_(table), scratch_(static_cast<Scratch*>(runtime::map_pages(sizeof(Scratch)))) {}
  ~TableBuilder() {
    if (scratch_ != nullptr) {
      runtime::unmap_pages(scratch_, sizeof(Scratch));
    }
  }
  TableBuilder(const TableBuilder&) = delete;
  TableBuilder& operator=(const TableBuilder&) = delete;

  bool build() {
    MapsReader reader;
    MapsLine line;
    while (scratch_ != nullptr && reader.next(line)) {
      add(line);
    }
    return !reader.failed() && table_.count != 0;
  }

 private:
  struct Scratch {
    ElfScratch elf;
    ElfImage image;        // of the candidate
    char path[32 * 1024];  // of the candidate
  };
  enum class Candidate : std::uint8_t { kNone, kUnread, kElf };

  void add(const MapsLine& line) {
    const bool is_vdso = line.path == "[vdso]";
    if (line.offset == 0 && (line.inode != 0 || is_vdso)) {
      candidate_ = line.readable ? Candidate::kUnread : Candidate::kNone;
      base_ = line.begin;
      inode_ = line.inode;
      load_ = nullptr;
      path_size_ = line.path.size() < sizeof(scratch_->path) ? line.path.size() : 0;
      std::memcpy(scratch_->path, line.path.data(), path_size_);
    }
    if (line.executable && line.end <= kUserAddressEnd) {
      table_.add({line.begin, line.end, owner(line)});
    }
  }

  const Load* owner(const MapsLine& line) {
    if (candidate_ == Candidate::kUnread) {
      candidate_ = read_elf_image(base_, scratch_->elf, scratch_->image) ? Candidate::kElf
                                                                         : Candidate::kNone;
    }
    if (candidate_ != Candidate::kElf || line.begin < scratch_->image.begin ||
        line.begin >= scratch_->image.end) {
      return nullptr;
    }
    if (load_ == nullptr) {
      load_ = intern_load({{scratch_->path, path_size_}, inode_, line.begin, scratch_->image});
    }
    return load_;
  }

  PlaceTable& table_;
  Scratch* scratch_;
  Candidate candidate_ = Candidate::kNone;
  std::uint64_t base_ = 0;
  std::uint64_t inode_ = 0;
  std::size_t path_size_ = 0;
  const Load* load_ = nullptr;
};

bool same_ranges(const PlaceTable& a, const PlaceTable& b) {
  return a.count == b.count && std::memcmp(a.ranges, b.ranges, a.count * sizeof(CodeRange)) == 0;
}

// The next range of a module at or behind `index`.
const CodeRange* next_of_module(const PlaceTable& table, std::uint32_t& index) {
  while (index < table.count && table.ranges[index].load == nullptr) {
    ++index;
  }
  return index < table.count ? &table.ranges[index++] : nullptr;
}

bool same_modules(const PlaceTable& a, const PlaceTable& b) {
  std::uint32_t index_a = 0;
  std::uint32_t index_b = 0;
  while (true) {
    const CodeRange* range_a = next_of_module(a, index_a);
    const CodeRange* range_b = next_of_module(b, index_b);
    if (range_a == nullptr || range_b == nullptr) {
      return range_a == range_b;
    }
    if (std::memcmp(range_a, range_b, sizeof(CodeRange)) != 0) {
      return false;
    }
  }
}

// Says of every load whether it is in the published table. Two threads may do this at a time: each
// repeats it until the table it went by is still the published one at the end.
void mark_loads() {
  const PlaceTable* marked = nullptr;
  while (true) {
    const TableGuard guard;
    const PlaceTable* table = guard.table();
    if (table == marked) {
      return;
    }
    const unsigned count = module_count();
    for (unsigned id = 1; id <= count; ++id) {
      const Load* load = module_at(id)->newest.load(std::memory_order_acquire);
      for (; load != nullptr; load = load->older) {
        const CodeRange* range = table->find(load->code_begin);
        load->mapped.store(range != nullptr && range->load == load, std::memory_order_relaxed);
      }
    }
    marked = table;
  }
}

enum class Publication : std::uint8_t { kDone, kOvertaken };

Publication publish(TableGuard& current, PlaceTable* fresh) {
  const PlaceTable* old = current.table();
  if (old != nullptr && same_ranges(*old, *fresh)) {
    release_table(fresh);
    return Publication::kDone;
  }
  const bool new_modules = old == nullptr || !same_modules(*old, *fresh);
  if (!current.replace_by(fresh)) {
    release_table(fresh);
    return Publication::kOvertaken;
  }
  g_serial.fetch_add(1, std::memory_order_relaxed);
  if (new_modules) {
    mark_loads();
    g_generation.fetch_add(1, std::memory_order_release);
  }
  return Publication::kDone;
}

// The load that has `address` between its segments' ends; null for none.
const Load* load_around(const PlaceTable& table, std::uint64_t address) {
  for (std::uint32_t i = 0; i < table.count; ++i) {
    const Load* load = table.ranges[i].load;
    if (load != nullptr && address >= load->image.begin && address < load->image.end) {
      return load;
    }
  }
  return nullptr;
}

}  // namespace

[[gnu::noinline]] void refresh_modules() {
  for (unsigned tries = 0; tries < kMaxTries; ++tries) {
    count(format::CaptureCount::mappings_read);
    TableGuard current;
    PlaceTable* fresh = claim_table();
    if (fresh == nullptr) {
      return;
    }
    if (!TableBuilder(*fresh).build()) {
      release_table(fresh);
      return;
    }
    if (publish(current, fresh) == Publication::kDone) {
      return;
    }
  }
}

void forget_module(std::uint64_t address) {
  for (unsigned tries = 0; tries < kMaxTries; ++tries) {
    TableGuard current;
    const Load* load =
        current.table() != nullptr ? load_around(*current.table(), address) : nullptr;
    PlaceTable* fresh = load != nullptr ? claim_table() : nullptr;
    if (fresh == nullptr) {
      return;
    }
    for (std::uint32_t i = 0; i < current.table()->count; ++i) {
      if (current.table()->ranges[i].load != load) {
        fresh->add(current.table()->ranges[i]);
      }
    }
    if (publish(current, fresh) == Publication::kDone) {
      return;
    }
  }
}

Place find_place(std::uint64_t pc) {
  const Place place = search(pc);
  std::atomic<std::uint64_t>& slot = elsewhere_slot(pc);
  if (place.executable || pc >= kUserAddressEnd ||
      slot.load(std::memory_order_relaxed) == elsewhere_word(pc)) {
    return place;
  }
  refresh_modules();
  const Place found = search(pc);
  if (!found.executable) {
    slot.store(elsewhere_word(pc), std::memory_order_relaxed);
  }
  return found;
}

bool is_intact(const Load& load) {
  if (load.image.tables.header == nullptr) {
    return true;  // there is nothing that could be read by mistake
  }
  std::uint8_t now[kHeaderBytes];
  return runtime::read_own_memory(load.image.tables.header, now, sizeof(now)) &&
         std::memcmp(now, load.image.header_copy, sizeof(now)) == 0;
}

}  // namespace seep::stack
