#include "tests/labelled/simulate/leaks.h"

#include <array>

#include "tests/labelled/simulate/draw.h"

namespace seep::labelled {
namespace {

using Blocks = std::vector<rank::Block>;

double draw_count(Random& random) {
  return log_uniform(random, 12, 5000);
}

Blocks evenly(Random& random) {
  const double count = draw_count(random);
  std::vector<double> times;
  for (double t = uniform(random, 0, 1 / count); t < 1; t += 1 / count) {
    times.push_back(t);
  }
  return kept_blocks(times, draw_size(random));
}

Blocks at_random(Random& random) {
  return kept_blocks(arrivals(random, draw_count(random), 0, 1), draw_size(random));
}

// Most of what the site makes is freed within a moment.
Blocks among_turnover(Random& random) {
  const double count = log_uniform(random, 12, 500);
  const std::uint64_t bytes = draw_size(random);
  Blocks blocks = kept_blocks(arrivals(random, count, 0, 1), bytes);
  const double life = log_uniform(random, 1e-5, 0.02);
  const double others = std::min(count * log_uniform(random, 1, 1000), 20000.0);
  append(blocks, living_blocks(arrivals(random, others, 0, 1), bytes,
                               [&] { return exponential(random, life); }));
  return blocks;
}

// The same, and how much is freed at once changes in the middle: a busier machine, another kind of
// request.
Blocks among_changing_turnover(Random& random) {
  const double count = log_uniform(random, 100, 1000);
  const std::uint64_t bytes = draw_size(random);
  Blocks blocks = kept_blocks(arrivals(random, count, 0, 1), bytes);
  const double others = count * log_uniform(random, 0.3, 8);
  const double change = uniform(random, 0.3, 0.7);
  const double after = chance(random, 0.5) ? 0.05 : 8;
  const double most = std::max(1.0, after);
  append(blocks, living_blocks(arrivals(random, others * most, 0, 1,
                                        [&](double t) { return (t < change ? 1 : after) / most; }),
                               bytes, [&] { return exponential(random, 1e-6); }));
  return blocks;
}

Blocks late(Random& random) {
  const std::uint64_t bytes = draw_size(random);
  Blocks blocks;
  if (chance(random, 0.5)) {
    blocks = kept_blocks(arrivals(random, log_uniform(random, 1, 200), 0, 0.05), bytes);
  }
  append(blocks,
         kept_blocks(arrivals(random, log_uniform(random, 30, 2000), uniform(random, 0.2, 0.7), 1),
                     bytes));
  return blocks;
}

Blocks in_batches(Random& random) {
  const double period = uniform(random, 0.03, 0.12);
  const int of_each = static_cast<int>(log_uniform(random, 3, 200));
  std::vector<double> times;
  for (double t = uniform(random, 0, period); t < 1; t += period) {
    times.insert(times.end(), static_cast<std::size_t>(of_each), t);
  }
  return kept_blocks(times, draw_size(random));
}

// The load goes up and down in waves.
Blocks under_waves(Random& random) {
  const double period = uniform(random, 0.05, 0.3);
  const double depth = uniform(random, 0.2, 0.9);
  return kept_blocks(
      arrivals(random, 2 * draw_count(random), 0, 1,
               [&](double t) { return (1 + depth * std::sin(2 * M_PI * t / period)) / 2; }),
      draw_size(random));
}

// The load wanders: a new level every so often.
Blocks under_wandering_load(Random& random) {
  std::array<double, 12> level{};
  for (double& share : level) {
    share = uniform(random, 0.5, 1);
  }
  return kept_blocks(arrivals(random, draw_count(random), 0, 1,
                              [&](double t) { return level[static_cast<std::size_t>(t * 12)]; }),
                     draw_size(random));
}

Blocks faster_and_faster(Random& random) {
  return kept_blocks(
      arrivals(random, 2 * draw_count(random), 0, 1, [](double t) { return 0.3 + 0.7 * t; }),
      draw_size(random));
}

Blocks after_start_up(Random& random) {
  const std::uint64_t bytes = draw_size(random);
  const double count = log_uniform(random, 20, 2000);
  Blocks blocks =
      kept_blocks(arrivals(random, count * log_uniform(random, 0.1, 10), 0, 0.04), bytes);
  append(blocks, kept_blocks(arrivals(random, count, 0.05, 1), bytes));
  return blocks;
}

// Some are freed after all, at any age.
Blocks with_some_freed(Random& random) {
  const double freed = uniform(random, 0.02, 0.3);
  return living_blocks(
      arrivals(random, log_uniform(random, 40, 5000), 0, 1), draw_size(random),
      [&] { return chance(random, freed) ? log_uniform(random, 1e-5, 0.02) : rank::kForever; });
}

Blocks doubling(Random& random) {
  const double factor = chance(random, 0.7) ? 2 : 1.5;
  const double count = log_uniform(random, 100, 100000);
  return container(factor, log_uniform(random, 4, 256), [&](double t) { return count * t; });
}

// realloc by a fixed amount.
Blocks enlarged(Random& random) {
  const double steps = log_uniform(random, 20, 1000);
  const std::uint64_t step_bytes = draw_size(random);
  Blocks blocks;
  std::uint64_t bytes = step_bytes;
  for (double t = 0; t < 1; t += 1 / steps) {
    if (!blocks.empty()) {
      blocks.back().died_s = t;
    }
    blocks.push_back({t, rank::kForever, bytes});
    bytes += step_bytes;
  }
  return blocks;
}

Blocks of_mixed_sizes(Random& random) {
  Blocks blocks = kept_blocks(arrivals(random, log_uniform(random, 60, 5000), 0, 1), 0);
  for (rank::Block& block : blocks) {
    block.bytes = static_cast<std::uint64_t>(log_uniform(random, 16, 4096));
  }
  return blocks;
}

Blocks few_large(Random& random) {
  Blocks blocks = evenly(random);
  const auto step = std::max<std::size_t>(1, blocks.size() / 12);
  Blocks kept;
  for (std::size_t i = 0; i < blocks.size(); i += step) {
    kept.push_back({blocks[i].born_s, rank::kForever, 1 << 20});
  }
  return kept;
}

// First in, first out, but fewer are taken out than put in.
Blocks queue_behind(Random& random) {
  const double taken = uniform(random, 0.3, 0.8);
  Blocks blocks =
      kept_blocks(arrivals(random, log_uniform(random, 400, 5000), 0, 1), draw_size(random));
  for (rank::Block& block : blocks) {
    block.died_s = block.born_s / taken + uniform(random, 0, 0.001);
  }
  return blocks;
}

constexpr Family kLeaks[] = {
    {"evenly", Truth::kLeak, evenly},
    {"at random", Truth::kLeak, at_random},
    {"among turnover", Truth::kLeak, among_turnover},
    {"among changing turnover", Truth::kLeak, among_changing_turnover},
    {"late", Truth::kLeak, late},
    {"in batches", Truth::kLeak, in_batches},
    {"under waves", Truth::kLeak, under_waves},
    {"under a wandering load", Truth::kLeak, under_wandering_load},
    {"faster and faster", Truth::kLeak, faster_and_faster},
    {"after start-up", Truth::kLeak, after_start_up},
    {"with some freed", Truth::kLeak, with_some_freed},
    {"doubling", Truth::kLeak, doubling},
    {"enlarged", Truth::kLeak, enlarged},
    {"of mixed sizes", Truth::kLeak, of_mixed_sizes},
    {"few large", Truth::kLeak, few_large},
    {"queue behind", Truth::kLeak, queue_behind},
};

}  // namespace

std::span<const Family> leak_families() {
  return kLeaks;
}

}  // namespace seep::labelled
