// Judges simulated sites of known truth, thousands in seconds.
//
//   seep_simulate [--runs N] [--seed N] [--rows] [--show FAMILY]
//
// Without an option: for each family how its runs were judged. --rows: one line a run, for
// scripts/calibrate.py. --show: the reasons given for the runs of one family that were misjudged.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "tests/labelled/simulate/judge_run.h"

namespace seep::labelled {
namespace {

struct Options {
  unsigned runs = 400;
  std::uint64_t seed = 1;
  bool rows = false;
  std::string show;
};

const char* name_of(Truth truth) {
  return truth == Truth::kLeak ? "leak" : truth == Truth::kNone ? "none" : "undecidable";
}

void print_row(const Family& family, std::uint64_t seed, const Judged& judged) {
  std::printf("%s\t%s\t%lu\t%s\t%s\n", name_of(family.truth), family.name,
              static_cast<unsigned long>(seed), model::name_of(judged.verdict.behaviour),
              rank::name_of(judged.verdict.bin));
}

void show(const Family& family, std::uint64_t seed, const Judged& judged) {
  if (judged.claims() != (family.truth == Truth::kLeak)) {
    std::printf("%lu: %.1f s, %zu blocks, %s: %s\n", static_cast<unsigned long>(seed),
                judged.length_s, judged.blocks, model::name_of(judged.verdict.behaviour),
                judged.verdict.why.c_str());
  }
}

void print_summary(const Family& family, std::map<std::string, unsigned>& count, unsigned runs) {
  std::printf("%-12s %-30s growing %5.1f %%  ", name_of(family.truth), family.name,
              100.0 * count["growing"] / runs);
  for (const auto& [behaviour, times] : count) {
    if (behaviour != "growing") {
      std::printf(" %s %u", behaviour.c_str(), times);
    }
  }
  std::printf("\n");
}

void run(const Family& family, const Options& options) {
  std::map<std::string, unsigned> count;
  for (unsigned i = 0; i < options.runs; ++i) {
    const std::uint64_t seed = options.seed * 1'000'003 + i;
    const Judged judged = judge_run(family, seed);
    ++count[model::name_of(judged.verdict.behaviour)];
    if (options.rows) {
      print_row(family, seed, judged);
    } else if (!options.show.empty()) {
      show(family, seed, judged);
    }
  }
  if (!options.rows) {
    print_summary(family, count, options.runs);
  }
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const bool has_value = i + 1 < argc;
    if (std::strcmp(argv[i], "--rows") == 0) {
      options.rows = true;
    } else if (std::strcmp(argv[i], "--runs") == 0 && has_value) {
      options.runs = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
    } else if (std::strcmp(argv[i], "--seed") == 0 && has_value) {
      options.seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (std::strcmp(argv[i], "--show") == 0 && has_value) {
      options.show = argv[++i];
    } else {
      std::fprintf(stderr, "usage: %s [--runs N] [--seed N] [--rows] [--show FAMILY]\n", argv[0]);
      std::exit(2);
    }
  }
  return options;
}

}  // namespace
}  // namespace seep::labelled

int main(int argc, char** argv) {
  const auto options = seep::labelled::parse(argc, argv);
  for (const auto& family : seep::labelled::families()) {
    if (options.show.empty() || options.show == family.name) {
      seep::labelled::run(family, options);
    }
  }
}
