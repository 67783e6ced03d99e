#include "preload/runtime/arena.h"

#include <sys/mman.h>

#include "preload/runtime/syscall.h"

namespace seep::runtime {
namespace {

constexpr int kMadvCollapse = 25;  // MADV_COLLAPSE, which libc's headers may not know

constinit std::atomic<std::uint64_t> g_mapped_bytes{0};  // relaxed: a figure for reports only

// What is mapped, so that its residency can be asked for. A place is free when `begin` is 0.
struct Mapping {
  std::atomic<std::uintptr_t> begin;  // relaxed: a stale pair gives a stale figure, no more
  std::atomic<std::size_t> bytes;
};
constinit Mapping g_mappings[kMostMapped] = {};
constinit std::atomic<std::size_t> g_mappings_end{0};  // relaxed; places beyond were never used

std::size_t round_up(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
}

bool take_place(std::size_t place, std::uintptr_t begin, std::size_t bytes) {
  std::uintptr_t free_place = 0;
  if (!g_mappings[place].begin.compare_exchange_strong(free_place, begin,
                                                       std::memory_order_relaxed)) {
    return false;
  }
  g_mappings[place].bytes.store(bytes, std::memory_order_relaxed);
  return true;
}

// Reuses one of the places taken last, which are those that are given back, or takes a new one.
void note_mapping(std::uintptr_t begin, std::size_t bytes) {
  constexpr std::size_t kPlacesToTry = 64;
  const std::size_t end = g_mappings_end.load(std::memory_order_relaxed);
  for (std::size_t i = 1; i <= kPlacesToTry && i <= end; ++i) {
    if (take_place(end - i, begin, bytes)) {
      return;
    }
  }
  if (end < kMostMapped - kPlacesToTry) {  // threads that race here cannot pass the last place
    take_place(g_mappings_end.fetch_add(1, std::memory_order_relaxed), begin, bytes);
  }
}

void forget_mapping(std::uintptr_t begin) {
  std::size_t place = g_mappings_end.load(std::memory_order_relaxed);
  while (place-- > 0) {
    std::uintptr_t expected = begin;
    if (g_mappings[place].begin.compare_exchange_strong(expected, 0, std::memory_order_relaxed)) {
      return;
    }
  }
}

std::uint64_t resident_in(std::uintptr_t begin, std::size_t bytes) {
  constexpr std::size_t kStep = 1024 * kPageBytes;
  unsigned char resident[1024];
  std::uint64_t pages = 0;
  for (std::size_t done = 0; done < bytes; done += kStep) {
    const std::size_t part = bytes - done < kStep ? bytes - done : kStep;
    if (raw_syscall(__NR_mincore, static_cast<long>(begin + done), static_cast<long>(part),
                    as_argument(resident)) != 0) {
      break;
    }
    for (std::size_t page = 0; page < part / kPageBytes; ++page) {
      pages += resident[page] & 1U;
    }
  }
  return pages * kPageBytes;
}

// 0 when the kernel has none.
std::uintptr_t map(std::size_t bytes) {
  const long result = raw_syscall(__NR_mmap, 0, static_cast<long>(bytes), PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return failed(result) ? 0 : static_cast<std::uintptr_t>(result);
}

void unmap(std::uintptr_t begin, std::size_t bytes) {
  if (bytes != 0) {
    raw_syscall(__NR_munmap, static_cast<long>(begin), static_cast<long>(bytes));
  }
}

long advise(std::uintptr_t begin, std::size_t bytes, int advice) {
  return raw_syscall(__NR_madvise, static_cast<long>(begin), static_cast<long>(bytes), advice);
}

// On a boundary of a huge page, if there is room. Kernels before 6.7 must be helped.
std::uintptr_t map_aligned(std::size_t bytes) {
  const std::uintptr_t first = map(bytes);
  if (first == 0 || first % kHugePageBytes == 0) {
    return first;
  }
  const std::uintptr_t wide = map(bytes + kHugePageBytes);
  if (wide == 0) {
    return first;
  }
  unmap(first, bytes);
  const std::uintptr_t begin = round_up(wide, kHugePageBytes);
  unmap(wide, begin - wide);
  unmap(begin + bytes, wide + kHugePageBytes - begin);
  return begin;
}

void* note(std::uintptr_t begin, std::size_t bytes) {
  if (begin == 0) {
    return nullptr;
  }
  g_mapped_bytes.fetch_add(bytes, std::memory_order_relaxed);
  note_mapping(begin, bytes);
  return reinterpret_cast<void*>(begin);
}

}  // namespace

void* map_pages(std::size_t bytes) {
  const std::size_t size = round_up(bytes, kPageBytes);
  return note(map(size), size);
}

// For a chunk of a huge page's size: it may stand on one, but not before it is full. Systems that
// give huge pages to all would give it one at its first byte.
static void* map_huge_page() {
  void* page = note(map_aligned(kHugePageBytes), kHugePageBytes);
  if (page != nullptr) {
    advise(reinterpret_cast<std::uintptr_t>(page), kHugePageBytes, MADV_NOHUGEPAGE);
  }
  return page;
}

void prefer_huge_pages(void* begin, std::size_t bytes) {
  raw_syscall(__NR_madvise, as_argument(begin), static_cast<long>(round_up(bytes, kPageBytes)),
              MADV_HUGEPAGE);
}

void unmap_pages(void* begin, std::size_t bytes) {
  const std::size_t size = round_up(bytes, kPageBytes);
  forget_mapping(reinterpret_cast<std::uintptr_t>(begin));
  unmap(reinterpret_cast<std::uintptr_t>(begin), size);
  g_mapped_bytes.fetch_sub(size, std::memory_order_relaxed);
}

std::uint64_t mapped_bytes() {
  return g_mapped_bytes.load(std::memory_order_relaxed);
}

std::uint64_t resident_bytes() {
  std::uint64_t bytes = 0;
  const std::size_t end = g_mappings_end.load(std::memory_order_relaxed);
  for (std::size_t place = 0; place < end; ++place) {
    const std::uintptr_t begin = g_mappings[place].begin.load(std::memory_order_relaxed);
    if (begin != 0) {
      bytes += resident_in(begin, g_mappings[place].bytes.load(std::memory_order_relaxed));
    }
  }
  return bytes;
}

std::size_t list_mapped(MemoryRange* to, std::size_t capacity) {
  std::size_t count = 0;
  const std::size_t end = g_mappings_end.load(std::memory_order_relaxed);
  for (std::size_t place = 0; place < end && count < capacity; ++place) {
    const std::uintptr_t begin = g_mappings[place].begin.load(std::memory_order_relaxed);
    if (begin != 0) {
      to[count++] = {begin, begin + g_mappings[place].bytes.load(std::memory_order_relaxed)};
    }
  }
  return count;
}

void* Arena::allocate(std::size_t bytes) {
  const std::size_t size = round_up(bytes, 16);
  Chunk* chunk = current_.load(std::memory_order_acquire);
  while (true) {
    if (chunk != nullptr) {
      const std::size_t begin = chunk->used.fetch_add(size, std::memory_order_relaxed);
      if (begin + size <= chunk->bytes) {
        return reinterpret_cast<char*>(chunk) + begin;
      }
    }
    chunk = next_chunk(chunk);
    if (chunk == nullptr) {
      return nullptr;
    }
  }
}

// The first thread to find a chunk full replaces it; the others use what it put there.
Arena::Chunk* Arena::next_chunk(Chunk* full) {
  std::size_t bytes = full == nullptr ? first_bytes_ : next_bytes_;
  void* room = bytes == kHugePageBytes ? map_huge_page() : map_pages(bytes);
  if (room == nullptr && bytes > first_bytes_) {
    bytes = first_bytes_;
    room = map_pages(bytes);
  }
  if (room == nullptr) {
    return nullptr;
  }
  auto* fresh = static_cast<Chunk*>(room);
  fresh->used.store(round_up(sizeof(Chunk), 64), std::memory_order_relaxed);
  fresh->bytes = bytes;
  fresh->previous = full;
  Chunk* expected = full;
  if (current_.compare_exchange_strong(expected, fresh, std::memory_order_acq_rel,
                                       std::memory_order_acquire)) {
    return fresh;
  }
  unmap_pages(fresh, bytes);
  return expected;
}

// Chunks that follow each other in memory, as most do, are told of at once: each call has all
// processors give up pages that they hold back.
void Arena::use_huge_pages() {
  const Chunk* chunk = current_.load(std::memory_order_acquire);
  chunk = chunk == nullptr ? nullptr : chunk->previous;
  while (chunk != nullptr) {
    auto begin = reinterpret_cast<std::uintptr_t>(chunk);
    std::uintptr_t end = begin + chunk->bytes;
    chunk = chunk->previous;
    while (chunk != nullptr && (reinterpret_cast<std::uintptr_t>(chunk) == end ||
                                reinterpret_cast<std::uintptr_t>(chunk) + chunk->bytes == begin)) {
      const auto next = reinterpret_cast<std::uintptr_t>(chunk);
      begin = next < begin ? next : begin;
      end = next + chunk->bytes > end ? next + chunk->bytes : end;
      chunk = chunk->previous;
    }
    // Older kernels merge them by and by.
    if (end - begin >= kHugePageBytes && advise(begin, end - begin, MADV_HUGEPAGE) == 0) {
      advise(begin, end - begin, kMadvCollapse);
    }
  }
}

}  // namespace seep::runtime
