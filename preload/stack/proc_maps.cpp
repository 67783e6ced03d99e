#include "preload/stack/proc_maps.h"

#include <fcntl.h>

#include <cstring>

#include "preload/runtime/file.h"
#include "preload/runtime/text.h"

namespace seep::stack {
namespace {

bool take_char(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

}  // namespace

// 7f2c0a000000-7f2c0a022000 r-xp 00001000 fe:01 1234    /usr/lib/x.so
bool parse_maps_line(std::string_view text, MapsLine& line) {
  constexpr std::size_t kFlags = 4;
  if (!runtime::take_number(text, 16, line.begin) || !take_char(text, '-') ||
      !runtime::take_number(text, 16, line.end) || !take_char(text, ' ') || text.size() < kFlags) {
    return false;
  }
  line.readable = text[0] == 'r';
  line.writable = text[1] == 'w';
  line.executable = text[2] == 'x';
  line.shared = text[3] == 's';
  text.remove_prefix(kFlags);
  std::uint64_t device = 0;
  if (!take_char(text, ' ') || !runtime::take_number(text, 16, line.offset) ||
      !take_char(text, ' ') || !runtime::take_number(text, 16, device) || !take_char(text, ':') ||
      !runtime::take_number(text, 16, device) || !take_char(text, ' ') ||
      !runtime::take_number(text, 10, line.inode)) {
    return false;
  }
  runtime::skip_blanks(text);
  line.path = text;
  return true;
}

// thread-self: /proc/self is empty once the first thread has left by pthread_exit.
MapsReader::MapsReader(char* buffer)
    : fd_(runtime::open_file(AT_FDCWD, "/proc/thread-self/maps", O_RDONLY)), buffer_(buffer) {
  failed_ = fd_ < 0;
  at_end_ = failed_;
}

MapsReader::~MapsReader() {
  if (fd_ >= 0) {
    runtime::close_file(fd_);
  }
}

bool MapsReader::next(MapsLine& line) {
  std::string_view text;
  while (next_text(text)) {
    if (parse_maps_line(text, line)) {
      return true;
    }
  }
  return false;
}

bool MapsReader::next_text(std::string_view& text) {
  while (true) {
    const std::string_view rest(buffer_ + begin_, end_ - begin_);
    if (const std::size_t size = rest.find('\n'); size != std::string_view::npos) {
      text = rest.substr(0, size);
      begin_ += size + 1;
      return true;
    }
    if (at_end_) {
      return false;
    }
    fill();
  }
}

void MapsReader::fill() {
  std::memmove(buffer_, buffer_ + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  const std::size_t room = kMapsBufferBytes - end_;
  const long got = runtime::read_all(fd_, buffer_ + end_, room);
  failed_ = got < 0;
  at_end_ = got < static_cast<long>(room) || room == 0;
  end_ += got > 0 ? static_cast<std::size_t>(got) : 0;
}

}  // namespace seep::stack
