// Leaks into C++ containers that only ever grow.
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/labelled/programs/program.h"

namespace {

std::string key_of(unsigned long number) {
  char text[40];
  std::snprintf(text, sizeof(text), "client-%08lu@example.org", number);
  return text;
}

struct Session {
  explicit Session(unsigned long number) : name(key_of(number)) {}
  std::string name;
  double figures[4] = {};
};

// --- standard containers

std::vector<double> g_samples;
NAMED void record_sample(double value) {
  g_samples.push_back(value);
  use(g_samples.data());
}
void vector_doubling(const moment* now) {
  record_sample(now->share);
}

std::vector<Session*> g_sessions;
NAMED void open_session(unsigned long number) {
  g_sessions.push_back(new Session(number));
}
void vector_of_pointers(const moment* now) {
  open_session(now->tick);
}

std::unordered_map<unsigned long, Session> g_by_number;
NAMED void register_session(unsigned long number) {
  g_by_number.try_emplace(number, number);
}
void hash_table(const moment* now) {
  register_session(now->tick);
}

std::map<std::string, unsigned long> g_by_name;
NAMED void name_client(unsigned long number) {
  g_by_name[key_of(number)] = number;
}
void ordered_map(const moment* now) {
  if (now->tick % 3 == 0) {
    name_client(now->tick);
  }
}

std::list<Session> g_finished;
NAMED void finish_session(unsigned long number) {
  g_finished.emplace_back(number);
}
void list_of_values(const moment* now) {
  if (now->tick % 2 == 0) {
    finish_session(now->tick);
  }
}

std::string g_log;
NAMED void write_log(unsigned long number) {
  g_log += key_of(number) + " connected\n";
}
void string_append(const moment* now) {
  write_log(now->tick);
}

std::deque<Session> g_queue;
NAMED void enqueue(unsigned long number) {
  g_queue.emplace_back(number);
}
// Twice as many are put in as taken out.
void queue_behind(const moment* now) {
  enqueue(now->tick);
  if (now->tick % 2 == 1) {
    g_queue.pop_front();
  }
}

std::set<std::string> g_agents;
NAMED void intern_agent(unsigned long number) {
  g_agents.insert("Mozilla/5.0 (compatible; build " + std::to_string(number) + ")");
}
void interned_strings(const moment* now) {
  intern_agent(now->tick / 2);
}

std::map<unsigned long, std::vector<std::string>> g_history;
NAMED void append_history(unsigned long user, unsigned long number) {
  g_history[user].push_back(key_of(number));
}
// A hundred users; what they did is kept.
void history_of_each(const moment* now) {
  append_history(random_below(100), now->tick);
}

struct Timer {
  double when;
  std::shared_ptr<Session> session;
  bool operator<(const Timer& other) const { return when > other.when; }
};
std::priority_queue<Timer> g_timers;
NAMED void set_timer(double when, unsigned long number) {
  g_timers.push({when, std::make_shared<Session>(number)});
}
// Time-outs of an hour, never cancelled when the session ends.
void timers(const moment* now) {
  set_timer(now->share + 3600, now->tick);
}

// --- objects

struct Peer {
  std::shared_ptr<Peer> other;
  char name[40];
};
NAMED void connect_peers() {
  const auto first = std::make_shared<Peer>();
  first->other = std::make_shared<Peer>();
  first->other->other = first;
}
void cycle(const moment* now) {
  if (now->tick % 3 == 0) {
    connect_peers();
  }
}

std::vector<std::function<void(int)>> g_listeners;
NAMED void subscribe(const std::shared_ptr<Session>& session) {
  g_listeners.emplace_back([session](int event) { use(session.get() + event); });
}
NAMED std::shared_ptr<Session> make_handler(unsigned long number) {
  return std::make_shared<Session>(number);
}
void listeners(const moment* now) {
  if (now->tick % 4 == 0) {
    subscribe(make_handler(now->tick));
  }
}

struct Shape {
  virtual ~Shape() = default;
  double box[4] = {};
};
struct Circle : Shape {
  double radius = 1;
};
NAMED Shape* make_shape() {
  Shape* shape = new Circle;
  use(shape);
  return shape;
}
// Removed from the screen, never deleted; the list of what is drawn is bounded.
void forgotten_delete(const moment* now) {
  static Shape* ring[1 << 16];
  ring[now->tick % (1 << 16)] = make_shape();
  use(ring);
}

struct Tree {
  std::unique_ptr<Tree> left;
  std::unique_ptr<Tree> right;
};
NAMED std::unique_ptr<Tree> build_tree(unsigned depth) {
  auto tree = std::make_unique<Tree>();
  if (depth > 0) {
    tree->left = build_tree(depth - 1);
    tree->right = build_tree(depth - 1);
  }
  return tree;
}
std::vector<std::unique_ptr<Tree>> g_documents;
NAMED void load_document() {
  g_documents.push_back(build_tree(4));
}
void trees(const moment* now) {
  if (now->tick % 10 == 0) {
    load_document();
  }
}

// One session in ten is never closed.
std::unordered_map<unsigned long, std::unique_ptr<Session>> g_open;
NAMED void accept_session(unsigned long number) {
  g_open[number] = std::make_unique<Session>(number);
}
void unclosed(const moment* now) {
  accept_session(now->tick);
  const unsigned long ended = now->tick - 20;
  if (now->tick >= 20 && ended % 10 != 0) {
    g_open.erase(ended);
  }
}

// What is configured at the start, and a statistic a request on top of it.
NAMED void load_configuration() {
  for (unsigned long i = 0; i < 3000; ++i) {
    g_by_name[key_of(i)] = i;
  }
}
NAMED void count_request(unsigned long number) {
  g_by_number.try_emplace(number, number);
}
void after_start_up(const moment* now) {
  if (now->tick == 0) {
    load_configuration();
  }
  if (now->tick % 5 == 0) {
    count_request(now->tick);
  }
}

// A cache that is cleared only when it hits, which it never does: the key has the time in it.
NAMED void cache_answer(unsigned long number) {
  g_by_name["/search?q=seep&time=" + std::to_string(number)] = number;
}
void keyed_by_time(const moment* now) {
  for (unsigned long i = 0; i < 3; ++i) {
    cache_answer(now->tick * 3 + i);
  }
}

// Filled and emptied, but for what an exception leaves behind.
std::vector<Session*> g_orphans;
NAMED void handle(unsigned long number) {
  std::unique_ptr<Session> session = std::make_unique<Session>(number);
  if (number % 29 == 0) {
    g_orphans.push_back(session.release());
    throw number;
  }
}
void exceptions(const moment* now) {
  for (unsigned long i = 0; i < 10; ++i) {
    try {
      handle(now->tick * 10 + i);
    } catch (unsigned long) {
    }
  }
}

}  // namespace

extern "C" const behaviour behaviours[] = {
    {"vector_doubling", vector_doubling},
    {"vector_of_pointers", vector_of_pointers},
    {"hash_table", hash_table},
    {"ordered_map", ordered_map},
    {"list_of_values", list_of_values},
    {"string_append", string_append},
    {"queue_behind", queue_behind},
    {"interned_strings", interned_strings},
    {"history_of_each", history_of_each},
    {"timers", timers},
    {"cycle", cycle},
    {"listeners", listeners},
    {"forgotten_delete", forgotten_delete},
    {"trees", trees},
    {"unclosed", unclosed},
    {"after_start_up", after_start_up},
    {"keyed_by_time", keyed_by_time},
    {"exceptions", exceptions},
    {nullptr, nullptr},
};
