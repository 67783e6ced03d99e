#include "cli/command.h"

namespace seep::cli {
namespace {

constexpr Command kCommands[] = {
    {"run", "Start a program under the preload and report when it has ended.", true, describe_run},
    {"report", "Rank what leaks in a recording.", false, describe_report},
    {"diff", "Compare two snapshots or two recordings.", false, describe_diff},
    {"export", "Write a recording in a format that other programs read.", false, describe_export},
    {"compare", "Lay what other leak checkers say of the program beside seep's report.", false,
     describe_compare},
    {"snapshot", "Have a running tracked process write a snapshot.", false, describe_snapshot},
    {"mark", "Have a running tracked process write a snapshot with a label.", false, describe_mark},
    {"scan", "Look for unreachable memory of a running tracked process.", false, describe_scan},
    {"start", "Have a paused process record from now on.", false, describe_start},
    {"pause", "Have a tracked process record no new allocations.", false, describe_pause},
    {"status", "Say what is tracked and how it is going.", false, describe_status},
    {"top", "Watch what grows in a running tracked process.", false, describe_top},
    {"info", "Say what a snapshot holds.", false, describe_info},
    {"verify", "Check that snapshots are intact.", false, describe_verify},
    {"prune", "Free disk space: remove the oldest finished recordings.", false, describe_prune},
};

constexpr const char* kLaterVerbs[] = {"pack", "attach", "detach"};

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

std::span<const char* const> later_verbs() {
  return kLaterVerbs;
}

}  // namespace seep::cli
