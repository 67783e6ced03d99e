// CRC-32 as in zlib, gzip and PNG (polynomial 0xEDB88320, reflected), eight bytes a step.
// Thread and signal safe; allocates nothing. Any zlib can check a file: zlib.crc32(bytes).
// Source of the slicing-by-8 method: Kounavis and Berry, "Novel Table Lookup-Based Algorithms for
// High-Performance CRC Generation", IEEE Transactions on Computers 57 (2008).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace seep::format {

namespace crc_detail {

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
    }
    tables[0][byte] = crc;
  }
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    for (std::size_t slice = 1; slice < tables.size(); ++slice) {
      const std::uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

inline constexpr Tables kTables = make_tables();

}  // namespace crc_detail

// CRC-32 of `size` bytes at `data`; `crc` is the value of what came before (0 at the start).
inline std::uint32_t crc32(const void* data, std::size_t size, std::uint32_t crc = 0) {
  const auto& table = crc_detail::kTables;
  const auto* bytes = static_cast<const unsigned char*>(data);
  crc = ~crc;
  for (; size >= 8; size -= 8, bytes += 8) {
    const std::uint32_t low =
        crc ^ (bytes[0] | (std::uint32_t{bytes[1]} << 8) | (std::uint32_t{bytes[2]} << 16) |
               (std::uint32_t{bytes[3]} << 24));
    crc = table[7][low & 0xFF] ^ table[6][(low >> 8) & 0xFF] ^ table[5][(low >> 16) & 0xFF] ^
          table[4][low >> 24] ^ table[3][bytes[4]] ^ table[2][bytes[5]] ^ table[1][bytes[6]] ^
          table[0][bytes[7]];
  }
  for (; size != 0; --size, ++bytes) {
    crc = (crc >> 8) ^ table[0][(crc ^ *bytes) & 0xFF];
  }
  return ~crc;
}

}  // namespace seep::format
