// Memory for seep's own tables: pages from the kernel, never from the program's allocator.
// Context: IN-HOOK. Lock-free; nothing is ever given back, so a pointer stays good for the life of
// the process. All of it is counted in mapped_bytes().
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace seep::runtime {

inline constexpr std::size_t kPageBytes = 4096;
inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

// Zeroed pages, private and without swap reservation; null when the kernel has none. `bytes` is
// rounded up to whole pages.
void* map_pages(std::size_t bytes);
// Asks for pages of 2 MB in such memory, where it has not been touched: for tables of many
// megabytes that are read here and there, so that the processor need not look up as many pages.
void prefer_huge_pages(void* begin, std::size_t bytes);
// Gives back what map_pages returned.
void unmap_pages(void* begin, std::size_t bytes);

// Bytes that map_pages holds now. Untouched pages count, though they are not resident.
std::uint64_t mapped_bytes();
// Of these, bytes that are resident, by mincore(2). Context: IN-AGENT, walker.
std::uint64_t resident_bytes();

struct MemoryRange {
  std::uintptr_t begin;
  std::uintptr_t end;
};
// What map_pages holds now, in no order: at most `capacity` of them into `to`; returns how many.
std::size_t list_mapped(MemoryRange* to, std::size_t capacity);
inline constexpr std::size_t kMostMapped = 4096;

// Bump allocation out of chunks. Zeroed memory, aligned to 16 bytes; null when the kernel has none.
// A request may be at most half of the size of the first chunk, whose successors may be larger.
class Arena {
 public:
  constexpr explicit Arena(std::size_t chunk_bytes) : Arena(chunk_bytes, chunk_bytes) {}
  constexpr Arena(std::size_t first_bytes, std::size_t next_bytes)
      : first_bytes_(first_bytes), next_bytes_(next_bytes) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* allocate(std::size_t bytes);

  // Has full chunks of kHugePageBytes stand on huge pages, where the kernel has that (Linux 6.1; an
  // older one may do it by and by). They take no more memory, since every page of them is in use.
  // Takes some tenths of a millisecond for each that is not yet.
  void use_huge_pages();

 private:
  struct Chunk {
    std::atomic<std::size_t> used;  // relaxed: it only hands out room, it publishes nothing
    std::size_t bytes;
    Chunk* previous;  // which is full
  };
  Chunk* next_chunk(Chunk* full);

  std::size_t first_bytes_;
  std::size_t next_bytes_;
  std::atomic<Chunk*> current_{nullptr};  // release in next_chunk, acquire in allocate
};

}  // namespace seep::runtime
