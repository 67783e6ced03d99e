#include "analyzer/export/collapsed.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyzer/export/frame_name.h"
#include "analyzer/model/printable.h"

namespace seep::exporters {
namespace {

constexpr std::size_t kPieceBytes = 1 << 16;

// The semicolon stands between frames; inferno and FlameGraph's own scripts put a colon for it too.
std::string folded(std::string name) {
  std::replace(name.begin(), name.end(), ';', ':');
  return name;
}

std::string folded_name(const model::ReportFrame& frame) {
  std::string name = frame_name(frame);
  if (frame.language != model::Language::kNative && frame.file) {
    name += " (" + model::printable(*frame.file);
    name += frame.line ? fmt::format(":{})", *frame.line) : ")";
  }
  return folded(std::move(name));
}

struct Values {
  std::uint64_t now = 0;
  std::uint64_t before = 0;
};

struct Entry {
  std::uint32_t outer = 0;  // entry
  std::uint32_t name = 0;
  Values values;
};

// Stacks by the names of their frames: those of equal names from the outer end on are one entry.
class Folded {
 public:
  explicit Folded(const Profile& profile)
      : profile_(profile),
        names_of_place_(profile.places.size()),
        entry_of_node_(profile.nodes.size(), kUnknown),
        entries_(1) {
    for (const ProfileProcess& process : profile.processes) {
      const std::string name = folded(model::printable(process.id));
      roots_.push_back(profile.processes.size() == 1 ? 0 : inner(0, number_of(name)));
    }
  }

  void add(const Sample& sample, const Values& values) {
    Entry& entry = entries_[entry_of(sample.node, roots_[sample.process])];
    entry.values.now += values.now;
    entry.values.before += values.before;
  }

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

  // "outer;inner".
  [[nodiscard]] std::string text_of(std::size_t entry) const {
    std::vector<std::uint32_t> names;
    for (std::size_t at = entry; at != 0; at = entries_[at].outer) {
      names.push_back(entries_[at].name);
    }
    std::string text;
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
      text += text.empty() ? names_[*name] : ";" + names_[*name];
    }
    return text.empty() ? "[unknown]" : text;
  }

 private:
  static constexpr std::uint32_t kUnknown = 0xFFFFFFFF;

  std::uint32_t number_of(const std::string& name) {
    const auto [known, is_new] = numbers_.try_emplace(name, names_.size());
    if (is_new) {
      names_.push_back(name);
    }
    return known->second;
  }

  // The entry of this name inside another.
  std::uint32_t inner(std::uint32_t outer, std::uint32_t name) {
    const std::uint64_t key = std::uint64_t{outer} << 32U | name;
    const auto [known, is_new] = inner_.try_emplace(key, entries_.size());
    if (is_new) {
      entries_.push_back({outer, name, {}});
    }
    return known->second;
  }

  // Outermost first.
  const std::vector<std::uint32_t>& names_of(std::uint32_t place) {
    std::vector<std::uint32_t>& names = names_of_place_[place];
    if (names.empty()) {
      const model::ReportStack& frames = profile_.places[place].frames;
      for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
        names.push_back(number_of(folded_name(*frame)));
      }
    }
    return names;
  }

  std::uint32_t entry_of(std::uint32_t node, std::uint32_t root) {
    std::vector<std::uint32_t> chain;
    for (; node != 0 && entry_of_node_[node] == kUnknown; node = profile_.nodes[node].parent) {
      chain.push_back(node);
    }
    std::uint32_t entry = node == 0 ? root : entry_of_node_[node];
    for (auto at = chain.rbegin(); at != chain.rend(); ++at) {
      for (const std::uint32_t name : names_of(profile_.nodes[*at].place)) {
        entry = inner(entry, name);
      }
      entry_of_node_[*at] = entry;
    }
    return entry;
  }

  const Profile& profile_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<std::vector<std::uint32_t>> names_of_place_;
  std::vector<std::uint32_t> entry_of_node_;
  std::vector<std::uint32_t> roots_;  // entry of each process
  std::vector<Entry> entries_;        // [0] is the root; outer < own index
  std::unordered_map<std::uint64_t, std::uint32_t> inner_;
};

// " 4096"; " 1024 4096" for both values; empty where there is nothing to say.
std::string values_text(const Values& values, bool old_and_new) {
  if (old_and_new) {
    return values.now == 0 && values.before == 0 ? std::string()
                                                 : fmt::format(" {} {}", values.before, values.now);
  }
  const auto difference = static_cast<std::int64_t>(values.now - values.before);
  return difference == 0 ? std::string() : fmt::format(" {}", difference);
}

}  // namespace

void write_collapsed(const Profile& profile, const CollapsedOptions& options, const Write& write) {
  Folded stacks(profile);
  for (const Sample& sample : profile.samples) {
    stacks.add(sample, options.allocated
                           ? Values{sample.now.allocated_bytes, sample.before.allocated_bytes}
                           : Values{sample.now.live_bytes, sample.before.live_bytes});
  }
  std::string piece;
  for (std::size_t entry = 0; entry < stacks.entries().size(); ++entry) {
    const std::string values = values_text(stacks.entries()[entry].values, options.old_and_new);
    if (!values.empty()) {
      piece += stacks.text_of(entry) + values + "\n";
    }
    if (piece.size() >= kPieceBytes) {
      write(piece);
      piece.clear();
    }
  }
  write(piece);
}

}  // namespace seep::exporters
