// Light, dark, or as the system says.
const ORDER = ["auto", "light", "dark"];
const LABELS = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" };

function stored() {
  try {
    return localStorage.getItem("seep-theme");
  } catch {
    return null; // storage may be forbidden for files
  }
}

function store(theme) {
  try {
    localStorage.setItem("seep-theme", theme);
  } catch {
    // the choice lasts as long as the page
  }
}

/** Lets the button switch; `changed` is called whenever other colours hold. */
export function setUpTheme(button, changed) {
  const apply = (theme) => {
    document.documentElement.dataset.theme = theme;
    button.textContent = LABELS[theme];
    changed();
  };
  let theme = ORDER.includes(stored()) ? stored() : "auto";
  apply(theme);
  button.addEventListener("click", () => {
    theme = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length];
    store(theme);
    apply(theme);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}
