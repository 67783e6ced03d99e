// The line that was fitted to a suspect's growth, as a series to draw.

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Theil–Sen's slope is the report's; its line goes through the medians of times and values in the window that
 * was fitted, and so do the two that bound it. Null where there is no slope, or several processes add up.
 */
export function trend(data, suspect, times, values) {
  const process = data.onlyProcess(suspect);
  if (suspect.growth === null || suspect.growth_range === null || process === null) {
    return null;
  }
  const from = data.starts[process] + (suspect.growth_from_s ?? 0);
  const inside = times.map((_, i) => i).filter((i) => times[i] >= from);
  if (inside.length < 2) {
    return null;
  }
  const time = median(inside.map((i) => times[i]));
  const value = median(inside.map((i) => values[i] - suspect.growth * (times[i] - time)));
  const line = (slope) => times.map((at) => (at >= from ? Math.max(value + slope * (at - time), 0) : null));
  return { line: line(suspect.growth), low: line(suspect.growth_range[0]), high: line(suspect.growth_range[1]) };
}
