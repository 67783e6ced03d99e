#include "preload/stack/code_site.h"

#include "preload/stack/capture_counts.h"
#include "preload/stack/cfi.h"

namespace seep::stack {
namespace {

constexpr std::uint64_t kUserAddressEnd = std::uint64_t{1} << 47;

// The place of `pc`, once the file there is known to be the one whose tables will be read.
Place find_intact_place(std::uint64_t pc, IntactLoads& intact) {
  const Place place = find_place(pc);
  if (place.load == nullptr || intact.holds(*place.load)) {
    return place;
  }
  count(format::CaptureCount::stale_modules);
  refresh_modules();
  const Place again = find_place(pc);
  return again.load == nullptr || intact.holds(*again.load) ? again
                                                            : Place{nullptr, again.executable};
}

// A function that begins just behind `pc`, in code that no entry covers, was not called from there:
// its address was planted as the return address of a coroutine (makecontext does so).
CompactRule read_rule(const UnwindTables& tables, std::uint64_t pc) {
  Rule rule;
  if (find_rule(tables, pc, rule)) {
    return compact(rule);
  }
  const bool planted = find_rule(tables, pc + 1, rule);
  return {planted ? RuleKind::kOutermost : RuleKind::kNoTables, 0, 0, 0};
}

}  // namespace

[[gnu::cold, gnu::noinline]] Site find_site_in_tables(std::uint64_t pc, IntactLoads& intact) {
  const Load* load = find_intact_place(pc, intact).load;
  if (load == nullptr) {
    count(format::CaptureCount::outside);
    // What is no address of a program's would name a module: such a frame is booked at address 0.
    const std::uint64_t frame_base = pc < kUserAddressEnd ? 0 : 0 - (pc + 1);
    return {nullptr, frame_base, {RuleKind::kNoTables, 0, 0, 0}};
  }
  count_miss(pc);
  const CompactRule compact_rule = read_rule(load->image.tables, pc);
  remember_rule(pc, *load, compact_rule);
  return {load, load->frame_base(), compact_rule};
}

}  // namespace seep::stack
