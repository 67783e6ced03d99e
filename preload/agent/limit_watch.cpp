#include "preload/agent/limit_watch.h"

namespace seep::agent {

void LimitWatch::configure(const SizeLimit (&limits)[kLimitCount]) {
  for (unsigned i = 0; i < kLimitCount; ++i) {
    limits_[i] = limits[i];
    states_[i] = {};
  }
  rss_bytes_ = 0;
}

void LimitWatch::begin_as_child() {
  for (State& state : states_) {
    state.is_pending = false;
    state.crossings = 0;
  }
}

bool LimitWatch::needs_group() const {
  return limits_[0].percent != 0 || limits_[1].percent != 0;
}

void LimitWatch::look_at(State& state, std::uint64_t now_ms) const {
  if (state.bytes == 0) {
    state.is_passed = false;
    return;
  }
  state.is_passed = rss_bytes_ >= state.bytes;
  const bool is_rested = state.crossings == 0 || now_ms - state.passed_ms >= kLeastApartMs;
  if (rss_bytes_ < state.bytes / 100 * kBackPercent && is_rested) {
    state.is_armed = true;
  }
  if (state.is_passed && state.is_armed) {
    state.is_armed = false;
    state.is_pending = true;
    state.passed_ms = now_ms;
    ++state.crossings;
  }
}

void LimitWatch::look(std::uint64_t rss_bytes, std::uint64_t group_bytes, std::uint64_t now_ms) {
  if (rss_bytes == 0) {
    return;  // it could not be read
  }
  rss_bytes_ = rss_bytes;
  for (unsigned i = 0; i < kLimitCount; ++i) {
    const SizeLimit& limit = limits_[i];
    states_[i].bytes = limit.percent != 0 ? group_bytes / 100 * limit.percent : limit.bytes;
    look_at(states_[i], now_ms);
  }
}

bool LimitWatch::take(LimitName& which) {
  for (unsigned i = 0; i < kLimitCount; ++i) {
    if (states_[i].is_pending) {
      states_[i].is_pending = false;
      which = static_cast<LimitName>(i);
      return true;
    }
  }
  return false;
}

}  // namespace seep::agent
