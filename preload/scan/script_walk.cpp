#include "preload/scan/script_walk.h"

namespace seep::scan {

using script::GraphText;
using script::Label;
using script::LabelKind;

namespace {

constexpr std::uint32_t kKindBits = 8;

format::LinkRecord link_of(const Label& label, std::uint32_t first_kind) {
  const auto kind = static_cast<std::uint32_t>(label.kind);
  return {first_kind + (std::uint32_t{label.sort} << kKindBits | kind), label.number,
          static_cast<std::uint32_t>(label.owner >> 32), static_cast<std::uint32_t>(label.owner),
          label.name};
}

Label label_of(const format::LinkRecord& link, std::uint32_t first_kind) {
  const std::uint32_t kind = link.kind - first_kind;
  return {static_cast<LabelKind>(kind & ((1U << kKindBits) - 1)),
          static_cast<std::uint16_t>(kind >> kKindBits), link.site,
          std::uint64_t{link.module} << 32 | link.thread, link.offset};
}

// 20,000
void add_count(GraphText& text, std::uint64_t count) {
  std::uint64_t unit = 1;
  while (count / unit >= 1000) {
    unit *= 1000;
  }
  text.add_decimal(count / unit);
  while (unit > 1) {
    count %= unit;
    unit /= 1000;
    text.add_char(',').add_decimal(count / unit, 3);
  }
}

}  // namespace

const script::GraphSink::Functions ScriptWalk::kSinkFunctions = {
    [](void* walk, const Label& label, script::Value to) {
      static_cast<ScriptWalk*>(walk)->lead(label, to);
    },
    [](void* walk, std::uintptr_t address) { static_cast<ScriptWalk*>(walk)->count(address); },
    [](void* walk, const script::Container& container) {
      static_cast<ScriptWalk*>(walk)->describe(container);
    },
};

// ---- what readers ask -----------------------------------------------------------------------

bool ScriptWalk::is_there(const void* walk, std::uintptr_t begin, std::size_t bytes) {
  const auto* self = static_cast<const ScriptWalk*>(walk);
  std::uintptr_t end = 0;
  if (__builtin_add_overflow(begin, bytes, &end)) {
    return false;
  }
  if (begin >= self->there_begin_ && end <= self->there_end_) {
    return true;
  }
  std::uintptr_t at = begin;
  do {
    const Mapping* const mapping = self->memory_map_.find(at);
    if (mapping == nullptr || !mapping->readable || mapping->kind == MappingKind::kNothing) {
      return false;
    }
    self->there_begin_ = mapping->begin;
    self->there_end_ = mapping->end;
    at = mapping->end;
  } while (at < end);
  return true;
}

bool ScriptWalk::find_block(const void* walk, std::uintptr_t address, runtime::MemoryRange& block) {
  const Nodes& nodes = static_cast<const ScriptWalk*>(walk)->nodes_;
  if (!nodes.is_near(address)) {
    return false;
  }
  for (const NodeId node : {nodes.find_object(address), nodes.find_block(address)}) {
    if (node.exists()) {
      const std::uint64_t bytes = nodes.extent_of(node, nodes.info_of(node));
      block = {node.start(), node.start() + bytes};
      if (address - node.start() < bytes) {
        return true;
      }
    }
  }
  return false;
}

// ---- what readers tell ----------------------------------------------------------------------

WayId ScriptWalk::extend(const Label& label) {
  switch (label.kind) {
    case LabelKind::kSame:
      return way_;
    case LabelKind::kGlobalRoot:
    case LabelKind::kLocalRoot:
    case LabelKind::kLooseRoot:
      return ways_.begin(link_of(label, kFirstKind));
    case LabelKind::kMember:  // a list of a thousand nodes is one
      return ways_.extend(way_, link_of(label, kFirstKind), /*once=*/true);
    case LabelKind::kKey:
    case LabelKind::kElement:
      break;
  }
  return ways_.extend(way_, link_of(label, kFirstKind), /*once=*/false);
}

void ScriptWalk::lead(const Label& label, script::Value to) {
  if (is_late_ || !visited_.add(to.address)) {
    return;
  }
  const WayId before = way_;
  way_ = extend(label);
  count(to.address);
  if (to.kind != script::kLeaf) {
    const bool is_part = is_told_ && label.kind == LabelKind::kSame;
    overflowed_ = !values_.push({to, way_, is_part}) || overflowed_;
  }
  way_ = before;
  if (label.kind == LabelKind::kLooseRoot) {
    is_late_ = !drain();  // before the next one: what this one leads to is not loose
  }
}

// Memory that no value of a script lies in is no matter: libraries' own, and what has no record.
void ScriptWalk::count(std::uintptr_t address) {
  runtime::MemoryRange block{};
  if (!find_block(this, address, block) || !counted_.add(block.begin)) {
    return;
  }
  const NodeId object = nodes_.find_object(address);
  const bool is_object = object.exists() && object.start() == block.begin;
  const NodeId node = is_object ? object : NodeId::of_block(block.begin);
  counts_.count(nodes_.info_of(node).site(), way_);
}

void ScriptWalk::describe(const script::Container& container) {
  if (way_ == kUnknownWay || is_told_) {
    return;
  }
  is_told_ = true;
  Type& type = types_[way_];
  const bool is_counted = container.elements != script::kNotCounted;
  if (type.values == 0) {
    type = {container.type, 0, 0, is_counted};
  } else if (type.type != container.type) {
    type.type = 0;
  }
  type.elements += is_counted ? container.elements : 0;
  ++type.values;
}

// ---- the walk -------------------------------------------------------------------------------

bool ScriptWalk::drain() {
  unsigned to_look = kValuesPerLook;
  while (!values_.empty()) {
    const Entry entry = values_.pop();
    way_ = entry.way;
    is_told_ = entry.is_part;
    graph_.visit(entry.value, sink_);
    if (--to_look == 0) {
      to_look = kValuesPerLook;
      if (deadline_.has_passed()) {
        return false;
      }
    }
  }
  return true;
}

bool ScriptWalk::run() {
  for (unsigned rank = 0; rank < script::kRootRanks; ++rank) {
    way_ = kUnknownWay;
    is_told_ = false;
    graph_.visit_roots(rank, sink_);
    if (is_late_ || !drain()) {
      return false;
    }
  }
  return !overflowed_;
}

// Only what is reachable: the interpreter's list holds them.
bool ScriptWalk::list_kept(std::uint32_t sites, Pages<format::KeptRecord>& kept) {
  Pages<format::KeptRecord> by_site;
  if (graph_.is_kept == nullptr) {
    return true;
  }
  if (!by_site.map(sites)) {
    return false;
  }
  bool any = false;
  unsigned to_look = kValuesPerLook;
  nodes_.visit_all(/*marked=*/true, [&](NodeId node) {
    const NodeInfo& info = nodes_.info_of(node);
    const std::uintptr_t begin = node.start();
    table::Block block{};
    if (info.site() < sites &&
        graph_.is_kept({begin, begin + nodes_.extent_of(node, info)}, memory_) &&
        nodes_.look_up(node, block)) {
      any = true;
      by_site[info.site()].blocks += 1;
      by_site[info.site()].bytes += block.size;
    }
    if (--to_look == 0) {
      to_look = kValuesPerLook;
      is_late_ = deadline_.has_passed();
    }
    return !is_late_;
  });
  if (!any || is_late_) {
    return !is_late_;
  }
  if (!kept.map(sites)) {
    return false;
  }
  for (std::uint32_t site = 0; site < sites; ++site) {
    if (by_site[site].blocks != 0) {
      kept.add({site, 0, by_site[site].blocks, by_site[site].bytes});
    }
  }
  return true;
}

// ---- in words -------------------------------------------------------------------------------

// "(array, 400 elements)", "(3 arrays, 1,200 elements)", "(Node)", "(Node, 1,999 times)"
void ScriptWalk::write_type(WayId way, GraphText& text) const {
  const Type& type = types_[way];
  if (type.values == 0 || type.type == 0) {
    return;
  }
  const bool are_many = type.values > 1;
  text.add(" (");
  if (are_many && type.is_counted) {
    add_count(text, type.values);
    text.add_char(' ');
  }
  graph_.name_type(type.type, memory_, text);
  if (type.is_counted) {
    text.add(are_many ? "s, " : ", ");
    add_count(text, type.elements);
    text.add(type.elements == 1 ? " element" : " elements");
  } else if (are_many) {
    text.add(", ");
    add_count(text, type.values);
    text.add(" times");
  }
  text.add_char(')');
}

void ScriptWalk::write_label(const Label& label, bool keys, GraphText& text) const {
  if (label.kind == LabelKind::kElement || (label.kind == LabelKind::kKey && !keys)) {
    text.add("[*]");
  } else if (label.kind == LabelKind::kKey) {
    text.add_char('[');
    graph_.name(label, memory_, text);
    text.add_char(']');
  } else {
    graph_.name(label, memory_, text);
  }
}

LabelKind ScriptWalk::root_of(WayId way) const {
  while (ways_.holder_of(way) != kUnknownWay) {
    way = ways_.holder_of(way);
  }
  return label_of(ways_.last_link(way), kFirstKind).kind;
}

void ScriptWalk::write(WayId way, Style style, GraphText& text) const {
  format::LinkRecord links[Ways::kMostLinks];
  WayId ids[Ways::kMostLinks];
  unsigned count = ways_.list(way, links);
  for (unsigned i = count; i-- > 0; way = ways_.holder_of(way)) {
    ids[i] = way;
  }
  const auto is_element = [&](unsigned i) {
    const LabelKind kind = label_of(links[i], kFirstKind).kind;
    return kind == LabelKind::kElement || (kind == LabelKind::kKey && !style.keys);
  };
  while (count > 1 && is_element(count - 1)) {
    --count;  // what holds the elements says so already
  }
  for (unsigned i = 0; i < count; ++i) {
    const Label label = label_of(links[i], kFirstKind);
    text.add(label.kind == LabelKind::kMember ? "\n" : "");
    write_label(label, style.keys, text);
    const bool is_last = i + 1 == count;
    const bool ends = is_last || label_of(links[i + 1], kFirstKind).kind == LabelKind::kMember;
    if (style.types && (is_last || (ends && is_element(i)))) {
      write_type(ids[is_last ? i : i - 1], text);
    }
  }
}

}  // namespace seep::scan
