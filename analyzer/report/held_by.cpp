#include "analyzer/report/held_by.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "analyzer/report/blame.h"
#include "analyzer/report/container_name.h"
#include "analyzer/report/frame_kind.h"

namespace seep::report {
namespace {

using model::Holder;
using model::Link;
using model::LinkKind;
using model::Recording;
using model::Scan;

// Of a longer chain the middle is left out, and of a suspect with many call paths the lighter ones.
constexpr std::size_t kMostHolders = 12;
constexpr std::size_t kMostChains = 32;
// The largest container of the standard library (std::deque). Which of its own words it is that
// points to a block tells nobody anything.
constexpr std::uint64_t kContainerBytes = 80;

Holder root(std::string text, const char* kind) {
  Holder holder;
  holder.text = std::move(text);
  if (kind != nullptr) {
    holder.root = kind;
  }
  return holder;
}

// "g_sessions (server)", "g_server+64 (server)", "server+0x4020" in a file without symbols.
Holder global(const model::Module& module, std::uint64_t address,
              symbolize::Symbolizer& symbolizer) {
  const std::string_view file = base_name(module.path);
  const auto name = symbolizer.data(module, address);
  if (!name) {
    return root(fmt::format("{}+0x{:x}", file, address), "global");
  }
  const bool tells_member = name->offset != 0 && name->size > kContainerBytes;
  const std::string inside = tells_member ? fmt::format("+{}", name->offset) : "";
  return root(fmt::format("{}{} ({})", name->name, inside, file), "global");
}

// A block or a mapping by the function that made it.
Holder made_at(std::uint32_t site, const char* what, const Recording& recording,
               symbolize::Symbolizer& symbolizer) {
  const model::ReportStack stack =
      without_allocator(symbolizer.stack(recording.stacks, recording.sites[site].node));
  Holder holder;
  const std::string container = container_name(stack);
  holder.text = container.empty() ? what : container;
  if (stack.empty()) {
    return holder;
  }
  const model::ReportFrame& frame = stack[blamed_frame(stack)];
  const std::string bare = bare_name(frame);
  holder.function = frame.function;
  holder.file = frame.file;
  holder.line = frame.line;
  holder.text += fmt::format(
      " from {}",
      bare.empty() ? fmt::format("{}+0x{:x}", base_name(frame.module), frame.offset) : bare);
  if (frame.file) {
    holder.text += fmt::format(" {}", base_name(*frame.file));
    holder.text += frame.line ? fmt::format(":{}", *frame.line) : std::string();
  }
  return holder;
}

Holder holder_of(const Link& link, const Recording& recording, symbolize::Symbolizer& symbolizer) {
  switch (link.kind) {
    case LinkKind::kGlobal:
      return global(recording.stacks.modules[link.module], link.offset, symbolizer);
    case LinkKind::kStack:
      return root(fmt::format("stack of thread {}", link.thread), "stack");
    case LinkKind::kTls:
      return root(fmt::format("thread-local storage of thread {}", link.thread), "tls");
    case LinkKind::kRegister:
      return root(fmt::format("register of thread {}", link.thread), "register");
    case LinkKind::kMap:
      return link.site == 0 ? root("mapping made by the program", nullptr)
                            : made_at(link.site, "mapping", recording, symbolizer);
    case LinkKind::kOther:
      return root("memory of unknown origin", nullptr);
    case LinkKind::kBlock:
      return made_at(link.site, "block", recording, symbolizer);
    case LinkKind::kScriptGlobal:
      return root(link.text, "global");
    case LinkKind::kScriptLocal:
      return root(link.text, "stack");
    case LinkKind::kScriptValue:
      return root(link.text, nullptr);
  }
  return root("memory of unknown origin", nullptr);
}

// --- Chains of a suspect

struct Followed {
  const Recording* recording = nullptr;
  const Scan* scan = nullptr;
  const model::Chain* chain = nullptr;
  double blocks = 0;  // of the suspect, held in this way
};

struct Chains {
  std::vector<Followed> all;  // most blocks first
  double blocks = 0;          // that were followed
};

bool is_of_lost_blocks(const Scan& scan, const model::Chain& chain) {
  return scan.links[chain.links_begin].kind == LinkKind::kBlock;
}

// The chains of one site in one scan: in the words of a script where it has those.
struct SiteChains {
  const Scan* scan = nullptr;
  std::vector<const model::Chain*> chains;
  double followed = 0;  // blocks of the site
};

SiteChains chains_in(const Scan& scan, std::uint32_t site) {
  const auto is_of_script = [&scan](const model::Chain& chain) {
    return model::is_of_script(scan.links[chain.links_begin].kind);
  };
  const auto [begin, end] =
      std::equal_range(scan.chains.begin(), scan.chains.end(), model::Chain{site},
                       [](const auto& a, const auto& b) { return a.site < b.site; });
  SiteChains found{&scan, {}, 0};
  const bool has_words = std::any_of(begin, end, is_of_script);
  for (auto chain = begin; chain != end; ++chain) {
    if (has_words ? is_of_script(*chain) : !is_of_lost_blocks(scan, *chain)) {
      found.chains.push_back(&*chain);
      found.followed = std::max(found.followed, static_cast<double>(chain->sampled_blocks));
    }
  }
  return found;
}

// The last scan that followed half of what is alive at the last snapshot, or else the one that
// followed most: the few blocks that destructors leave behind do not tell who held the others.
SiteChains telling_chains(const Recording& recording, std::uint32_t site, double live) {
  SiteChains most;
  for (auto scan = recording.scans.rbegin(); scan != recording.scans.rend(); ++scan) {
    SiteChains found = chains_in(*scan, site);
    if (found.followed > most.followed) {
      most = std::move(found);
      if (most.followed >= live / 2) {
        break;
      }
    }
  }
  return most;
}

// Each site counts as much as it has blocks.
void add_chains(const Recording& recording, std::uint32_t site, Chains& chains) {
  const auto live = static_cast<double>(recording.sites[site].at.back().live_blocks);
  const SiteChains telling = telling_chains(recording, site, live);
  for (const model::Chain* chain : telling.chains) {
    const auto followed = static_cast<double>(chain->sampled_blocks);
    const double weight = std::max(live, followed) / followed;
    const double blocks = static_cast<double>(chain->blocks) * weight;
    chains.all.push_back({&recording, telling.scan, chain, blocks});
  }
  if (!telling.chains.empty()) {
    chains.blocks += std::max(live, telling.followed);
  }
}

Chains chains_of(const Members& members, const std::vector<Recording>& recordings) {
  Chains chains;
  for (const rank::RankedSite* member : members) {
    add_chains(recordings[member->recording], static_cast<std::uint32_t>(member->site), chains);
  }
  std::stable_sort(chains.all.begin(), chains.all.end(),
                   [](const Followed& a, const Followed& b) { return a.blocks > b.blocks; });
  chains.all.resize(std::min(chains.all.size(), kMostChains));
  return chains;
}

// A list of a thousand nodes is one hop.
void close_run(std::vector<Holder>& holders, std::size_t times) {
  if (times > 1) {
    holders.back().text += fmt::format(" ({} times)", times);
  }
}

std::vector<Holder> holders_of(const Followed& followed, symbolize::Symbolizer& symbolizer) {
  std::vector<Holder> holders;
  const Link* links = followed.scan->links.data() + followed.chain->links_begin;
  std::size_t times = 0;
  for (std::uint32_t i = 0; i < followed.chain->links_count; ++i) {
    const Link& link = links[i];
    const bool repeats = i > 0 && link.kind == LinkKind::kBlock &&
                         links[i - 1].kind == LinkKind::kBlock && links[i - 1].site == link.site;
    if (repeats) {
      ++times;
    } else if (holders.size() < kMostHolders) {
      close_run(holders, times);
      holders.push_back(holder_of(link, *followed.recording, symbolizer));
      times = 1;
    }
  }
  close_run(holders, times);
  return holders;
}

}  // namespace

std::optional<std::vector<Holder>> held_by(const Members& members,
                                           const std::vector<Recording>& recordings,
                                           symbolize::Symbolizer& symbolizer) {
  const Chains chains = chains_of(members, recordings);
  if (chains.all.empty() || chains.blocks <= 0) {
    return std::nullopt;
  }
  // Ways that read the same are one: other words of the same container, other paths to one maker.
  struct Way {
    std::vector<Holder> holders;
    double blocks = 0;
  };
  std::map<std::string, Way> ways;
  for (const Followed& followed : chains.all) {
    std::vector<Holder> holders = holders_of(followed, symbolizer);
    std::string name;
    for (const Holder& holder : holders) {
      name += holder.text + '\n';
    }
    Way& way = ways[name];
    way.holders = std::move(holders);
    way.blocks += followed.blocks;
  }
  Way& commonest = std::max_element(ways.begin(), ways.end(), [](const auto& a, const auto& b) {
                     return a.second.blocks < b.second.blocks;
                   })->second;
  for (Holder& holder : commonest.holders) {
    holder.share = std::min(commonest.blocks / chains.blocks, 1.0);
  }
  return std::move(commonest.holders);
}

}  // namespace seep::report
