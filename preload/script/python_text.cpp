#include "preload/script/python_text.h"

#include <cstring>

#include "preload/script/checked_memory.h"

namespace seep::script {

namespace {

// Of the word of flags: 3 bits of kind, then compact, then ascii. Before them stand 2 bits that are
// of no matter here, or 16 of which no other is ever set: releases of 3.14 have it both ways.
unsigned kind_shift(std::uint32_t flags) {
  return (flags >> 2 & 7) != 0 ? 2 : 16;
}

}  // namespace

bool PythonText::read(const PythonLayout& layout, std::uintptr_t string) {
  constexpr std::uint64_t kMostLength = 1U << 16;  // of what may be a name or a path
  constexpr std::uint32_t kCompact = 8;            // above the three bits of the kind
  constexpr std::uint32_t kAscii = 16;
  std::uint64_t length = 0;
  std::uint32_t flags = 0;
  if (string == 0 || string % alignof(void*) != 0 || !read_checked(string + kVarSize, length) ||
      !read_checked(string + kTextFlags, flags) || length > kMostLength) {
    return false;
  }
  flags >>= kind_shift(flags);
  const unsigned kind = flags & 7;  // bytes of a character
  const bool ascii = (flags & kAscii) != 0;
  if ((kind != 1 && kind != 2 && kind != 4) || (flags & kCompact) == 0 || (ascii && kind != 1)) {
    return false;
  }
  const std::size_t most = ascii ? kMostAscii : kMostBytes;
  const std::size_t kept = length < most ? length : most;
  const std::uintptr_t begin = string + (ascii ? layout.text_ascii : layout.text_other);
  if (kept != 0 && !is_readable(begin, kept * kind)) {
    return false;
  }
  if (ascii) {
    view_ = {reinterpret_cast<const char*>(begin), kept};
  } else {
    copy(reinterpret_cast<const void*>(begin), kept, kind);
  }
  return true;
}

void PythonText::copy(const void* characters, std::size_t count, unsigned bytes_each) {
  constexpr std::size_t kMostUtf8 = 4;
  used_ = 0;
  for (std::size_t i = 0; i < count && used_ + kMostUtf8 <= kMostBytes; ++i) {
    std::uint32_t character = 0;
    std::memcpy(&character, static_cast<const char*>(characters) + i * bytes_each, bytes_each);
    put(character);
  }
  view_ = {utf8_, used_};
}

void PythonText::put(std::uint32_t character) {
  const auto add = [this](std::uint32_t byte) { utf8_[used_++] = static_cast<char>(byte); };
  if (character < 0x80) {
    add(character);
  } else if (character < 0x800) {
    add(0xC0 | character >> 6);
    add(0x80 | (character & 63));
  } else if (character >= 0xDC80 && character <= 0xDCFF) {
    add(character & 0xFF);
  } else if (character < 0x10000) {
    add(0xE0 | character >> 12);
    add(0x80 | (character >> 6 & 63));
    add(0x80 | (character & 63));
  } else {
    add(0xF0 | (character >> 18 & 7));
    add(0x80 | (character >> 12 & 63));
    add(0x80 | (character >> 6 & 63));
    add(0x80 | (character & 63));
  }
}

}  // namespace seep::script
