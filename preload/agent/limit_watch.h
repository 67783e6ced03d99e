// When the resident size passes a limit of SEEP_RSS_LIMIT. Pure: sizes and times in, decisions out.
// Context: IN-AGENT. One thread at a time.
#pragma once

#include <cstdint>

namespace seep::agent {

// As it is given: bytes, or a share of the cgroup's limit; neither: none.
struct SizeLimit {
  std::uint64_t bytes = 0;
  std::uint32_t percent = 0;
};

enum class LimitName : std::uint8_t { kWarning, kCritical };
inline constexpr unsigned kLimitCount = 2;
inline constexpr const char* kLimitNames[kLimitCount] = {"warning", "critical"};

class LimitWatch {
 public:
  // A limit that was passed can be passed again when the size has been below this share of it since
  // and this time is over: a size that hovers about a limit passes it once.
  static constexpr std::uint64_t kBackPercent = 90;
  static constexpr std::uint64_t kLeastApartMs = 60000;

  void configure(const SizeLimit (&limits)[kLimitCount]);
  // In a fork's child: a limit that its parent has passed is none that the child passes.
  void begin_as_child();

  [[nodiscard]] bool is_active() const { return is_given(0) || is_given(1); }
  // Whether the cgroup's limit is asked for.
  [[nodiscard]] bool needs_group() const;

  // The resident size at a time on a clock that never goes back. `group_bytes`: the cgroup's limit,
  // 0 for none.
  void look(std::uint64_t rss_bytes, std::uint64_t group_bytes, std::uint64_t now_ms);
  // A limit that was passed and is not taken yet, the lower one first; false where there is none.
  bool take(LimitName& which);
  [[nodiscard]] bool is_pending() const { return states_[0].is_pending || states_[1].is_pending; }

  // At the last look; 0: there is none.
  [[nodiscard]] std::uint64_t limit_bytes(unsigned which) const { return states_[which].bytes; }
  [[nodiscard]] bool is_passed(unsigned which) const { return states_[which].is_passed; }
  [[nodiscard]] std::uint32_t crossings(unsigned which) const { return states_[which].crossings; }
  [[nodiscard]] std::uint64_t rss_bytes() const { return rss_bytes_; }

 private:
  struct State {
    std::uint64_t bytes = 0;
    std::uint64_t passed_ms = 0;  // the last time
    std::uint32_t crossings = 0;
    bool is_passed = false;
    bool is_armed = true;
    bool is_pending = false;
  };

  [[nodiscard]] bool is_given(unsigned which) const {
    return limits_[which].bytes != 0 || limits_[which].percent != 0;
  }
  void look_at(State& state, std::uint64_t now_ms) const;

  SizeLimit limits_[kLimitCount];
  State states_[kLimitCount];
  std::uint64_t rss_bytes_ = 0;
};

}  // namespace seep::agent
