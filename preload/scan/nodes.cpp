#include "preload/scan/nodes.h"

namespace seep::scan {

void Nodes::widen() {
  const bool any = objects_.low() != objects_.high();
  low_ = objects_.low() < blocks_.low() ? objects_.low() : blocks_.low();
  high_ = any && (blocks_.low() == blocks_.high() || objects_.high() > blocks_.high())
              ? objects_.high()
              : blocks_.high();
}

bool Nodes::add_block(const table::Block& block) {
  const bool done = blocks_.add(block);
  widen();
  return done;
}

bool Nodes::add_object(const table::Block& object) {
  table::Block arena;
  if (blocks_.find(object.address, arena)) {
    blocks_.note_arena(arena.address);
  }
  const bool done = objects_.add(object);
  widen();
  return done;
}

bool Nodes::is_overlaid(const table::Block& object) const {
  const std::uintptr_t last = object.address + bytes_of(object) - 1;
  table::Block block;
  if (blocks_.find(object.address, block)) {
    return block.birth > object.birth || !holds(block, last);
  }
  return blocks_.is_near(last) && blocks_.find_start(last) > object.address;
}

NodeId Nodes::arena_of(NodeId object) const {
  table::Block arena;
  return object.is_object() && blocks_.find(object.start(), arena) ? NodeId::of_block(arena.address)
                                                                   : NodeId();
}

}  // namespace seep::scan
