// seep top PID: what grows in a running process, again and again.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "analyzer/model/printable.h"
#include "cli/analysis.h"
#include "cli/ask.h"
#include "cli/client/control_file.h"
#include "cli/client/tracked_process.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/top/screen.h"
#include "cli/top/view.h"

namespace seep::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr std::uint64_t kIntervalMs = 2000;
constexpr std::uint64_t kLeastIntervalMs = 50;
constexpr unsigned kTextRows = 20;
constexpr std::uint64_t kRequestWaitMs = 2000;
constexpr std::uint64_t kScanWaitMs = 10000;

struct Options {
  pid_t pid = 0;
  std::uint64_t interval_ms = kIntervalMs;
  std::optional<unsigned> count;  // refreshes; none: until the process ends
  std::string order = kTopOrders[0];
  std::optional<unsigned> rows;
  bool json = false;
  symbolize::Options symbols;
};

TopOrder order_of(const std::string& name) {
  const auto* const found = std::find(std::begin(kTopOrders), std::end(kTopOrders), name);
  return static_cast<TopOrder>(found - std::begin(kTopOrders));
}

// The second field of statm; 0 when the process is gone.
std::uint64_t resident_bytes(pid_t pid) {
  std::ifstream statm(fmt::format("/proc/{}/statm", pid));
  std::uint64_t whole = 0;
  std::uint64_t resident = 0;
  statm >> whole >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

// ---- what is watched ----------------------------------------------------------------------------

class Watch {
 public:
  explicit Watch(const Options& options) : options_(options) {
    view_.pid = options.pid;
    view_.order = order_of(options.order);
  }

  // What stands in the way, if anything: the first time that it cannot be watched, later that it
  // has ended.
  std::optional<Error> refresh();
  [[nodiscard]] TopView& view() { return view_; }
  // Why the last snapshot could not be read; empty when it could.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  void order_by(TopOrder order) {
    view_.order = order;
    sort_rows(view_.rows, order);
  }

 private:
  void read_rows(const client::TrackedProcess& process);

  const Options& options_;
  TopView view_;
  std::string trouble_;
  std::string recording_;          // that the rows are of
  std::uint32_t snapshot_ = 0;     // the last one that they are of
  std::uint64_t start_ticks_ = 0;  // tells the process from a later one with its number
};

std::optional<Error> Watch::refresh() {
  const Result<client::TrackedProcess> process = client::find_tracked(options_.pid);
  if (!process) {
    return process.error();
  }
  const format::ControlPage& page = process->page;
  if (start_ticks_ != 0 && page.start_ticks != start_ticks_) {
    return Error{ErrorKind::kBadInput, {}, {}, {}, "another process has its number", {}};
  }
  start_ticks_ = page.start_ticks;
  view_.name = process->name;
  view_.state = client::name_of(static_cast<format::AgentState>(page.state));
  view_.rss_bytes = resident_bytes(options_.pid);
  view_.live_bytes = page.live_bytes;
  view_.live_blocks = page.live_blocks;
  view_.snapshot = page.last_sequence;
  if (page.last_sequence != 0 &&
      (process->recording != recording_ || page.last_sequence != snapshot_)) {
    read_rows(*process);
  }
  return std::nullopt;
}

// A snapshot may be removed while it is read: then the rows of before stay.
void Watch::read_rows(const client::TrackedProcess& process) {
  Analysis analysis;
  analysis.paths = {process.recording};
  analysis.symbols = options_.symbols;
  Progress silent(Progress::Kind::kSilent);
  const Result<model::Report> report = analyze(analysis, silent);
  if (!report) {
    trouble_ = report.error().message();
    view_.message = trouble_;
    return;
  }
  if (view_.message == trouble_) {
    view_.message.clear();
  }
  trouble_.clear();
  recording_ = process.recording;
  snapshot_ = process.page.last_sequence;
  view_.rows = rows_of(*report);
  sort_rows(view_.rows, view_.order);
}

// That it has ended is no trouble: it was watched to its end.
int say_end(const TopView& view) {
  std::fflush(stdout);
  fmt::print(stderr, "seep: process {} ({}) has ended or is tracked no more\n", view.pid,
             model::printable(view.name));
  return kDone;
}

// ---- lines --------------------------------------------------------------------------------------

void print_lines(const TopView& view, const Options& options) {
  const unsigned wanted = options.rows.value_or(kTextRows);
  const std::size_t most = wanted == 0 ? view.rows.size() : wanted;
  if (options.json) {
    fmt::print("{}\n", to_json(view, most));
  } else {
    for (const std::string& line : header_lines(view)) {
      fmt::print("{}\n", line);
    }
    fmt::print("{}\n", column_line(view.order));
    for (std::size_t i = 0; i < std::min(most, view.rows.size()); ++i) {
      fmt::print("{}\n", row_line(view.rows[i]));
    }
    fmt::print("\n");
  }
  std::fflush(stdout);
}

// Once, until it is another one.
void say_trouble(const std::string& trouble, std::string& said) {
  if (trouble != said && !trouble.empty()) {
    fmt::print(stderr, "{}\n", trouble);
  }
  said = trouble;
}

int watch_in_lines(const Options& options, Watch& watch) {
  std::string said;
  for (unsigned shown = 1;; ++shown) {
    print_lines(watch.view(), options);
    say_trouble(watch.trouble(), said);
    if (options.count && shown >= *options.count) {
      return kDone;
    }
    std::this_thread::sleep_for(Milliseconds(options.interval_ms));
    if (watch.refresh()) {
      return say_end(watch.view());
    }
  }
}

// ---- the terminal -------------------------------------------------------------------------------

volatile std::sig_atomic_t g_signal = 0;

// Signals that end the program let it give the terminal back first. Before the screen is made:
// ncurses leaves handlers of others in place.
class EndingSignals {
 public:
  EndingSignals() {
    struct sigaction action {};
    action.sa_handler = [](int signal) { g_signal = signal; };
    for (std::size_t i = 0; i < std::size(kSignals); ++i) {
      sigaction(kSignals[i], &action, &before_[i]);
    }
  }
  ~EndingSignals() {
    for (std::size_t i = 0; i < std::size(kSignals); ++i) {
      sigaction(kSignals[i], &before_[i], nullptr);
    }
    if (g_signal != 0) {
      raise(g_signal);
    }
  }
  EndingSignals(const EndingSignals&) = delete;
  EndingSignals& operator=(const EndingSignals&) = delete;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  struct sigaction before_[std::size(kSignals)]{};
};

class Terminal {
 public:
  Terminal(const Options& options, Watch& watch, Screen& screen)
      : options_(options), watch_(watch), screen_(screen) {}
  // Until the user ends it, or a signal; or the process: true.
  bool run();

 private:
  void draw();
  bool take_key(const Pressed& pressed);
  bool take_letter(char letter);
  void order_by(TopOrder order);
  void request(format::RequestKind kind, const std::string& doing, std::uint64_t wait_ms);

  const Options& options_;
  Watch& watch_;
  Screen& screen_;
  TopCursor cursor_;
  bool shows_stack_ = false;
};

bool Terminal::run() {
  constexpr Milliseconds kLongestWait{200};
  unsigned shown = 1;
  Clock::time_point next = Clock::now() + Milliseconds(options_.interval_ms);
  while (g_signal == 0 && !(options_.count && shown > *options_.count)) {
    draw();
    const auto left = std::chrono::duration_cast<Milliseconds>(next - Clock::now());
    const auto wait = std::clamp(left, Milliseconds(1), kLongestWait);
    if (!take_key(screen_.wait_for_key(static_cast<int>(wait.count())))) {
      return false;
    }
    if (Clock::now() >= next) {
      if (watch_.refresh()) {
        return true;
      }
      ++shown;
      next = Clock::now() + Milliseconds(options_.interval_ms);
    }
  }
  return false;
}

void Terminal::draw() {
  const TopScreen text = screen_of(watch_.view(), cursor_, shows_stack_, screen_.height());
  screen_.draw({text.lines, text.highlighted});
}

// False: the user has seen enough.
bool Terminal::take_key(const Pressed& pressed) {
  const std::vector<TopRow>& rows = watch_.view().rows;
  constexpr long kPage = 10;
  switch (pressed.key) {
    case Key::kUp:
      cursor_.move(rows, -1);
      return true;
    case Key::kDown:
      cursor_.move(rows, 1);
      return true;
    case Key::kPageUp:
      cursor_.move(rows, -kPage);
      return true;
    case Key::kPageDown:
      cursor_.move(rows, kPage);
      return true;
    case Key::kEnter:
      shows_stack_ = !shows_stack_;
      return true;
    case Key::kOther:
      return take_letter(pressed.character);
    case Key::kGone:
      return false;
    case Key::kNone:
    case Key::kResize:
      return true;
  }
  return true;
}

bool Terminal::take_letter(char letter) {
  switch (letter) {
    case 'g':
      order_by(TopOrder::kGrowth);
      return true;
    case 'l':
      order_by(TopOrder::kLive);
      return true;
    case 'a':
      order_by(TopOrder::kAge);
      return true;
    case 's':
      request(format::RequestKind::kSnapshot, "taking a snapshot", kRequestWaitMs);
      return true;
    case 'm':
      request(format::RequestKind::kMark, "marking the moment", kRequestWaitMs);
      return true;
    case 'c':
      request(format::RequestKind::kScan, "looking for unreachable memory", kScanWaitMs);
      return true;
    default:
      return letter != 'q';
  }
}

void Terminal::order_by(TopOrder order) {
  watch_.order_by(order);
  watch_.view().message.clear();
}

void Terminal::request(format::RequestKind kind, const std::string& doing, std::uint64_t wait_ms) {
  watch_.view().message = doing + " ...";
  draw();
  client::Request request;
  request.kind = kind;
  request.label = kind == format::RequestKind::kMark ? "seep top" : "";
  const Result<Served> served = ask({options_.pid, wait_ms}, request);
  watch_.view().message = served ? served->file : served.error().message();
}

enum class TerminalEnd { kNone, kByUser, kByProcess };  // kNone: it cannot be drawn on

TerminalEnd run_on_terminal(const Options& options, Watch& watch) {
  const EndingSignals signals;
  Screen screen;
  if (!screen.is_open()) {
    return TerminalEnd::kNone;
  }
  return Terminal(options, watch, screen).run() ? TerminalEnd::kByProcess : TerminalEnd::kByUser;
}

int watch_on_terminal(const Options& options, Watch& watch) {
  switch (run_on_terminal(options, watch)) {
    case TerminalEnd::kNone:
      return watch_in_lines(options, watch);
    case TerminalEnd::kByProcess:
      return say_end(watch.view());
    case TerminalEnd::kByUser:
      break;
  }
  return kDone;
}

int top_verb(Options& options) {
  options.interval_ms = std::max(options.interval_ms, kLeastIntervalMs);
  Watch watch(options);
  if (const auto error = watch.refresh()) {
    return fail(*error);
  }
  const bool in_lines = options.json || isatty(STDOUT_FILENO) != 1;
  return in_lines ? watch_in_lines(options, watch) : watch_on_terminal(options, watch);
}

}  // namespace

Action describe_top(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.option("PID", options->pid, "The process, as `seep status` shows it")
      .required()
      .positive();
  add_duration(arguments, "--interval", options->interval_ms,
               "Look again after TIME (default 2 s)");
  arguments.option("--count", options->count, "End after N looks")
      .placeholder("N")
      .between(1, 1000000);
  arguments.option("--sort", options->order, "Order rows by growth, live or age (default growth)")
      .placeholder("WORD")
      .one_of({kTopOrders[0], kTopOrders[1], kTopOrders[2]});
  arguments.option("--rows", options->rows, "Most rows in lines (default 20; 0: all)")
      .placeholder("N")
      .not_negative();
  arguments.flag("--json", options->json, "One JSON object in a line for each look (seep.top/1)");
  add_symbols(arguments, options->symbols);
  arguments.footer(
      "On a terminal the view stays: arrows choose a row, Enter shows its stack, g, l and a order "
      "by "
      "growth,\nlive bytes and age, s takes a snapshot, m one with a mark, c scans for unreachable "
      "memory, q ends.\nElsewhere each look is some lines. What is shown is that of the last "
      "snapshot: looking takes none.");
  return [options](const auto&) { return top_verb(*options); };
}

}  // namespace seep::cli
