// Compares two snapshots (levels) or two recordings (growth per unit, else per second).
#pragma once

#include "analyzer/model/diff.h"
#include "analyzer/model/recording.h"

namespace seep::diff {

// Growth needs two moments on each side (growth.h); with fewer, levels at the last moments are
// compared. Sites are matched by kind and by the build-ids and offsets of their stacks. Rows are
// sorted by |bytes|, largest first; rows without any difference are left out, and rates of growth
// that turnover makes by chance are none. DiffRow::id and
// DiffRow::stack are left empty: they need symbols.
//
// Another build of a module has other offsets, so Diff::matched_by is kFunction when a module of
// one path has another build-id on each side, or when no stack is on both sides: then give every
// row its id and path_key and call merge_by_function().
//
// `warmup_s`: moments before it are left out of growth. A site is `appeared` (`vanished`) when
// nothing of it was alive in the old (new) side's moments.
model::Diff compare(const model::Recording& old_side, const model::Recording& new_side,
                    double warmup_s);

// Rows of equal id and kind become one: figures are added. The stack is that of the call path, by
// path_key, whose figures differ most, of the new side where it has one. Rows without a difference
// are dropped, the others sorted as compare() does.
void merge_by_function(model::Diff& diff);

}  // namespace seep::diff
