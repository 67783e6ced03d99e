#include "cli/text_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace seep::cli {

Result<std::string> read_text(const std::string& file, std::size_t most,
                              const std::string& advice) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  std::string text;
  std::array<char, 65536> buffer{};
  ssize_t got = fd < 0 ? -1 : 0;
  while (fd >= 0 && text.size() <= most) {
    got = read(fd, buffer.data(), std::min(buffer.size(), most + 1 - text.size()));
    if (got <= 0) {
      break;
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const int error = errno;
  close(fd);
  if (got < 0) {
    return Error{ErrorKind::kBadInput,
                 file,
                 {},
                 {},
                 std::string("cannot be read: ") + std::strerror(error),
                 advice};
  }
  return text;
}

}  // namespace seep::cli
