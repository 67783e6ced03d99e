// The rules that must all hold before a site is called growing. Each looks at one thing.
#pragma once

#include "analyzer/rank/curve.h"
#include "analyzer/rank/growth.h"
#include "analyzer/rank/survival.h"

namespace seep::rank {

// Gained something in at least three of the window's four quarters.
bool grew_throughout(const Growth& growth);

// The gain came earlier in the window than an even one would have, by more than chance: a cache
// that fills, or a leak under a falling load.
bool slows_down(const Curve& curve, const Growth& growth);

// So much earlier that it is ending: a quarter of the events or more are missing at the end.
bool is_ending(const Growth& growth);

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

// Of the blocks born long ago as large a share is alive as of those born since, as far as so few
// deaths can tell.
bool ages_do_not_matter(const Survival& survival);

// Births and deaths go on at one ratio from the first quarter to the last, many of both: whichever
// blocks die, more are born. So grows a queue that is read more slowly than it is filled.
bool releases_are_even(const Curve& curve, const Growth& growth);

// What died did so within a moment: of the blocks that were alive a horizon ago hardly one has died
// since, and the level never fell. How many come and go then says nothing of those that stay.
bool deaths_are_of_the_moment(const Curve& curve, const Growth& growth, const Survival& survival);

// Few blocks, nearly constant in number, whose bytes grow: a buffer that is enlarged.
bool few_blocks_grow(const Curve& curve, const Growth& growth);

// Enough bytes, in enough independent arrivals.
bool worth_naming(const Curve& curve, const Growth& growth);

// Of few blocks most were freed, and fewer stayed: as a leak's do, and as the spare ones that a
// pool or an interpreter keeps until it has enough of them. Amid thousands that are freed at once
// the few that stay are of another kind, and count as ever.
bool stays_by_chance(const Growth& growth);

// A gain that began late exceeds what the site ever fell by before.
bool exceeds_the_past(const Curve& curve, const Growth& growth);

}  // namespace seep::rank
