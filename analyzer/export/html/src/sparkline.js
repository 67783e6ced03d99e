// The shape of a series in a row of the table.
import { svg } from "./dom.js";

const WIDTH = 110;
const HEIGHT = 22;

/** `times` and `values` of one length; `isLeak` decides the colour. */
export function sparkline(times, values, isLeak) {
  const span = times.at(-1) - times[0] || 1;
  const top = values.reduce((most, value) => Math.max(most, value), 1);
  const points = values.map((value, i) => {
    const x = 1 + ((times[i] - times[0]) / span) * (WIDTH - 2);
    return `${x.toFixed(1)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1)}`;
  });
  if (points.length === 1) {
    const dot = svg("circle", { cx: WIDTH / 2, cy: HEIGHT / 2, r: 2, class: isLeak ? "leak" : "calm" });
    return svg("svg", { width: WIDTH, height: HEIGHT, class: "spark", "aria-hidden": "true" }, dot);
  }
  const line = svg("polyline", { points: points.join(" "), class: isLeak ? "leak" : "calm" });
  return svg("svg", { width: WIDTH, height: HEIGHT, class: "spark", "aria-hidden": "true" }, line);
}
