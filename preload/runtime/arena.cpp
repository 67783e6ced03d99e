#include "preload/runtime/arena.h"

#include <sys/mman.h>

#include "preload/runtime/syscall.h"

namespace seep::runtime {
namespace {

constinit std::atomic<std::uint64_t> g_mapped_bytes{0};  // relaxed: a figure for reports only

std::size_t round_up(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
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
  return reinterpret_cast<void*>(result);
}

void unmap_pages(void* begin, std::size_t bytes) {
  const std::size_t size = round_up(bytes, kPageBytes);
  raw_syscall(__NR_munmap, as_argument(begin), static_cast<long>(size));
  g_mapped_bytes.fetch_sub(size, std::memory_order_relaxed);
}

std::uint64_t mapped_bytes() { return g_mapped_bytes.load(std::memory_order_relaxed); }

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
