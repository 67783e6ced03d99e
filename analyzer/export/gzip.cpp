#include "analyzer/export/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <new>

namespace seep::exporters {
namespace {

// A profile of 100,000 stacks: level 6 takes 0.41 s where 1 takes 0.16 s, and saves an eighth.
constexpr int kLevel = 1;
constexpr int kLargestWindow = 15;
constexpr int kWithGzipHeader = 16;
constexpr int kMemoryLevel = 8;  // zlib's default

}  // namespace

struct Gzip::Impl {
  explicit Impl(const Write& to) : write(to) {
    if (deflateInit2(&stream, kLevel, Z_DEFLATED, kLargestWindow + kWithGzipHeader, kMemoryLevel,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();  // all other reasons are in the arguments
    }
  }

  void run(std::string_view bytes, int flush) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream.avail_out = static_cast<uInt>(buffer.size());
      deflate(&stream, flush);
      write({buffer.data(), buffer.size() - stream.avail_out});
    } while (stream.avail_out == 0);
  }

  const Write& write;
  z_stream stream{};
  std::array<char, 1 << 16> buffer{};
};

Gzip::Gzip(const Write& write) : impl_(std::make_unique<Impl>(write)) {}

Gzip::~Gzip() {
  deflateEnd(&impl_->stream);
}

void Gzip::add(std::string_view bytes) {
  constexpr std::size_t kMost = std::numeric_limits<uInt>::max();
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kMost))) {
    impl_->run(bytes.substr(0, kMost), Z_NO_FLUSH);
  }
}

void Gzip::finish() {
  impl_->run({}, Z_FINISH);
}

}  // namespace seep::exporters
