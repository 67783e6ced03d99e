// Whole little services: worker threads, parsers, schedulers, with and without a leak.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "tests/labelled/programs/program.h"

namespace {

// --- worker threads that share a tick

class Workers {
 public:
  using Job = void (*)(unsigned worker, unsigned long tick);

  explicit Workers(Job job) {
    for (unsigned worker = 0; worker < 4; ++worker) {
      threads_.emplace_back([this, worker, job] { run(worker, job); });
    }
  }
  ~Workers() {
    stop_ = true;
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }
  void tick() { ++tick_; }

 private:
  void run(unsigned worker, Job job) {
    unsigned long done = 0;
    while (!stop_) {
      if (done == tick_) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      job(worker, done++);
    }
  }

  std::atomic<unsigned long> tick_ = 0;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

struct Node {
  std::string name;
  std::vector<std::unique_ptr<Node>> children;
};

NAMED std::unique_ptr<Node> parse(unsigned depth) {
  auto node = std::make_unique<Node>();
  node->name = std::string(20 + 7 * depth, 'n');
  for (unsigned i = 0; depth > 0 && i < 3; ++i) {
    node->children.push_back(parse(depth - 1));
  }
  return node;
}

std::mutex g_audit_mutex;
std::vector<const char*> g_audit;
NAMED void audit(unsigned worker) {
  char* line = new char[48];
  std::memset(line, 'a' + static_cast<int>(worker), 48);
  const std::lock_guard lock(g_audit_mutex);
  g_audit.push_back(line);
}

void serve(unsigned worker, unsigned long tick) {
  const auto document = parse(3);
  use(document.get());
  if (tick % 25 == worker) {
    audit(worker);
  }
}

// Four threads parse; one request in 25 leaves a line of 48 bytes.
void audited_workers(const moment*) {
  static Workers workers(serve);
  workers.tick();
}

void serve_cleanly(unsigned, unsigned long) {
  use(parse(3).get());
}

void clean_workers(const moment*) {
  static Workers workers(serve_cleanly);
  workers.tick();
}

// --- sessions that end, but for what they leave

struct Session {
  std::unique_ptr<char[]> buffer = std::make_unique<char[]>(512);
};

NAMED char* take_ticket() {
  char* ticket = static_cast<char*>(malloc(64));
  use(ticket);
  return ticket;
}

// Each session has a ticket, made by one function; those of one session in eight are forgotten.
void tickets(const moment* now) {
  static std::multimap<double, std::pair<Session, char*>> open;
  while (!open.empty() && open.begin()->first < now->share) {
    if (random_share() > 0.125) {
      free(open.begin()->second.second);
    }
    open.erase(open.begin());
  }
  open.emplace(now->share + random_exponential(0.03), std::pair(Session(), take_ticket()));
}

// --- logs

NAMED void append_line(std::vector<std::string>& lines, unsigned long number) {
  lines.push_back("line " + std::to_string(number) + std::string(40, ' '));
}

// When there are too many lines, the older half goes.
void halved_log(const moment* now) {
  static std::vector<std::string> lines;
  append_line(lines, now->tick);
  if (lines.size() > 150) {
    lines.erase(lines.begin(), lines.begin() + 75);
  }
}

// Trimmed as well, but the counters by line number are not.
NAMED void count_line(std::map<std::string, int>& seen, unsigned long number) {
  ++seen["at line number " + std::to_string(number)];
}
void counted_log(const moment* now) {
  static std::map<std::string, int> seen;
  halved_log(now);
  if (now->tick % 4 == 0) {
    count_line(seen, now->tick);
  }
}

// --- schedulers

struct Task {
  unsigned long due;
  std::string payload = std::string(100, 'p');
};

NAMED void schedule(std::list<Task>& tasks, unsigned long when) {
  tasks.push_back({when});
}

// What was unlinked is freed when all readers have passed, in one go.
void grace_periods(const moment* now) {
  static std::list<Task> retired;
  schedule(retired, now->tick);
  if (now->tick % 40 == 39) {
    retired.remove_if([&](const Task& task) { return task.due + 40 < now->tick; });
  }
}

NAMED std::shared_ptr<std::string> make_event(unsigned long number) {
  return std::make_shared<std::string>("event number " + std::to_string(number));
}

// Events are delivered, but those without a subscriber stay in the queue of their topic.
void topics(const moment* now) {
  static std::map<unsigned long, std::vector<std::shared_ptr<std::string>>> queues;
  const unsigned long topic = random_below(20);
  queues[topic].push_back(make_event(now->tick));
  if (topic != 7) {
    queues[topic].clear();
  }
}

// Retries with ever longer waits: a few tasks stay for long, none for ever.
void retries(const moment* now) {
  static std::multimap<double, Task> waiting;
  while (!waiting.empty() && waiting.begin()->first < now->share) {
    Task task = std::move(waiting.begin()->second);
    waiting.erase(waiting.begin());
    task.due *= 2;
    if (random_share() < 0.5 && task.due < 64) {
      waiting.emplace(now->share + 0.002 * static_cast<double>(task.due), std::move(task));
    }
  }
  waiting.emplace(now->share + 0.002, Task{1});
}

// --- statistics

NAMED void record(std::unordered_map<unsigned long, std::vector<float>>& series, unsigned long host,
                  float value, std::size_t most) {
  std::vector<float>& values = series[host];
  values.push_back(value);
  if (values.size() > most) {
    values.erase(values.begin());
  }
}

// Thirty hosts, the last hundred values of each.
void bounded_series(const moment* now) {
  static std::unordered_map<unsigned long, std::vector<float>> series;
  for (unsigned i = 0; i < 10; ++i) {
    record(series, random_below(30), static_cast<float>(now->share), 100);
  }
}

// The same without a bound: each vector doubles now and then.
void unbounded_series(const moment* now) {
  static std::unordered_map<unsigned long, std::vector<float>> series;
  for (unsigned i = 0; i < 10; ++i) {
    record(series, random_below(30), static_cast<float>(now->share), SIZE_MAX);
  }
}

// Open files of users who come and go during a day of three runs.
NAMED std::string* open_file() {
  auto* file = new std::string(300, 'f');
  use(file);
  return file;
}
void working_hours(const moment* now) {
  static std::vector<std::unique_ptr<std::string>> files;
  const double wanted = 150 + 100 * std::sin(2 * M_PI * (now->share / 0.45 + 0.6));
  while (static_cast<double>(files.size()) < wanted) {
    files.emplace_back(open_file());
  }
  while (static_cast<double>(files.size()) > wanted) {
    files.erase(files.begin() + static_cast<long>(random_below(files.size())));
  }
  files[random_below(files.size())].reset(open_file());
}

}  // namespace

extern "C" const behaviour behaviours[] = {
    {"audited_workers", audited_workers},
    {"clean_workers", clean_workers},
    {"tickets", tickets},
    {"halved_log", halved_log},
    {"counted_log", counted_log},
    {"grace_periods", grace_periods},
    {"topics", topics},
    {"retries", retries},
    {"bounded_series", bounded_series},
    {"unbounded_series", unbounded_series},
    {"working_hours", working_hours},
    {nullptr, nullptr},
};
