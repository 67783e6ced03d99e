// Memory that comes and goes, and is no leak: sessions, queues, batches, cycles, fragmentation.
// Lives and periods are shares of the run.
#include <pthread.h>
#include <sys/mman.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/labelled/programs/program.h"

namespace {

struct Session {
  std::string name = std::string(60, 's');
  char state[100] = {};
};

using Open = std::multimap<double, std::unique_ptr<Session>>;  // by the time of their end

NAMED void open_session(Open& open, double until) {
  open.emplace(until, std::make_unique<Session>());
}

void close_ended(Open& open, double now) {
  open.erase(open.begin(), open.lower_bound(now));
}

void exponential_sessions(const moment* now) {
  static Open open;
  close_ended(open, now->share);
  open_session(open, now->share + random_exponential(parameter("life", 0.15)));
}

// Log-normal lives: most are brief, a few last for hours.
void heavy_tailed_sessions(const moment* now) {
  static Open open;
  close_ended(open, now->share);
  const double normal =
      std::sqrt(-2 * std::log(1 - random_share())) * std::cos(2 * M_PI * random_share());
  open_session(open, now->share + parameter("life", 0.02) * std::exp(1.8 * normal));
}

void sessions_with_time_out(const moment* now) {
  static Open open;
  close_ended(open, now->share);
  open_session(open, now->share + parameter("life", 0.3));
}

void sessions_of_any_length(const moment* now) {
  static Open open;
  close_ended(open, now->share);
  open_session(open, now->share + parameter("life", 0.8) * random_share());
}

// More and more at once; each is over in a moment.
void rising_load(const moment* now) {
  static Open open;
  close_ended(open, now->share);
  for (unsigned i = random_poisson(5 * now->share); i > 0; --i) {
    open_session(open, now->share + random_exponential(0.02));
  }
}

void daily_cycle(const moment* now) {
  static Open open;
  close_ended(open, now->share);
  const double load = 1 + std::sin(2 * M_PI * now->share / parameter("period", 0.3));
  for (unsigned i = random_poisson(2 * load); i > 0; --i) {
    open_session(open, now->share + random_exponential(0.03));
  }
}

// --- built up and released

NAMED void collect_row(std::vector<std::string>& rows, unsigned long number) {
  rows.push_back("row " + std::to_string(number) + std::string(80, '-'));
}

void sawtooth(const moment* now) {
  static std::vector<std::string> rows;
  collect_row(rows, now->tick);
  const double in_a_tooth = seconds_to_run() * ticks_a_second() / parameter("teeth", 6);
  if (static_cast<double>(rows.size()) >= in_a_tooth) {
    std::vector<std::string>().swap(rows);
  }
}

// Freed in bulk, one batch behind.
void deferred_frees(const moment* now) {
  static std::vector<std::string> filling;
  static std::vector<std::string> waiting;
  collect_row(filling, now->tick);
  const auto period =
      static_cast<unsigned long>(seconds_to_run() * ticks_a_second() * parameter("period", 0.12));
  if (now->tick % period == period - 1) {
    waiting = std::move(filling);
    filling = {};
  }
}

NAMED std::string render_frame() {
  return std::string(1000 + random_below(4000), 'f');
}

void double_buffering(const moment* now) {
  static std::string buffers[2];
  buffers[now->tick % 2] = render_frame();
}

NAMED void put_job(std::vector<std::unique_ptr<Session>>& queue) {
  queue.push_back(std::make_unique<Session>());
}

// A queue that is worked off in bursts.
void queue_in_bursts(const moment* now) {
  static std::vector<std::unique_ptr<Session>> queue;
  put_job(queue);
  if (random_share() < 0.02) {
    queue.resize(queue.size() - random_below(queue.size() + 1));
  }
  use(now);
}

// --- turnover

NAMED std::string* fragment(std::size_t bytes) {
  auto* text = new std::string(bytes, 'x');
  use(text);
  return text;
}

// Blocks of all sizes in random order: the heap is full of holes, the number stays.
void fragmentation(const moment*) {
  static std::vector<std::unique_ptr<std::string>> held(400);
  for (int i = 0; i < 20; ++i) {
    const auto bytes = static_cast<std::size_t>(std::exp(random_share() * 9));
    held[random_below(held.size())].reset(fragment(20 + bytes));
  }
}

NAMED void replace_value(std::map<unsigned long, std::string>& store, unsigned long key) {
  store[key] = std::string(50 + random_below(100), 'v');
}

// Full from the start; values are replaced.
void store_with_updates(const moment* now) {
  static std::map<unsigned long, std::string> store;
  const unsigned long keys = 500;
  if (now->tick == 0) {
    for (unsigned long key = 0; key < keys; ++key) {
      replace_value(store, key);
    }
  }
  replace_value(store, random_below(keys));
}

NAMED void* map_scratch() {
  void* scratch = mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  use(scratch);
  return scratch;
}

void maps_balanced(const moment* now) {
  static void* maps[8];
  void*& slot = maps[now->tick % 8];
  if (slot != nullptr) {
    munmap(slot, 65536);
  }
  slot = map_scratch();
}

NAMED void work_in_thread() {
  thread_local std::vector<std::string> scratch;
  for (int i = 0; i < 50; ++i) {
    scratch.emplace_back(100, 't');
  }
}

void* thread_main(void*) {
  work_in_thread();
  return nullptr;
}

// Each thread has a cache of its own, gone with it.
void threads(const moment* now) {
  if (now->tick % 4 != 0) {
    return;
  }
  pthread_t thread;
  if (pthread_create(&thread, nullptr, thread_main, nullptr) == 0) {
    pthread_join(thread, nullptr);
  }
}

}  // namespace

extern "C" const behaviour behaviours[] = {
    {"exponential_sessions", exponential_sessions},
    {"heavy_tailed_sessions", heavy_tailed_sessions},
    {"sessions_with_time_out", sessions_with_time_out},
    {"sessions_of_any_length", sessions_of_any_length},
    {"rising_load", rising_load},
    {"daily_cycle", daily_cycle},
    {"sawtooth", sawtooth},
    {"deferred_frees", deferred_frees},
    {"double_buffering", double_buffering},
    {"queue_in_bursts", queue_in_bursts},
    {"fragmentation", fragmentation},
    {"store_with_updates", store_with_updates},
    {"maps_balanced", maps_balanced},
    {"threads", threads},
    {nullptr, nullptr},
};
