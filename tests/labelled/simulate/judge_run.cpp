#include "tests/labelled/simulate/judge_run.h"

namespace seep::labelled {

Judged judge_run(const Family& family, std::uint64_t seed) {
  Random random(seed);
  const std::vector<double> times = draw_times(random);
  std::vector<rank::Block> blocks = family.make(random);
  for (rank::Block& block : blocks) {
    block.born_s *= times.back();
    block.died_s *= times.back();
  }
  const model::SiteHistory site = rank::history_of(blocks, times);
  return {rank::judge(site, rank::Timeline{times, 0}), times.back(), blocks.size()};
}

}  // namespace seep::labelled
