// The rules that must all hold before a site is called growing. Each looks at one thing.
#pragma once

#include "analyzer/rank/curve.h"
#include "analyzer/rank/growth.h"
#include "analyzer/rank/survival.h"

namespace seep::rank {

// Gained something in at least three of the window's four quarters.
bool grew_throughout(const Growth& growth);

// The second half at least 0.7 times as fast as the first.
bool kept_its_pace(const Growth& growth);

// Quarter by quarter slower, the last clearly below the second: a cache that fills.
bool bends_down(const Growth& growth);

// Slower in each quarter by more than chance, though not yet by much: a large cache, or a leak
// under falling load; only time can tell.
bool slows_down(const Growth& growth);

// No new maximum for much longer than ever before, though the pace until then would have brought
// one: it has stopped.
bool has_stalled(const Growth& growth);

// The gain is far above the scatter around the line.
bool above_noise(const Growth& growth);

// A larger share of the births dies in the second half than in the first: lives have an end that
// is only now being reached.
bool releases_rise(const Curve& curve, double from, const Survival& survival);

// The gain consists of blocks that stay: those of the first half are still alive, and blocks that
// have outlived the ordinary turnover do not die later.
bool blocks_stay(const Survival& survival);

// Few blocks, nearly constant in number, whose bytes grow: a buffer that is enlarged.
bool few_blocks_grow(const Curve& curve, const Growth& growth);

// Enough bytes, and enough blocks or enough steps unless they are large.
bool worth_naming(const Growth& growth);

// A gain that began late exceeds what the site went up and down by before.
bool exceeds_the_past(const Curve& curve, const Growth& growth);

}  // namespace seep::rank
