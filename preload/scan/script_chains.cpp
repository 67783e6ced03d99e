#include "preload/scan/script_chains.h"

#include <algorithm>
#include <string_view>

namespace seep::scan {
namespace {

using format::LinkKind;
using script::GraphText;

// A chain of a site; ways that read the same are one.
struct Told {
  WayId way;
  std::uint64_t text;   // hash of its words
  std::uint64_t typed;  // the same with what stands in parentheses
  bool has_types;       // that is the same in all of its ways
  std::uint64_t blocks;
};

std::uint64_t hash_of_text(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;  // FNV-1a
  }
  return hash;
}

LinkKind kind_of(script::LabelKind root) {
  switch (root) {
    case script::LabelKind::kGlobalRoot:
      return LinkKind::kScriptGlobal;
    case script::LabelKind::kLocalRoot:
      return LinkKind::kScriptLocal;
    default:
      return LinkKind::kScriptValue;
  }
}

// The chains of one site.
class SiteWords {
 public:
  SiteWords(const ScriptWalk& walk, Answer& answer) : walk_(walk), answer_(answer) {}

  // Counts of one site, the largest first; `met` is their sum.
  void add(const HolderCounts::Count* begin, const HolderCounts::Count* end, std::uint64_t met);
  // Hands the first `most` on.
  void write(std::uint32_t site, std::uint64_t met, unsigned most);

 private:
  static constexpr std::size_t kMost = 64;  // further ones hold little

  [[nodiscard]] std::uint64_t hash_of(WayId way, bool types) const;
  void merge(const HolderCounts::Count& count);
  unsigned write_links(const Told& told);
  bool write_link(LinkKind kind, std::string_view text);

  const ScriptWalk& walk_;
  Answer& answer_;
  bool has_keys_ = true;
  Told told_[kMost];
  std::size_t count_ = 0;
};

void SiteWords::add(const HolderCounts::Count* begin, const HolderCounts::Count* end,
                    std::uint64_t met) {
  has_keys_ = begin->blocks >= met / 2;
  for (std::size_t i = 0; begin != end && i < kMost; ++begin, ++i) {
    merge(*begin);
  }
  std::sort(told_, told_ + count_, [](const Told& a, const Told& b) {
    return a.blocks != b.blocks ? a.blocks > b.blocks : a.way < b.way;
  });
}

std::uint64_t SiteWords::hash_of(WayId way, bool types) const {
  GraphText text;
  walk_.write(way, {has_keys_, types}, text);
  return hash_of_text(text.view());
}

void SiteWords::merge(const HolderCounts::Count& count) {
  const std::uint64_t text = hash_of(count.holder, /*types=*/false);
  const std::uint64_t typed = hash_of(count.holder, /*types=*/true);
  Told* const end = told_ + count_;
  Told* const same = std::find_if(told_, end, [&](const Told& told) { return told.text == text; });
  if (same == end) {
    *end = {count.holder, text, typed, /*has_types=*/true, 0};
    ++count_;
  }
  same->has_types = same->has_types && same->typed == typed;
  same->blocks += count.blocks;
}

bool SiteWords::write_link(LinkKind kind, std::string_view text) {
  Pages<char>& texts = answer_.holder_texts;
  const std::size_t begin = texts.size();
  if (begin + text.size() > texts.capacity()) {
    return false;
  }
  for (const char c : text) {
    texts.add(c);
  }
  return answer_.links.add(
      {static_cast<std::uint32_t>(kind), static_cast<std::uint32_t>(text.size()), 0, 0, begin});
}

unsigned SiteWords::write_links(const Told& told) {
  GraphText text;
  walk_.write(told.way, {has_keys_, told.has_types}, text);
  LinkKind kind = kind_of(walk_.root_of(told.way));
  std::string_view left = text.view();
  unsigned links = 0;
  std::string_view holder;
  while (runtime::take_line(left, holder)) {
    if (!write_link(kind, holder)) {
      return 0;
    }
    kind = LinkKind::kScriptValue;
    ++links;
  }
  return links;
}

void SiteWords::write(std::uint32_t site, std::uint64_t met, unsigned most) {
  const auto sampled = static_cast<std::uint32_t>(std::min<std::uint64_t>(met, UINT32_MAX));
  for (std::size_t i = 0; i < count_ && i < most; ++i) {
    const auto begin = static_cast<std::uint32_t>(answer_.links.size());
    if (const unsigned links = write_links(told_[i]); links != 0) {
      answer_.chains.add(
          {site, begin, links, sampled, std::min<std::uint64_t>(told_[i].blocks, sampled)});
    }
  }
}

}  // namespace

void add_script_chains(ScriptWalk& walk, const Pages<SiteFigures>& figures, unsigned most,
                       Answer& answer) {
  constexpr std::size_t kTextBytes = std::size_t{1} << 20;
  if (!answer.holder_texts.map(kTextBytes)) {
    return;
  }
  const Pages<HolderCounts::Count>& counts = walk.counts();
  for (const HolderCounts::Count* begin = counts.begin(); begin != counts.end();) {
    std::uint64_t met = 0;
    const HolderCounts::Count* end = begin;
    for (; end != counts.end() && end->site == begin->site; ++end) {
      met += end->blocks;
    }
    if (met >= (figures[begin->site].blocks + 1) / 2) {
      SiteWords words(walk, answer);
      words.add(begin, end, met);
      words.write(begin->site, met, most);
    }
    begin = end;
  }
}

void tell_script(ScriptWalk& walk, const Pages<SiteFigures>& figures, unsigned most,
                 std::uint32_t sites, Answer& answer) {
  if (walk.run()) {
    add_script_chains(walk, figures, most, answer);
  }
  walk.list_kept(sites, answer.kept);
}

}  // namespace seep::scan
