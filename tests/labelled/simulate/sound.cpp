#include "tests/labelled/simulate/sound.h"

#include <functional>
#include <queue>

#include "tests/labelled/simulate/draw.h"

namespace seep::labelled {
namespace {

using Blocks = std::vector<rank::Block>;
using Life = std::function<double()>;

// About this many alive once a population is steady.
double draw_alive(Random& random) {
  return log_uniform(random, 12, 2000);
}

// Blocks that come at random and live as `life` draws, `mean` on average: from an empty start, or
// with those that were there before the recording began.
Blocks population(Random& random, double mean, const Life& life, bool from_zero) {
  const double rate = draw_alive(random) / mean;
  const double from = from_zero ? 0 : -4 * mean;
  const double count = std::min(rate * (1 - from), 40000.0);
  Blocks blocks = living_blocks(arrivals(random, count, from, 1), draw_size(random), life);
  std::erase_if(blocks, [](const rank::Block& block) { return block.died_s <= 0; });
  return blocks;
}

Blocks sessions(Random& random) {
  const double mean = log_uniform(random, 0.02, 2);
  return population(
      random, mean, [&] { return exponential(random, mean); }, true);
}

Blocks sessions_from_before(Random& random) {
  const double mean = log_uniform(random, 0.02, 1);
  return population(
      random, mean, [&] { return exponential(random, mean); }, false);
}

Blocks lives_up_to(Random& random) {
  const double longest = uniform(random, 0.1, 2);
  return population(
      random, longest / 2, [&] { return uniform(random, 0.05 * longest, longest); }, true);
}

Blocks heavy_tails(Random& random) {
  const double middle = log_uniform(random, 0.01, 0.5);
  const double sigma = uniform(random, 1, 2);
  std::normal_distribution<double> normal;
  return population(
      random, middle * std::exp(sigma), [&] { return middle * std::exp(sigma * normal(random)); },
      true);
}

Blocks time_outs(Random& random) {
  const double life = uniform(random, 0.05, 0.9);
  return population(
      random, life, [&] { return life * uniform(random, 0.98, 1.02); }, true);
}

// Requests ask for one of the keys at random; the answers are kept.
Blocks memo(Random& random, double exponent) {
  const auto keys = static_cast<std::size_t>(log_uniform(random, 60, 4000));
  const double requests = static_cast<double>(keys) * log_uniform(random, 0.8, 8);
  std::vector<double> weight(keys);
  for (std::size_t i = 0; i < keys; ++i) {
    weight[i] = std::pow(static_cast<double>(i + 1), -exponent);
  }
  std::discrete_distribution<std::size_t> key(weight.begin(), weight.end());
  std::vector<bool> known(keys);
  std::vector<double> times;
  for (const double t : arrivals(random, requests, 0, 1)) {
    const std::size_t asked = key(random);
    if (!known[asked]) {
      times.push_back(t);
    }
    known[asked] = true;
  }
  return kept_blocks(times, draw_size(random));
}

Blocks memo_of_even_keys(Random& random) {
  return memo(random, 0);
}

// A few keys are asked for often, most seldom.
Blocks memo_of_zipf_keys(Random& random) {
  return memo(random, uniform(random, 0.6, 1.2));
}

Blocks capped(Random& random, double full, bool oldest_first) {
  const auto cap = static_cast<std::size_t>(log_uniform(random, 30, 1500));
  const std::vector<double> times = arrivals(random, static_cast<double>(cap) / full, 0, 1);
  Blocks blocks = kept_blocks(times, draw_size(random));
  std::vector<std::size_t> held;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (held.size() == cap) {
      const auto victim =
          oldest_first ? i % cap : std::uniform_int_distribution<std::size_t>(0, cap - 1)(random);
      blocks[held[victim]].died_s = blocks[i].born_s;
      held[victim] = i;
    } else {
      held.push_back(i);
    }
  }
  return blocks;
}

Blocks cache_that_fills(Random& random) {
  return capped(random, uniform(random, 0.05, 0.9), true);
}

Blocks cache_that_evicts_at_random(Random& random) {
  return capped(random, uniform(random, 0.05, 0.9), false);
}

Blocks cache_that_stops(Random& random) {
  const double full = uniform(random, 0.05, 0.9);
  return kept_blocks(arrivals(random, log_uniform(random, 30, 2000), 0, full), draw_size(random));
}

// Grows whenever more is wanted at once than ever before; gives nothing back.
Blocks pool(Random& random) {
  std::poisson_distribution<int> wanted(log_uniform(random, 5, 500));
  const double warm_up = log_uniform(random, 0.01, 0.5);
  const double moments = log_uniform(random, 20, 2000);
  std::vector<double> times;
  for (double t = 0; t < 1; t += 1 / moments) {
    const double share = std::min(1.0, t / warm_up);
    const auto in_use = static_cast<std::size_t>(wanted(random) * share);
    times.resize(std::max(times.size(), in_use), t);
  }
  return kept_blocks(times, draw_size(random));
}

// Built up and released as a whole.
Blocks teeth(Random& random) {
  const double period = 1 / uniform(random, 2.2, 20);
  const double count = log_uniform(random, 20, 300) / period;
  Blocks blocks = kept_blocks(arrivals(random, count, 0, 1), draw_size(random));
  for (rank::Block& block : blocks) {
    block.died_s = (std::floor(block.born_s / period) + 1) * period;
  }
  return blocks;
}

// Each batch is freed one or two batches later.
Blocks deferred_frees(Random& random) {
  const double period = uniform(random, 0.05, 0.3);
  const double behind = chance(random, 0.5) ? 2 : 3;
  Blocks blocks =
      kept_blocks(arrivals(random, log_uniform(random, 50, 3000), 0, 1), draw_size(random));
  for (rank::Block& block : blocks) {
    block.died_s = (std::floor(block.born_s / period) + behind) * period;
  }
  return blocks;
}

Blocks start_up(Random& random) {
  const double until = log_uniform(random, 0.005, 0.3);
  return kept_blocks(arrivals(random, log_uniform(random, 5, 2000), 0, until), draw_size(random));
}

// Each part of a program is set up when it is first needed.
Blocks lazy_start_up(Random& random) {
  const double scale = log_uniform(random, 0.03, 0.5);
  std::vector<double> times;
  const auto parts = static_cast<int>(log_uniform(random, 15, 500));
  for (int i = 0; i < parts; ++i) {
    times.push_back(exponential(random, scale));
  }
  std::erase_if(times, [](double t) { return t >= 1; });
  return kept_blocks(times, draw_size(random));
}

// More and more at once, none kept.
Blocks rising_load(Random& random) {
  const double life = log_uniform(random, 0.001, 0.05);
  const double count = log_uniform(random, 200, 20000);
  return living_blocks(arrivals(random, count, 0, 1, [](double t) { return 0.2 + 0.8 * t; }),
                       draw_size(random), [&] { return exponential(random, life); });
}

// What is open follows a load that comes and goes.
Blocks daily_cycle(Random& random) {
  const double period = uniform(random, 0.1, 2);
  const double phase = uniform(random, 0, 1);
  const double life = uniform(random, 0.02, 0.3) * period;
  return living_blocks(
      arrivals(random, log_uniform(random, 200, 20000), 0, 1,
               [&](double t) { return (1 + std::sin(2 * M_PI * (t / period + phase))) / 2; }),
      draw_size(random), [&] { return exponential(random, life); });
}

// Work piles up for a while and is worked off, again and again: no level is kept.
Blocks backlog(Random& random) {
  const double period = uniform(random, 0.15, 0.45);
  const double quick = log_uniform(random, 0.0005, 0.01);
  return living_blocks_at(arrivals(random, log_uniform(random, 100, 5000), 0, 1), draw_size(random),
                          [&](double t) {
                            const double phase = t / period - std::floor(t / period);
                            return phase < 0.6 ? (0.6 - phase) * period + quick : quick;
                          });
}

// What a request takes is given back when the next but so many is done.
Blocks lag_of_requests(Random& random) {
  const auto behind = static_cast<std::size_t>(log_uniform(random, 3, 300));
  const std::vector<double> times = arrivals(random, log_uniform(random, 500, 5000), 0, 1);
  Blocks blocks = kept_blocks(times, draw_size(random));
  for (std::size_t i = behind; i < blocks.size(); ++i) {
    blocks[i - behind].died_s = times[i];
  }
  return blocks;
}

// A buffer for each of some users, as large as the largest message of theirs.
Blocks largest_messages(Random& random) {
  const auto users = static_cast<std::size_t>(log_uniform(random, 1, 200));
  std::vector<double> largest(users);
  std::vector<std::size_t> current(users);
  Blocks blocks;
  for (const double t : arrivals(random, log_uniform(random, 200, 5000), 0, 1)) {
    const auto user = std::uniform_int_distribution<std::size_t>(0, users - 1)(random);
    const double bytes = 100 + exponential(random, 1000);
    if (bytes <= largest[user]) {
      continue;
    }
    if (largest[user] > 0) {
      blocks[current[user]].died_s = t;
    }
    largest[user] = bytes;
    current[user] = blocks.size();
    blocks.push_back({t, rank::kForever, static_cast<std::uint64_t>(bytes)});
  }
  return blocks;
}

Blocks container_that_is_filled_once(Random& random) {
  const double until = uniform(random, 0.02, 0.4);
  const double count = log_uniform(random, 100, 100000);
  return container(2, log_uniform(random, 4, 256),
                   [&](double t) { return count * std::min(1.0, t / until); });
}

// The table of buckets behind a memo.
Blocks buckets_of_a_memo(Random& random) {
  const double keys = log_uniform(random, 60, 20000);
  const double requests_a_key = log_uniform(random, 1, 8);
  return container(2, 8, [&](double t) { return keys * (1 - std::exp(-requests_a_key * t)); });
}

Blocks two_buffers(Random& random) {
  const double period = log_uniform(random, 0.001, 0.2);
  Blocks blocks;
  for (double t = 0; t < 1; t += period) {
    const auto bytes = static_cast<std::uint64_t>(log_uniform(random, 1000, 4000));
    blocks.push_back({t, t + 2 * period, bytes});
  }
  return blocks;
}

Blocks full_only_after_the_run(Random& random) {
  return capped(random, uniform(random, 1.05, 2), true);
}

Blocks time_outs_after_the_run(Random& random) {
  const double life = uniform(random, 1.0, 2);
  return population(
      random, life, [&] { return life; }, true);
}

constexpr Family kSound[] = {
    {"sessions", Truth::kNone, sessions},
    {"sessions from before", Truth::kNone, sessions_from_before},
    {"lives up to", Truth::kNone, lives_up_to},
    {"heavy tails", Truth::kNone, heavy_tails},
    {"time-outs", Truth::kNone, time_outs},
    {"memo of even keys", Truth::kNone, memo_of_even_keys},
    {"memo of Zipf keys", Truth::kNone, memo_of_zipf_keys},
    {"cache that fills", Truth::kNone, cache_that_fills},
    {"cache that evicts at random", Truth::kNone, cache_that_evicts_at_random},
    {"cache that stops", Truth::kNone, cache_that_stops},
    {"pool", Truth::kNone, pool},
    {"teeth", Truth::kNone, teeth},
    {"deferred frees", Truth::kNone, deferred_frees},
    {"start-up", Truth::kNone, start_up},
    {"lazy start-up", Truth::kNone, lazy_start_up},
    {"rising load", Truth::kNone, rising_load},
    {"daily cycle", Truth::kNone, daily_cycle},
    {"backlog", Truth::kNone, backlog},
    {"lag of requests", Truth::kNone, lag_of_requests},
    {"largest messages", Truth::kNone, largest_messages},
    {"container filled once", Truth::kNone, container_that_is_filled_once},
    {"buckets of a memo", Truth::kNone, buckets_of_a_memo},
    {"two buffers", Truth::kNone, two_buffers},
    {"full only after the run", Truth::kUndecidable, full_only_after_the_run},
    {"time-outs after the run", Truth::kUndecidable, time_outs_after_the_run},
};

}  // namespace

std::span<const Family> sound_families() {
  return kSound;
}

}  // namespace seep::labelled
