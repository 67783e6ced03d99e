"""What a set of outcomes amounts to: recall at rank 1, false claims, calibration."""
import math

# Bins of confidence that a calibration is told for, and the fewest rows for a claim.
BINS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0001)
LEAST_ROWS = 30


def wilson(right, rows, z=1.96):
    """Wilson's score interval of a share, 95 %."""
    if rows == 0:
        return 0.0, 1.0
    share = right / rows
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return max(0.0, middle - half), min(1.0, middle + half)


def share_text(right, rows):
    low, high = wilson(right, rows)
    share = f"{100 * right / rows:.1f} %" if rows else "-"
    return f"{right} of {rows} ({share}, {100 * low:.1f}–{100 * high:.1f})"


def summary(name, outcomes):
    """Lines on one part of the set."""
    leaks = [outcome for outcome in outcomes if outcome.label.leaks]
    sound = [outcome for outcome in outcomes if not outcome.label.leaks]
    found = sum(outcome.found for outcome in leaks)
    accused = sum(bool(outcome.claims) for outcome in sound)
    lines = [f"{name}: leaking function in the first row: {share_text(found, len(leaks))}",
             f"{name}: programs without a leak that were accused: {share_text(accused, len(sound))}"]
    behave = sum(outcome.behaves for outcome in sound)
    lines.append(f"{name}: of these, behaviour as labelled: {share_text(behave, len(sound))}")
    others = sum(not outcome.is_leaking(row) for outcome in leaks for row in outcome.claims)
    lines.append(f"{name}: rows of leaking programs that accuse something else: {others}")
    return lines


def judged_rows(outcome):
    """Rows whose truth is known, with whether `leak` is right. A leaking function also makes what it frees, and
    its leak may have several rows: of what it makes, the rows that are called a leak count, or the first if none
    is."""
    leaking = [row for row in outcome.rows if outcome.is_leaking(row)]
    claimed = [row for row in leaking if row.leak] or leaking[:1]
    others = [row for row in outcome.rows if not outcome.is_leaking(row)]
    return [(row, row.leak) for row in claimed] + [(row, not row.leak) for row in others]


def calibration(outcomes):
    """Lines: for each bin of confidence, how often `leak` was right."""
    rows = [(row.confidence, right) for outcome in outcomes for row, right in judged_rows(outcome)
            if row.confidence is not None]
    lines = []
    for low, high in zip(BINS, BINS[1:]):
        inside = [(confidence, right) for confidence, right in rows if low <= confidence < high]
        if not inside:
            continue
        mean = sum(confidence for confidence, _ in inside) / len(inside)
        right = sum(right for _, right in inside)
        said = f"mean {mean:.3f}, right {share_text(right, len(inside))}"
        claim = "" if len(inside) >= LEAST_ROWS else f"  (fewer than {LEAST_ROWS} rows: no claim)"
        lines.append(f"confidence {low:.2f}–{min(high, 1):.2f}: {said}{claim}")
    return lines or ["no row has a confidence"]


def mistakes(outcomes):
    """Lines: each program that was judged wrongly, and why."""
    lines = []
    for outcome in outcomes:
        label = outcome.label
        if outcome.trouble:
            lines.append(f"{label.name} ({label.part}): {outcome.trouble}")
        elif label.leaks and not outcome.found:
            rows = [row for row in outcome.rows if outcome.is_leaking(row)][:2]
            first = outcome.rows[0] if outcome.rows else None
            said = "; ".join(f"{row.behaviour}: {row.why}" for row in rows) or "no row of it"
            blamed = f"first row blames {first.function}; " if first and first.leak else ""
            lines.append(f"{label.name} ({label.part}): missed: {blamed}{said}")
        elif not label.leaks and outcome.claims:
            lines.extend(f"{label.name} ({label.part}): accused {row.function}: {row.behaviour}: {row.why}"
                         for row in outcome.claims)
        elif not label.leaks and not outcome.behaves:
            row = next((row for row in outcome.rows if outcome.is_meant(row)), None)
            said = f"{row.behaviour}: {row.why}" if row else "no row of it"
            lines.append(f"{label.name} ({label.part}): not among {'|'.join(label.behaviours)}: {said}")
    return lines


def failed(outcomes, least_recall=0.95):
    """Whether the set misses what is to be reached."""
    leaks = [outcome for outcome in outcomes if outcome.label.leaks]
    recall = sum(outcome.found for outcome in leaks) / len(leaks) if leaks else 1
    accused = any(outcome.claims for outcome in outcomes if not outcome.label.leaks)
    return recall < least_recall or accused or any(outcome.trouble for outcome in outcomes)
