// Memory that grows for a while and is kept, and is no leak: caches, memo tables, pools, buffers,
// start-up. `fill` is the share of the run after which a cache is full; above 1 it never is.
#include <algorithm>
#include <cmath>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/labelled/programs/program.h"

namespace {

double all_ticks() {
  return seconds_to_run() * ticks_a_second();
}

std::string page(unsigned long number) {
  return "page " + std::to_string(number) + std::string(200, '.');
}

// --- caches

class LruCache {
 public:
  explicit LruCache(std::size_t most) : most_(most) {}

  NAMED void remember(unsigned long key) {
    if (const auto found = index_.find(key); found != index_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return;
    }
    order_.emplace_front(key, page(key));
    index_[key] = order_.begin();
    if (index_.size() > most_) {
      index_.erase(order_.back().first);
      order_.pop_back();
    }
  }

 private:
  std::size_t most_;
  std::list<std::pair<unsigned long, std::string>> order_;
  std::unordered_map<unsigned long, decltype(order_)::iterator> index_;
};

// New keys all the time: full after `fill` of the run.
void lru(const moment* now) {
  static LruCache cache(static_cast<std::size_t>(all_ticks() * parameter("fill", 0.3)));
  cache.remember(now->tick);
}

// Zipf-like keys: most requests hit.
void lru_of_popular_keys(const moment*) {
  static LruCache cache(static_cast<std::size_t>(parameter("most", 150)));
  for (int i = 0; i < 5; ++i) {
    cache.remember(static_cast<unsigned long>(std::exp(random_share() * 8)));
  }
}

NAMED void replace_page(std::vector<std::string>& slots, unsigned long number) {
  slots[random_below(slots.size())] = page(number);
}

// A table of slots: a new page overwrites any of them.
void random_replacement(const moment* now) {
  static std::vector<std::string> slots(
      static_cast<std::size_t>(all_ticks() * parameter("fill", 0.2)));
  replace_page(slots, now->tick);
}

NAMED void answer_and_remember(std::map<unsigned long, std::string>& memo, unsigned long key) {
  const auto found = memo.find(key);
  if (found == memo.end()) {
    memo.emplace(key, page(key));
  }
}

// `asked` requests a key over the run, each for any of the keys.
void memo_of_even_keys(const moment*) {
  static std::map<unsigned long, std::string> memo;
  const int at_once = 4;
  const double keys = all_ticks() * at_once / parameter("asked", 3);
  for (int i = 0; i < at_once; ++i) {
    answer_and_remember(memo, random_below(static_cast<unsigned long>(keys)));
  }
}

void memo_of_zipf_keys(const moment*) {
  static std::map<unsigned long, std::string> memo;
  for (int i = 0; i < 4; ++i) {
    answer_and_remember(memo, static_cast<unsigned long>(std::exp(random_share() * 7)));
  }
}

NAMED void fill_hash_memo(std::unordered_map<unsigned long, double>& memo, unsigned long key) {
  memo.emplace(key, std::sqrt(static_cast<double>(key)));
}

// The table of buckets doubles while it fills.
void hash_memo(const moment*) {
  static std::unordered_map<unsigned long, double> memo;
  const int at_once = 4;
  const double keys = all_ticks() * at_once / parameter("asked", 3);
  for (int i = 0; i < at_once; ++i) {
    fill_hash_memo(memo, random_below(static_cast<unsigned long>(keys)));
  }
}

NAMED void remember_until_full(std::vector<std::unique_ptr<std::string>>& kept,
                               unsigned long number) {
  kept.push_back(std::make_unique<std::string>(page(number)));
}

// Stops taking when it is full.
void bounded_index(const moment* now) {
  static std::vector<std::unique_ptr<std::string>> kept;
  if (static_cast<double>(kept.size()) < all_ticks() * parameter("fill", 0.5)) {
    remember_until_full(kept, now->tick);
  }
}

NAMED void log_line(std::deque<std::string>& ring, unsigned long number, std::size_t most) {
  ring.push_back(page(number));
  if (ring.size() > most) {
    ring.pop_front();
  }
}

void ring_of_lines(const moment* now) {
  static std::deque<std::string> ring;
  log_line(ring, now->tick, static_cast<std::size_t>(all_ticks() * parameter("fill", 0.6)));
}

// Entries expire after `life` of the run.
NAMED void put_with_expiry(std::map<double, std::string>& cache, double until) {
  cache[until] = page(1);
}
void expiring(const moment* now) {
  static std::map<double, std::string> cache;
  cache.erase(cache.begin(), cache.lower_bound(now->share));
  put_with_expiry(cache, now->share + parameter("life", 0.4));
}

// --- pools

struct Connection {
  std::vector<char> buffer = std::vector<char>(2048);
};

NAMED void add_connection(std::vector<std::unique_ptr<Connection>>& pool) {
  pool.push_back(std::make_unique<Connection>());
}

// As many as were ever wanted at once; the load comes up over `warm` of the run.
void pool(const moment* now) {
  static std::vector<std::unique_ptr<Connection>> connections;
  const double load = std::min(1.0, now->share / parameter("warm", 0.15));
  const unsigned wanted = random_poisson(parameter("load", 60) * load);
  while (connections.size() < wanted) {
    add_connection(connections);
  }
}

NAMED void refill(std::vector<std::unique_ptr<char[]>>& chunks) {
  chunks.push_back(std::make_unique<char[]>(16384));
}

// Chunks of objects, taken and given back; a chunk more when all are in use.
void chunked_pool(const moment* now) {
  static std::vector<std::unique_ptr<char[]>> chunks;
  const double in_use = 200 * (1 - std::exp(-8 * now->share)) + random_poisson(20);
  while (static_cast<double>(chunks.size()) * 16 < in_use) {
    refill(chunks);
  }
}

// Each buffer of a pool is as large as the largest message it ever held.
NAMED void receive(std::string& buffer, std::size_t bytes) {
  buffer.resize(bytes);
  use(buffer.data());
}
void buffers_of_largest_message(const moment*) {
  static std::vector<std::string> buffers(6);
  const auto bytes = static_cast<std::size_t>(100 + random_exponential(800));
  receive(buffers[random_below(buffers.size())], bytes);
}

NAMED void append_until_flushed(std::string& text, unsigned long number) {
  text += page(number);
}
// A buffer grows to what it takes between two flushes, and keeps its capacity.
void flushed_buffer(const moment* now) {
  static std::string text;
  append_until_flushed(text, now->tick);
  if (text.size() > 60000) {
    text.clear();
  }
}

NAMED char* arena_refill() {
  char* chunk = new char[8192];
  use(chunk);
  return chunk;
}
// All chunks are freed at the end of each request.
void arena_of_a_request(const moment* now) {
  static std::vector<std::unique_ptr<char[]>> chunks;
  if (now->tick % 25 == 0) {
    chunks.clear();
  }
  chunks.emplace_back(arena_refill());
}

// --- start-up

NAMED void load_module(std::vector<std::string>& modules, unsigned long number) {
  modules.push_back(page(number));
}
void start_up(const moment* now) {
  static std::vector<std::string> modules;
  if (now->share < 0.1) {
    for (unsigned long i = 0; i < 20; ++i) {
      load_module(modules, now->tick);
    }
  }
}

NAMED void set_up_part(std::map<unsigned long, std::string>& parts, unsigned long part) {
  parts[part] = page(part);
}
// Each part is set up when it is first needed, the rare ones late.
void lazy_start_up(const moment*) {
  static std::map<unsigned long, std::string> parts;
  const auto part = static_cast<unsigned long>(random_exponential(parameter("parts", 30)));
  if (parts.find(part) == parts.end()) {
    set_up_part(parts, part);
  }
}

NAMED void build_table(std::vector<double>& table, std::size_t size) {
  table.resize(size);
  use(table.data());
}
// Built once, in the middle of the run.
void built_late(const moment* now) {
  static std::vector<std::vector<double>> tables(200);
  if (now->share >= 0.5 && now->tick % 2 == 0 && tables.back().empty()) {
    for (auto& table : tables) {
      build_table(table, 100);
    }
  }
}

}  // namespace

extern "C" const behaviour behaviours[] = {
    {"lru", lru},
    {"lru_of_popular_keys", lru_of_popular_keys},
    {"random_replacement", random_replacement},
    {"memo_of_even_keys", memo_of_even_keys},
    {"memo_of_zipf_keys", memo_of_zipf_keys},
    {"hash_memo", hash_memo},
    {"bounded_index", bounded_index},
    {"ring_of_lines", ring_of_lines},
    {"expiring", expiring},
    {"pool", pool},
    {"chunked_pool", chunked_pool},
    {"buffers_of_largest_message", buffers_of_largest_message},
    {"flushed_buffer", flushed_buffer},
    {"arena_of_a_request", arena_of_a_request},
    {"start_up", start_up},
    {"lazy_start_up", lazy_start_up},
    {"built_late", built_late},
    {nullptr, nullptr},
};
