// What the recording is: processes, settings of the judgement, losses, licences.
import { byId, h } from "./dom.js";
import { count, duration } from "./format.js";

function ending({ how, status, signal }) {
  return how === "exit" ? `exit ${status}` : how === "signal" ? `signal ${signal}` : how;
}

function processes(data) {
  const names = ["Process", "Started", "Ran for", "End", "Snapshots", "Mode", "Command"];
  return h("div", { class: "wide" }, h("table", {}, h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, data.processes.map((process, i) => h("tr", {},
      h("td", { class: "code" }, process.id),
      h("td", {}, process.started_ms === 0 ? "" : new Date(process.started_ms).toISOString().replace("T", " ").slice(0, 19) + " UTC"),
      h("td", {}, duration(process.duration_s)),
      h("td", {}, ending(process.end)),
      h("td", {}, count(data.ranges[i][1] - data.ranges[i][0])),
      h("td", {}, process.mode),
      h("td", { class: "code" }, process.command.join(" ").slice(0, 400)))))));
}

export function showAbout(into, data) {
  const { work, losses, lines, seep } = data.raw;
  const lost = Object.entries(losses).map(([name, value]) => `${name}: ${count(value)}`);
  const sentences = [
    lines.scan, lines.suppressions,
    work === null ? "" : `${count(work.done)} units of work (${work.unit}): ${work.counted_by}`,
    lost.length === 0 ? "Nothing was lost while recording." : `Lost while recording: ${lost.join(", ")}`,
    Object.keys(data.raw.sources).length === 0 ? "" : "Lines of source are those of the files as they were when this page was made.",
  ].filter((text) => text !== "");
  into.replaceChildren(h("h2", {}, "Processes"), processes(data), ...sentences.map((text) => h("p", {}, text)),
    h("p", { class: "muted" }, `Made by seep ${seep}. This file needs no network and no other file.`),
    h("details", {}, h("summary", {}, "Licences of the libraries in this page"),
      h("pre", { class: "licences" }, byId("licences").textContent)));
}
