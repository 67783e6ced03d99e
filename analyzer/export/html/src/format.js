// Figures as `seep report` writes them (analyzer/model/figures.cpp).

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB", "EB"];

export function bytes(value) {
  let size = Math.abs(value);
  let unit = 0;
  while (size >= 999.5 && unit + 1 < UNITS.length) {
    size /= 1000;
    unit += 1;
  }
  const decimals = unit === 0 || size >= 99.95 ? 0 : size < 9.995 ? 2 : 1;
  return `${value < 0 ? "-" : ""}${size.toFixed(decimals)} ${UNITS[unit]}`;
}

export function signed(value) {
  return (value < 0 ? "" : "+") + bytes(value);
}

export function hourly(bytesPerSecond) {
  return `${signed(bytesPerSecond * 3600)}/h`;
}

export function hourlyRange([low, high]) {
  return `${bytes(low * 3600)} to ${bytes(high * 3600)} an hour`;
}

export function perUnit(value, unit) {
  const size = Math.abs(value);
  const amount = size < 9.995 ? `${size.toFixed(2)} B` : bytes(size);
  return `${value < 0 ? "-" : "+"}${amount}/${unit}`;
}

export function count(value) {
  return Math.round(value).toLocaleString("en-US");
}

export function blocks(value) {
  return `${count(value)} ${value === 1 ? "block" : "blocks"}`;
}

export function duration(seconds) {
  if (seconds < 0.9995) {
    return `${(seconds * 1000).toFixed(0)} ms`;
  }
  if (seconds < 59.95) {
    return seconds < 9.95 ? `${seconds.toFixed(1)} s` : `${seconds.toFixed(0)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < 3600) {
    return twoUnits(Math.floor(whole / 60), "m", whole % 60, "s");
  }
  const minutes = Math.floor(whole / 60);
  if (minutes < 24 * 60) {
    return twoUnits(Math.floor(minutes / 60), "h", minutes % 60, "m");
  }
  const hours = Math.floor(minutes / 60);
  return twoUnits(Math.floor(hours / 24), "d", hours % 24, "h");
}

function twoUnits(large, largeUnit, small, smallUnit) {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

export function percent(share) {
  const value = share * 100;
  return value !== 0 && value < 9.95 ? `${value.toFixed(1)} %` : `${value.toFixed(0)} %`;
}

/** A moment in an address: seconds, to the millisecond. */
export function momentName(seconds) {
  return String(Math.round(seconds * 1000) / 1000);
}

/** Never 1: no verdict is sure. */
export function confidence(value) {
  return Math.min(value, 0.99).toFixed(2);
}

/** The last part of a path. */
export function baseName(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** "server.cpp:29", or "" where nothing is known. */
export function place(frame) {
  return frame.file === "" ? "" : frame.line === 0 ? baseName(frame.file) : `${baseName(frame.file)}:${frame.line}`;
}
