#include "preload/stack/modules.h"

#include <sys/auxv.h>

#include <cstddef>
#include <cstring>

#include "preload/runtime/arena.h"
#include "preload/runtime/file.h"
#include "preload/runtime/text.h"
#include "preload/stack/capture_counts.h"
#include "preload/stack/loader_modules.h"
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

// Sums up a sequence of words and texts in 64 bits.
class Digest {
 public:
  void add(std::uint64_t word) {
    constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;
    value_ = (value_ ^ word) * kGoldenRatio;
    value_ ^= value_ >> 32;
  }
  void add(std::string_view text) {
    add(text.size());
    std::uint64_t word = 0;
    for (; text.size() >= sizeof(word); text.remove_prefix(sizeof(word))) {
      std::memcpy(&word, text.data(), sizeof(word));
      add(word);
    }
    word = 0;
    std::memcpy(&word, text.data(), text.size());
    add(word);
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 1;
};

// A mapped file may be found at its offset 0.
bool begins_file(const MapsLine& line) {
  return line.offset == 0 && (line.inode != 0 || line.path == "[vdso]");
}
bool holds_code(const MapsLine& line) {
  return line.executable && line.end <= kUserAddressEnd;
}

// Sums up the lines that the ranges follow from, and none that a growing heap changes.
void add_line(Digest& digest, const MapsLine& line) {
  if (begins_file(line) || holds_code(line)) {
    digest.add(line.begin);
    digest.add(line.end);
    digest.add(line.offset);
    digest.add(line.inode << 2 | (line.readable ? 2U : 0U) | (line.executable ? 1U : 0U));
    digest.add(line.path);
  }
}

// What is read of a mapped file to tell it from another: its ELF header, its program headers, as a
// rule its build-id, and the first bytes of its unwind tables.
constexpr std::size_t kFrontBytes = 1024;
constexpr std::size_t kContentBytes = kFrontBytes + kHeaderBytes;

void add_content(Digest& digest, const void* front, const void* header) {
  digest.add(std::string_view(static_cast<const char*>(front), kFrontBytes));
  digest.add(std::string_view(static_cast<const char*>(header), kHeaderBytes));
}

// The same of all modules of the table, as they are mapped now, in its order. False when one cannot
// be read. `buffer` has kMapsBufferBytes.
bool add_contents(Digest& digest, const PlaceTable& table, char* buffer) {
  constexpr std::size_t kMostAtOnce = kMapsBufferBytes / kContentBytes;
  iovec pieces[2 * kMostAtOnce];
  const Load* last = nullptr;
  for (std::uint32_t i = 0; i < table.count;) {
    std::size_t count = 0;
    for (; i < table.count && count < kMostAtOnce; ++i) {
      const Load* load = table.ranges[i].load;
      if (load == nullptr || load == last) {
        continue;
      }
      last = load;
      const auto front = reinterpret_cast<void*>(load->image.begin);
      const void* header = load->image.tables.header;
      pieces[2 * count] = {front, kFrontBytes};
      pieces[2 * count + 1] = {header != nullptr ? const_cast<void*>(header) : front, kHeaderBytes};
      ++count;
    }
    if (count != 0 && !runtime::read_own_pieces(pieces, 2 * count, buffer)) {
      return false;
    }
    for (std::size_t k = 0; k < count; ++k) {
      const char* content = buffer + k * kContentBytes;
      add_content(digest, content, content + kFrontBytes);
    }
  }
  return true;
}

// The lines and the files that were read last, and the ranges that followed from them, in one sum;
// 0 for none. That they belong together holds whichever table is published: relaxed, one word says
// all.
constinit std::atomic<std::uint64_t> g_consequence{0};

std::uint64_t consequence(const Digest& lines, const Digest& contents, const PlaceTable& table) {
  Digest digest = lines;
  digest.add(contents.value());
  for (std::uint32_t i = 0; i < table.count; ++i) {
    digest.add(table.ranges[i].begin);
    digest.add(table.ranges[i].end);
    digest.add(reinterpret_cast<std::uintptr_t>(table.ranges[i].load));
  }
  return digest.value() | 1;
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
    if (scratch_ == nullptr) {
      return false;
    }
    MapsReader reader(scratch_->maps);
    MapsLine line;
    while (reader.next(line)) {
      add_line(lines_, line);
      add(line);
    }
    return !reader.failed() && table_.count != 0;
  }
  // What the table follows from. Of what build() has read.
  [[nodiscard]] std::uint64_t consequence_of_it() const {
    return consequence(lines_, contents_, table_);
  }

 private:
  struct Scratch {
    ElfScratch elf;
    ElfImage image;        // of the candidate
    char path[32 * 1024];  // of the candidate
    char maps[kMapsBufferBytes];
  };
  enum class Candidate : std::uint8_t { kNone, kUnread, kElf };

  void add(const MapsLine& line) {
    if (begins_file(line)) {
      candidate_ = line.readable ? Candidate::kUnread : Candidate::kNone;
      base_ = line.begin;
      inode_ = line.inode;
      load_ = nullptr;
      path_size_ = line.path.size() < sizeof(scratch_->path) ? line.path.size() : 0;
      std::memcpy(scratch_->path, line.path.data(), path_size_);
    }
    if (holds_code(line)) {
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
      const ElfImage& image = scratch_->image;
      load_ = intern_load({{scratch_->path, path_size_}, inode_, line.begin, image});
      if (load_ != nullptr) {
        add_content(contents_, scratch_->elf.headers,
                    image.tables.header != nullptr ? image.header_copy : scratch_->elf.headers);
      }
    }
    return load_;
  }

  PlaceTable& table_;
  Scratch* scratch_;
  Digest lines_;
  Digest contents_;
  Candidate candidate_ = Candidate::kNone;
  std::uint64_t base_ = 0;
  std::uint64_t inode_ = 0;
  std::size_t path_size_ = 0;
  const Load* load_ = nullptr;
};

// From the loader's list, where /proc cannot be read. What it does not know, code of no file, stays
// as it was last seen.
[[gnu::cold]] bool build_without_proc(const PlaceTable* last, PlaceTable& table) {
  table.count = 0;
  if (!add_loader_modules(table)) {
    return false;
  }
  for (std::uint32_t i = 0; last != nullptr && i < last->count; ++i) {
    if (last->ranges[i].load == nullptr) {
      table.insert(last->ranges[i]);
    }
  }
  return true;
}

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

void mark_load(const Load& load, const PlaceTable& table) {
  const CodeRange* range = table.find(load.code_begin);
  load.mapped.store(range != nullptr && range->load == &load, std::memory_order_relaxed);
}

void mark_all_loads(const PlaceTable& table) {
  const unsigned count = module_count();
  for (unsigned id = 1; id <= count; ++id) {
    const Load* load = module_at(id)->newest.load(std::memory_order_acquire);
    for (; load != nullptr; load = load->older) {
      mark_load(*load, table);
    }
  }
}

// Says of every load, or of `only`, whether it is in the published table. Two threads may do this
// at a time: each repeats it until the table it went by is still the published one at the end.
void mark_loads(const Load* only) {
  const PlaceTable* marked = nullptr;
  while (true) {
    const TableGuard guard;
    const PlaceTable* table = guard.table();
    if (table == marked) {
      return;
    }
    if (only != nullptr) {
      mark_load(*only, *table);
    } else {
      mark_all_loads(*table);
    }
    marked = table;
  }
}

enum class Publication : std::uint8_t { kDone, kOvertaken };

// `changed` is the only load that the tables differ in; null where that is not known.
Publication publish(TableGuard& current, PlaceTable* fresh, const Load* changed) {
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
    mark_loads(changed);
    g_generation.fetch_add(1, std::memory_order_release);
  }
  return Publication::kDone;
}

// The program's own file stays mapped to the end, though it runs __cxa_finalize as libraries do.
bool is_program(const Load& load) {
  const std::uint64_t entry = getauxval(AT_ENTRY);
  return entry >= load.image.begin && entry < load.image.end;
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

// Whether the published table is what refresh_modules would publish now.
bool is_up_to_date() {
  count(format::CaptureCount::mappings_read);
  char buffer[kMapsBufferBytes];
  Digest lines;
  {
    MapsReader reader(buffer);
    MapsLine line;
    while (reader.next(line)) {
      add_line(lines, line);
    }
    if (reader.failed()) {
      return false;
    }
  }
  const TableGuard current;
  Digest contents;
  return current.table() != nullptr && add_contents(contents, *current.table(), buffer) &&
         g_consequence.load(std::memory_order_relaxed) ==
             consequence(lines, contents, *current.table());
}

}  // namespace

[[gnu::noinline]] void refresh_changed_modules() {
  if (!is_up_to_date()) {
    refresh_modules();
  }
}

// False when the mappings cannot be read.
static bool try_to_refresh() {
  for (unsigned tries = 0; tries < kMaxTries; ++tries) {
    count(format::CaptureCount::mappings_read);
    TableGuard current;
    PlaceTable* fresh = claim_table();
    if (fresh == nullptr) {
      return false;
    }
    TableBuilder builder(*fresh);
    if (!builder.build() && !build_without_proc(current.table(), *fresh)) {
      release_table(fresh);
      return false;
    }
    const std::uint64_t known = builder.consequence_of_it();
    if (publish(current, fresh, nullptr) == Publication::kDone) {
      g_consequence.store(known, std::memory_order_relaxed);
      return true;
    }
  }
  return true;  // others have read them since
}

[[gnu::noinline]] void refresh_modules() {
  try_to_refresh();
}

void forget_module(std::uint64_t address) {
  for (unsigned tries = 0; tries < kMaxTries; ++tries) {
    TableGuard current;
    const Load* load =
        current.table() != nullptr ? load_around(*current.table(), address) : nullptr;
    PlaceTable* fresh = load != nullptr && !is_program(*load) ? claim_table() : nullptr;
    if (fresh == nullptr) {
      return;
    }
    for (std::uint32_t i = 0; i < current.table()->count; ++i) {
      if (current.table()->ranges[i].load != load) {
        fresh->add(current.table()->ranges[i]);
      }
    }
    if (publish(current, fresh, load) == Publication::kDone) {
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
  const bool refreshed = try_to_refresh();
  const Place found = search(pc);
  if (refreshed && !found.executable) {
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
