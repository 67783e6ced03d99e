// Series over time, drawn by uPlot.
import uPlot from "uplot";
import { color } from "./dom.js";
import { bytes, duration } from "./format.js";

const FONT = "12px system-ui, sans-serif";
const charts = new Set();
// A chart that was drawn on a hidden tab, and one whose window changed.
const widths = new ResizeObserver(() => redrawCharts());

function axis(format, size) {
  return {
    stroke: () => color("muted"),
    grid: { stroke: () => color("line"), width: 1 },
    ticks: { stroke: () => color("line"), width: 1 },
    font: FONT,
    size,
    values: (_, splits) => splits.map((value) => (value === null ? "" : format(value))),
  };
}

/** As time on an axis: shorter than in a sentence. */
function clock(seconds) {
  return duration(seconds).replace(/ 0 \w$/, "");
}

const STEPS_OF_TIME = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200,
  1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 432000, 864000, 2592000, 8640000];

/**
 * lines: [{ label, values, color, width, dash, show, band }] over `times` in seconds. `mark(u)` draws on top,
 * `selected(from, to)` is told what was dragged over. `format` is that of the values.
 */
export function drawSeries(into, times, lines, { height = 240, format = bytes, mark, selected, legend = true, bands } = {}) {
  const options = {
    width: Math.max(into.clientWidth, 200),
    height,
    scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(low ?? 0, 0), (high || 1) * 1.06] } },
    axes: [{ ...axis(clock, 34), incrs: STEPS_OF_TIME, space: 70 }, axis(format, 66)],
    legend: { show: legend, live: true },
    cursor: { drag: { x: selected !== undefined, y: false, setScale: false }, points: { size: 6 } },
    bands,
    series: [
      { label: "at", value: (_, time) => (time === null ? "" : duration(time)) },
      ...lines.map((line) => ({
        label: line.label,
        stroke: line.color,
        width: line.width ?? 1.5,
        dash: line.dash,
        fill: line.fill,
        show: line.show ?? true,
        points: { show: line.dots || times.length < 2, size: 5 },
        spanGaps: true,
        value: (_, value) => (value === null || value === undefined ? "–" : format(value)),
      })),
    ],
    hooks: {
      draw: mark === undefined ? [] : [mark],
      setSelect: selected === undefined ? [] : [(u) => tellSelection(u, selected)],
    },
  };
  const chart = new uPlot(options, [times, ...lines.map((line) => line.values)], into);
  charts.add({ chart, into });
  widths.observe(into);
  return chart;
}

function tellSelection(chart, selected) {
  const { left, width } = chart.select;
  if (width > 3) {
    selected(chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
  }
}

/** A vertical line over the whole height, with a word at its top. */
export function verticalLine(chart, time, text, lineColor) {
  const { ctx, bbox } = chart;
  const x = Math.round(chart.valToPos(time, "x", true));
  if (x < bbox.left || x > bbox.left + bbox.width) {
    return;
  }
  const scale = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = lineColor;
  ctx.fillStyle = lineColor;
  ctx.lineWidth = scale;
  ctx.setLineDash([4 * scale, 3 * scale]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.font = `${11 * scale}px system-ui, sans-serif`;
  const isRight = x > bbox.left + bbox.width * 0.85;
  ctx.textAlign = isRight ? "right" : "left";
  ctx.fillText(text.slice(0, 40), x + (isRight ? -4 : 4) * scale, bbox.top + 11 * scale);
  ctx.restore();
}

/** A horizontal line over the whole width. */
export function horizontalLine(chart, value, text, lineColor) {
  const { ctx, bbox } = chart;
  const y = Math.round(chart.valToPos(value, "y", true));
  const scale = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = lineColor;
  ctx.fillStyle = lineColor;
  ctx.lineWidth = scale;
  ctx.setLineDash([6 * scale, 4 * scale]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${11 * scale}px system-ui, sans-serif`;
  ctx.fillText(text, bbox.left + 6 * scale, y - 4 * scale);
  ctx.restore();
}

/** Other colours, or another width of the window. Charts that left the page are forgotten. */
export function redrawCharts() {
  for (const entry of charts) {
    if (!entry.into.isConnected) {
      entry.chart.destroy();
      charts.delete(entry);
      widths.unobserve(entry.into);
    } else if (entry.into.clientWidth > 0) {
      entry.chart.setSize({ width: entry.into.clientWidth, height: entry.chart.height });
    }
  }
}
