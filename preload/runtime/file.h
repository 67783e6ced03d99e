// Files by raw system calls. Context: IN-HOOK (slow paths), IN-AGENT. EINTR and short transfers are
// handled here and nowhere else. Results are negative errno values where they fail.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace seep::runtime {

// open(2) relative to `directory` (AT_FDCWD for none), always with O_CLOEXEC.
int open_file(int directory, const char* path, int flags, unsigned mode = 0);
void close_file(int fd);

// Writes all of it, or returns the error that stopped it; 0 when all is written.
int write_all(int fd, const void* data, std::size_t size);
// Reads until `size` bytes, the end, or an error; returns the bytes read or the error.
long read_all(int fd, void* data, std::size_t size);
// Reads a whole small file (such as one of /proc); returns the bytes read or the error.
long read_file(int directory, const char* path, void* data, std::size_t capacity);

// Copies memory of this process that may be unmapped at any moment; false instead of a fault.
bool read_own_memory(const void* from, void* to, std::size_t size);
// The same for several pieces at once, which stand in `to` one behind the other: one system call.
// At most kMostPieces. False when one of them cannot be read; what is in `to` then is unspecified.
inline constexpr std::size_t kMostPieces = 1024;
bool read_own_pieces(const iovec* pieces, std::size_t count, void* to);

}  // namespace seep::runtime
