#include "cli/top/screen.h"

#include <curses.h>
#include <langinfo.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <string_view>

namespace seep::cli {
namespace {

bool g_is_drawing = false;

void give_back() {
  if (g_is_drawing) {
    g_is_drawing = false;
    endwin();
  }
}

bool is_gone(int terminal) {
  pollfd look{terminal, POLLIN, 0};
  return poll(&look, 1, 0) == 1 && (look.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

bool has_utf8() {
  return std::string_view(nl_langinfo(CODESET)) == "UTF-8";
}

}  // namespace

// What it does where a signal handler of ours is: nothing, since those stay (curs_initscr(3X)).
Screen::Screen() {
  std::setlocale(LC_CTYPE, "");
  if (isatty(STDIN_FILENO) != 1 || newterm(nullptr, stdout, stdin) == nullptr) {
    return;
  }
  static const int registered = std::atexit(give_back);
  (void)registered;
  is_open_ = true;
  g_is_drawing = true;
  cbreak();
  noecho();
  nonl();
  keypad(stdscr, TRUE);
  intrflush(stdscr, FALSE);
  set_escdelay(25);
  curs_set(0);
}

Screen::~Screen() {
  give_back();
}

std::size_t Screen::height() const {
  return static_cast<std::size_t>(std::max(LINES, 1));
}

std::size_t Screen::width() const {
  return static_cast<std::size_t>(std::max(COLS, 1));
}

void Screen::draw(const ScreenText& text) {
  erase();
  const std::size_t count = std::min(text.lines.size(), height());
  for (std::size_t i = 0; i < count; ++i) {
    const bool stands_out = i == text.highlighted;
    if (stands_out) {
      attron(A_REVERSE);
    }
    mvaddstr(static_cast<int>(i), 0, cut_to(text.lines[i], width()).c_str());
    if (stands_out) {
      attroff(A_REVERSE);
    }
  }
  refresh();
}

Pressed Screen::wait_for_key(int milliseconds) {
  timeout(milliseconds);
  const int key = getch();
  switch (key) {
    case ERR:
      return {is_gone(STDIN_FILENO) ? Key::kGone : Key::kNone};
    case KEY_UP:
    case 'k':
      return {Key::kUp};
    case KEY_DOWN:
    case 'j':
      return {Key::kDown};
    case KEY_PPAGE:
      return {Key::kPageUp};
    case KEY_NPAGE:
      return {Key::kPageDown};
    case KEY_ENTER:
    case '\n':
    case '\r':
      return {Key::kEnter};
    case KEY_RESIZE:
      return {Key::kResize};
    default:
      return {Key::kOther, key > 0 && key < 128 ? static_cast<char>(key) : '\0'};
  }
}

std::string cut_to(const std::string& line, std::size_t columns) {
  const bool utf8 = has_utf8();
  std::string cut;
  std::mbstate_t state{};
  std::size_t used = 0;
  for (std::size_t at = 0; at < line.size();) {
    wchar_t character = L'?';
    std::size_t size = 1;
    if (utf8) {
      size = std::mbrtowc(&character, line.data() + at, line.size() - at, &state);
    }
    const bool is_known = size >= 1 && size <= line.size() - at;
    size = is_known ? size : 1;
    const bool is_ascii = (static_cast<unsigned char>(line[at]) & 0x80) == 0;
    const int wide = !utf8 || !is_known ? 1 : std::max(wcwidth(character), 0);
    used += static_cast<std::size_t>(wide);
    if (used > columns) {
      break;
    }
    const bool is_shown = is_ascii || (utf8 && is_known);
    cut += is_shown ? line.substr(at, size) : "?";
    at += size;
    state = is_known ? state : std::mbstate_t{};
  }
  return cut;
}

}  // namespace seep::cli
