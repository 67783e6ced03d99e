#include "preload/runtime/arena.h"

#include <sys/mman.h>

#include "preload/runtime/syscall.h"

namespace seep::runtime {
namespace {

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

}  // namespace

void* map_pages(std::size_t bytes) {
  const std::size_t size = round_up(bytes, kPageBytes);
  const long result = raw_syscall(__NR_mmap, 0, static_cast<long>(size), PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (failed(result)) {
    return nullptr;
  }
  g_mapped_bytes.fetch_add(size, std::memory_order_relaxed);
  note_mapping(static_cast<std::uintptr_t>(result), size);
  return reinterpret_cast<void*>(result);
}

void prefer_huge_pages(void* begin, std::size_t bytes) {
  raw_syscall(__NR_madvise, as_argument(begin), static_cast<long>(round_up(bytes, kPageBytes)),
              MADV_HUGEPAGE);
}

void unmap_pages(void* begin, std::size_t bytes) {
  const std::size_t size = round_up(bytes, kPageBytes);
  forget_mapping(reinterpret_cast<std::uintptr_t>(begin));
  raw_syscall(__NR_munmap, as_argument(begin), static_cast<long>(size));
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
      if (begin + size <= chunk_bytes_) {
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
  auto* fresh = static_cast<Chunk*>(map_pages(chunk_bytes_));
  if (fresh == nullptr) {
    return nullptr;
  }
  fresh->used.store(round_up(sizeof(Chunk), 64), std::memory_order_relaxed);
  Chunk* expected = full;
  if (current_.compare_exchange_strong(expected, fresh, std::memory_order_acq_rel,
                                       std::memory_order_acquire)) {
    return fresh;
  }
  unmap_pages(fresh, chunk_bytes_);
  return expected;
}

}  // namespace seep::runtime
