// The page of `seep export --to html`: reads its data, and puts the views together.
import { showAbout } from "./about.js";
import { showAnswer } from "./answer.js";
import { redrawCharts } from "./charts.js";
import { load } from "./data.js";
import { byId, h } from "./dom.js";
import { Filters } from "./filters.js";
import { Flame } from "./flame.js";
import { Growth } from "./growth.js";
import { State } from "./state.js";
import { Suspects } from "./suspects.js";
import { setUpTheme } from "./theme.js";

const TABS = { suspects: "Suspects", flame: "Flame graph", about: "About this run" };

function setUpTabs(state) {
  const buttons = Object.entries(TABS).map(([name, label]) =>
    h("button", { type: "button", "data-tab": name, onclick: () => state.set({ tab: name }) }, label));
  byId("tabs").replaceChildren(...buttons);
  const show = () => {
    const chosen = state.get("tab") in TABS ? state.get("tab") : "suspects";
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.tab === chosen));
      byId(button.dataset.tab).hidden = button.dataset.tab !== chosen;
    }
    byId("filters").hidden = chosen === "about";
  };
  state.listen(show);
  show();
}

function show(data) {
  const state = new State();
  const open = (id) => {
    state.set({ tab: "suspects", id, q: "", kind: "", language: "", module: "", entry: "", process: "" });
    document.querySelector("tr.open")?.scrollIntoView({ block: "start", behavior: "smooth" });
  };
  const showLeaks = () => {
    state.set({ tab: "suspects", leaks: "1" });
    byId("filters").scrollIntoView({ behavior: "smooth" });
  };
  byId("run").textContent = data.raw.lines.run;
  document.title = `seep: ${data.raw.lines.run}`;
  byId("main").hidden = false;
  setUpTabs(state);
  showAnswer(byId("answer"), data, open, showLeaks);
  new Growth(byId("growth"), data, state);
  const filters = new Filters(byId("filters"), data, state);
  new Suspects(byId("suspects"), data, state, filters);
  new Flame(byId("flame"), data, state, filters);
  showAbout(byId("about"), data);
}

async function start() {
  setUpTheme(byId("theme"), redrawCharts);
  try {
    show(await load(byId("data").textContent.trim()));
    document.documentElement.dataset.readyMs = performance.now().toFixed(0); // for bench/figures/page.py
    document.documentElement.dataset.ready = "1";
  } catch (error) {
    const text = typeof DecompressionStream === "undefined"
      ? "This browser is too old for the page; use one of 2023 or later, or `seep report PATH`." : String(error);
    byId("problem").textContent = text;
    byId("problem").hidden = false;
    throw error;
  }
}

start();
