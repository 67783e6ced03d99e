// A terminal that `seep top` draws on, through ncurses. One at a time, one thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace seep::cli {

// kGone: there is no terminal any more, of which not every process is told by a signal.
enum class Key { kNone, kUp, kDown, kPageUp, kPageDown, kEnter, kResize, kGone, kOther };

struct Pressed {
  Key key = Key::kNone;
  char character = '\0';  // with kOther
};

// The lines of a whole screen; one may stand out.
struct ScreenText {
  std::vector<std::string> lines;
  std::size_t highlighted = ~std::size_t{0};
};

class Screen {
 public:
  // The terminal is given back as it was when this ends, when the program exits, and while it is
  // stopped (SIGTSTP).
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // False where the terminal has no name, or cannot do what it takes.
  [[nodiscard]] bool is_open() const { return is_open_; }
  [[nodiscard]] std::size_t height() const;
  [[nodiscard]] std::size_t width() const;
  // Lines are cut at the right edge; what has no room below is left out.
  void draw(const ScreenText& text);
  // Waits at most so long for a key; a signal ends the wait.
  Pressed wait_for_key(int milliseconds);

 private:
  bool is_open_ = false;
};

// Cut to `columns` as the terminal counts them. Of a locale that is not UTF-8, characters that are
// no ASCII appear as '?'.
std::string cut_to(const std::string& line, std::size_t columns);

}  // namespace seep::cli
