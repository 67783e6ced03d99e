// The sentences that go with a verdict: each one sentence, with the figures it rests on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "analyzer/rank/container.h"
#include "analyzer/rank/curve.h"
#include "analyzer/rank/growth.h"
#include "analyzer/rank/survival.h"

namespace seep::rank {

std::string why_too_short(std::size_t snapshots, double seconds);
std::string why_few_samples(const Curve& curve);
std::string why_one_time(const Curve& curve, double begin_s, double end_s);
std::string why_sawtooth(unsigned drops);
std::string why_plateau(double reached_after_s, double observed_s);
std::string why_kept(const Curve& curve);
std::string why_bends(const Growth& growth);
std::string why_slows(const Growth& growth);
std::string why_steady(const Curve& curve);
std::string why_too_little(const Growth& growth);
std::string why_blocks_die(const Survival& survival, const Growth& growth);
std::string why_growing(const Curve& curve, const Growth& growth);
std::string why_doubles(const Doubling& doubling);
std::string why_doubles_slower(const Doubling& doubling);
std::string why_doubled(const Doubling& doubling, const Curve& curve);
std::string why_kept_for_reuse(std::uint64_t kept_blocks, std::uint64_t live_blocks);
std::string why_released_at_end(std::uint64_t released_blocks, std::uint64_t live_blocks);
std::string why_as_its_elements(const std::string& why);

}  // namespace seep::rank
