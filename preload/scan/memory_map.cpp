#include "preload/scan/memory_map.h"

#include <fcntl.h>

#include <algorithm>

#include "preload/runtime/file.h"
#include "preload/runtime/syscall.h"
#include "preload/scan/process_copy.h"
#include "preload/stack/proc_maps.h"

namespace seep::scan {
namespace {

using runtime::raw_syscall;

// Of an entry of /proc/self/pagemap.
constexpr std::uint64_t kPresent = std::uint64_t{1} << 63;
constexpr std::uint64_t kSwapped = std::uint64_t{1} << 62;
constexpr std::uint64_t kOfFile = std::uint64_t{1} << 61;  // or shared
// Told since Linux 6.15, as swapped besides. New versions of libc (2.42) guard stacks so, inside a
// readable area, and a read of such a page ends the reader.
constexpr std::uint64_t kGuard = std::uint64_t{1} << 58;

bool begins_with(std::string_view text, std::string_view what) {
  return text.substr(0, what.size()) == what;
}

bool is_shared_memory(std::string_view path) {
  return path.empty() || begins_with(path, "/dev/zero") || begins_with(path, "/dev/shm/") ||
         begins_with(path, "/memfd:") || begins_with(path, "/SYSV") ||
         begins_with(path, "[anon_shmem");
}

// Reading a device may do something, or wait for ever.
bool is_device(std::string_view path) {
  return begins_with(path, "/dev/") || begins_with(path, "/sys/") || begins_with(path, "/proc/") ||
         begins_with(path, "anon_inode:");
}

MappingKind kind_of(const stack::MapsLine& line) {
  if (line.shared) {
    return is_shared_memory(line.path) ? MappingKind::kSharedMemory : MappingKind::kNothing;
  }
  if (line.path.empty() || begins_with(line.path, "[anon") || begins_with(line.path, "[stack") ||
      begins_with(line.path, "/dev/zero")) {
    return MappingKind::kAnonymous;
  }
  if (line.path == "[heap]") {
    return MappingKind::kHeap;
  }
  return line.path.front() == '[' || is_device(line.path) ? MappingKind::kNothing
                                                          : MappingKind::kFile;
}

}  // namespace

MemoryMap::~MemoryMap() {
  if (page_map_ >= 0) {
    runtime::close_file(page_map_);
  }
}

bool MemoryMap::read() {
  Pages<char> buffer;
  Pages<runtime::MemoryRange> own;
  if (!mappings_.map(kMostMappings) || !holes_.map(kMostMappings) ||
      !buffer.map(stack::kMapsBufferBytes) || !own.map(runtime::kMostMapped)) {
    return false;
  }
  const OwnMemory ours{&own[0], &own[0] + runtime::list_mapped(&own[0], own.capacity())};
  std::sort(ours.begin, ours.end, [](const auto& a, const auto& b) { return a.begin < b.begin; });
  const ProcReadable readable;
  page_map_ = runtime::open_file(AT_FDCWD, "/proc/self/pagemap", O_RDONLY);
  stack::MapsReader reader(&buffer[0]);
  stack::MapsLine line{};
  while (reader.next(line)) {
    MappingKind kind = kind_of(line);
    if (page_map_ < 0 && kind == MappingKind::kFile && !line.writable) {
      kind = MappingKind::kNothing;  // which of its pages are the file's cannot be told
    }
    if (!add({line.begin, line.end, kind, line.readable, line.path == "[stack]"}, ours)) {
      return false;
    }
  }
  return !reader.failed() && mappings_.size() != 0;
}

// Our tables are full of addresses of blocks, and may lie where a block was that realloc is moving
// away, or the rest of one that it has made smaller.
bool MemoryMap::add(Mapping mapping, const OwnMemory& own) {
  const auto* ours = std::partition_point(
      own.begin, own.end, [&](const auto& range) { return range.end <= mapping.begin; });
  for (; ours != own.end && ours->begin < mapping.end; ++ours) {
    const Mapping before{mapping.begin, ours->begin, mapping.kind, mapping.readable,
                         mapping.main_stack};
    mapping.begin = std::max(mapping.begin, ours->begin);
    const std::uintptr_t end = std::min(mapping.end, ours->end);
    if ((before.begin < before.end && !mappings_.add(before)) ||
        (mapping.begin < end &&
         !mappings_.add({mapping.begin, end, MappingKind::kNothing, mapping.readable, false}))) {
      return false;
    }
    mapping.begin = std::max(mapping.begin, end);
  }
  return mapping.begin == mapping.end || mappings_.add(mapping);
}

std::size_t MemoryMap::first_ending_after(std::uintptr_t address) const {
  std::size_t low = 0;
  std::size_t high = mappings_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (mappings_[middle].end <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

const Mapping* MemoryMap::find(std::uintptr_t address) const {
  const std::size_t m = first_ending_after(address);
  return m < mappings_.size() && mappings_[m].begin <= address ? &mappings_[m] : nullptr;
}

// What is not mapped at all is not listed: a live block lies there only when its release was not
// seen, and visit_written would find out; it is asked where a hole is near.
void MemoryMap::note_holes(std::uintptr_t low, std::uintptr_t high) {
  std::uintptr_t before = low;
  for (const Mapping& mapping : mappings_) {
    if (mapping.end <= low) {
      continue;
    }
    if (mapping.begin > before && before < high) {
      holes_.add({before, mapping.begin, MappingKind::kNothing, false, false});
    }
    if (mapping.begin < high && (!mapping.readable || mapping.kind == MappingKind::kNothing)) {
      holes_.add(mapping);
    }
    before = mapping.end;
  }
  if (before < high) {
    holes_.add({before, high, MappingKind::kNothing, false, false});
  }
}

// Most blocks lie between the same two holes as the one before.
bool MemoryMap::is_near_hole(std::uintptr_t begin, std::uintptr_t end) {
  if (begin >= clear_begin_ && end <= clear_end_) {
    return false;
  }
  std::size_t low = 0;
  std::size_t high = holes_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (holes_[middle].end <= begin) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  clear_begin_ = low == 0 ? 0 : holes_[low - 1].end;
  clear_end_ = low == holes_.size() ? UINTPTR_MAX : holes_[low].begin;
  return end > clear_end_;
}

std::size_t MemoryMap::look_at_pages(const Mapping& mapping, std::uintptr_t begin,
                                     std::uintptr_t end) {
  const std::uintptr_t first = begin & ~(runtime::kPageBytes - 1);
  const std::size_t left = (end - first + runtime::kPageBytes - 1) / runtime::kPageBytes;
  const std::size_t pages = left < kPagesPerLook ? left : kPagesPerLook;
  return mapping.kind == MappingKind::kSharedMemory ? look_at_shared(first, pages)
                                                    : look_at_private(mapping, first, pages);
}

std::size_t MemoryMap::look_at_private(const Mapping& mapping, std::uintptr_t begin,
                                       std::size_t pages) {
  const long offset = static_cast<long>(begin / runtime::kPageBytes * sizeof(std::uint64_t));
  const std::size_t bytes = pages * sizeof(std::uint64_t);
  if (page_map_ < 0 || raw_syscall(__NR_lseek, page_map_, offset, 0) != offset ||
      runtime::read_all(page_map_, page_words_, bytes) != static_cast<long>(bytes)) {
    return 0;
  }
  for (std::size_t i = 0; i < pages; ++i) {
    const bool is_file = mapping.kind == MappingKind::kFile && (page_words_[i] & kOfFile) != 0;
    const bool is_guard = (page_words_[i] & kGuard) != 0;
    written_[i] = (page_words_[i] & (kPresent | kSwapped)) != 0 && !is_file && !is_guard;
  }
  return pages;
}

std::size_t MemoryMap::look_at_shared(std::uintptr_t begin, std::size_t pages) {
  unsigned char resident[kPagesPerLook];
  if (raw_syscall(__NR_mincore, static_cast<long>(begin),
                  static_cast<long>(pages * runtime::kPageBytes),
                  runtime::as_argument(resident)) != 0) {
    return 0;
  }
  for (std::size_t i = 0; i < pages; ++i) {
    written_[i] = (resident[i] & 1U) != 0;
  }
  return pages;
}

}  // namespace seep::scan
