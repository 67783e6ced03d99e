// The page that a tracked process shares with its clients (format/control_page.h), as a file.
#pragma once

#include <optional>
#include <string>

#include "format/control_page.h"

namespace seep::client {

// A copy of the page; nothing when the file cannot be read or is no control page of this version.
std::optional<format::ControlPage> read_control_file(const std::string& path);

// A NUL-terminated field, safe also when the NUL is missing.
template <std::size_t kSize>
std::string text_of(const char (&field)[kSize]) {
  const std::string text(field, kSize);
  return text.substr(0, text.find('\0'));
}

// "recording", "paused", …
const char* name_of(format::AgentState state);

// The control page mapped for writing: a client's side of a request.
class SharedControlPage {
 public:
  // Null page when the file cannot be opened for writing; errno says why.
  explicit SharedControlPage(const std::string& path);
  ~SharedControlPage();
  SharedControlPage(const SharedControlPage&) = delete;
  SharedControlPage& operator=(const SharedControlPage&) = delete;

  [[nodiscard]] format::ControlPage* page() const { return page_; }

  // Tries to become the only client; released when this object ends.
  [[nodiscard]] bool try_lock() const;

 private:
  int fd_ = -1;
  format::ControlPage* page_ = nullptr;
};

}  // namespace seep::client
