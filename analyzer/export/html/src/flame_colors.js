// Colours of frames. Text on them is black in both themes.

const HUES = { native: [18, 42], PHP: [250, 285], Python: [165, 195], JIT: [90, 120], other: [40, 60] };

function hash(text) {
  let value = 0;
  for (let i = 0; i < Math.min(text.length, 60); i += 1) {
    value = (value * 31 + text.charCodeAt(i)) >>> 0;
  }
  return value;
}

/** By language, and within it by name. */
export function colorOfFrame(name, language) {
  const [from, to] = HUES[language] ?? HUES.other;
  const number = hash(name);
  return `hsl(${from + (number % (to - from))} ${70 + (number % 20)}% ${66 + (number % 9)}%)`;
}

/** Red for what grew, blue for what shrank; pale where both nearly cancel out. */
export function colorOfChange(delta, value) {
  const share = value === 0 ? 0 : Math.min(Math.abs(delta) / value, 1);
  return delta >= 0 ? `hsl(4 ${Math.round(85 * share)}% ${Math.round(90 - 24 * share)}%)`
    : `hsl(212 ${Math.round(85 * share)}% ${Math.round(90 - 22 * share)}%)`;
}

export const COLOR_OF_FOUND = "#d68cff";
