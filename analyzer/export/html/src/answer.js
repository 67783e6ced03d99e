// The first thing on the page: what leaks, how fast, where, who holds it.
import { h } from "./dom.js";
import { blocks, bytes, confidence, count, hourly, perUnit, place } from "./format.js";
import { blamed } from "./filters.js";

const MOST_CARDS = 3;
const MOST_NOTES = 2;

export function rate(suspect) {
  if (suspect.per_unit !== null) {
    return perUnit(suspect.per_unit, suspect.unit);
  }
  const isNothing = suspect.growth === null || Math.abs(suspect.growth * 3600) < 0.5;
  return isNothing ? "" : hourly(suspect.growth);
}

/** "g_sessions (server) → std::list node"; "" where nobody knows. */
export function holders(suspect) {
  if (suspect.held_by?.length === 0 && suspect.verdict === "unreachable") {
    return "nothing: no pointer leads there";
  }
  return (suspect.held_by ?? []).map((holder) => holder.text).join(" → ");
}

/** The frames of a suspect that a reader must see: where, and called from where. */
export function where(data, suspect) {
  const stack = data.stack(suspect.stack);
  const frame = blamed(data, suspect);
  const caller = suspect.user_frame !== null && suspect.user_frame !== suspect.blame
    ? stack[suspect.user_frame] : stack[suspect.blame + 1];
  return [frame, caller];
}

function card(data, suspect, open) {
  const [frame, caller] = where(data, suspect);
  const speeds = [suspect.growth === null ? "" : hourly(suspect.growth),
    suspect.per_unit === null ? "" : perUnit(suspect.per_unit, suspect.unit)].filter((text) => text !== "");
  const held = holders(suspect);
  return h("button", { type: "button", class: "card", "data-id": suspect.id, onclick: () => open(suspect.id) },
    h("div", { class: "line" },
      h("span", { class: "rank" }, `#${suspect.rank}`), h("span", { class: `pill ${suspect.verdict}` }, suspect.verdict),
      h("strong", { class: "rate" }, speeds.join("  ")),
      h("span", { class: "muted" }, `${bytes(suspect.live_bytes)} in ${blocks(suspect.live_blocks)}`,
        suspect.confidence === null ? "" : `, confidence ${confidence(suspect.confidence)}`)),
    h("div", { class: "code clip" }, h("strong", {}, frame.name), h("span", { class: "muted" }, ` ${place(frame)}`)),
    caller === undefined ? null : h("div", { class: "code clip muted" }, `called by ${caller.name} ${place(caller)}`),
    held === "" ? null : h("div", { class: "code held" }, h("span", { class: "muted" }, "held by "), held));
}

// One or two are read, forty are not.
function noted(notes) {
  const list = (some) => h("ul", { class: "notes" }, some.map((note) => h("li", {}, note)));
  return notes.length === 0 ? null : notes.length <= MOST_NOTES ? list(notes)
    : h("details", { class: "muted" }, h("summary", {}, `${count(notes.length)} notes: ${notes[0]}`), list(notes));
}

// What grows where no call path leaks, by the report's cause.
const CAUSES = {
  retention: "No leak: memory that the allocator keeps grows",
  mmap: "No leak found, but mapped memory grows",
  stacks: "No leak found, but stacks grow",
  file: "No leak: pages of mapped files grow",
  shared: "No leak found, but shared memory grows",
};

/** What the first line says, and in which colour. */
function title(data) {
  const { totals, conclusion } = data.raw;
  if (totals.leak_suspects !== 0) {
    return [leaksTitle(data), "bad"];
  }
  if (totals.suppressed_suspects !== 0) {
    return [`No new leak: ${count(totals.suppressed_suspects)} suppressed`, "neutral"];
  }
  return conclusion.cause === "none" ? ["No leak found", "good"] : [CAUSES[conclusion.cause] ?? "Not judged", "neutral"];
}

function leaksTitle(data) {
  const { totals } = data.raw;
  const sum = data.suspects.filter((suspect) => suspect.leak && suspect.suppressed_by === null)
    .reduce((speed, suspect) => speed + Math.max(suspect.growth ?? 0, 0), 0);
  const leaks = totals.leak_suspects === 1 ? "1 leak" : `${count(totals.leak_suspects)} leaks`;
  return sum === 0 ? leaks : `${leaks}, ${hourly(sum)}`;
}

export function showAnswer(into, data, open, showLeaks) {
  const { conclusion, lines, totals, notes } = data.raw;
  const leaks = data.suspects.filter((suspect) => suspect.leak && suspect.suppressed_by === null);
  const more = leaks.length - MOST_CARDS;
  const heading = title(data);
  into.replaceChildren(...[
    h("h1", { class: heading[1] }, heading[0]),
    h("p", {}, conclusion.sentence, lines.explained, "."),
    lines.limit === "" ? null : h("p", {}, h("strong", {}, lines.limit)),
    noted(notes),
    ...leaks.slice(0, MOST_CARDS).map((suspect) => card(data, suspect, open)),
    more > 0 ? h("button", { type: "button", class: "plain", onclick: showLeaks }, `${count(more)} more leaks below`) : null,
    ...lines.shared.map((text) => h("p", { class: "code small held" }, text)),
    leaks.length === 0 && totals.smallest_leak_seen_bytes_per_h !== null
      ? h("p", { class: "muted" }, `A leak of ${bytes(totals.smallest_leak_seen_bytes_per_h)} an hour would have been seen.`) : null,
    h("p", { class: "muted" }, `Next: ${conclusion.action}`),
  ].filter((part) => part !== null));
}

