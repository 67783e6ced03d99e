// What a container that doubles refers to: the table of a hash map grows by steps, its nodes one by
// one. The nodes tell earlier that the map has stopped growing.
#pragma once

#include "analyzer/model/recording.h"
#include "analyzer/rank/judge.h"

namespace seep::rank {

// Whether at each step of the container the blocks of `elements` were as many as filled it, at one
// size for all steps.
bool filled_by(const Doubling& container, const model::SiteHistory& elements,
               const Timeline& timeline);

}  // namespace seep::rank
