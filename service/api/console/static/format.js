// Times, sizes and values, for people.

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const UNITS = [["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3600], ["minute", 60]];
const DAY = 86_400_000;

export function relative(at) {
  const seconds = (new Date(at) - Date.now()) / 1000;
  // From one and a half of a unit on: "in 60 days" says more than "in 2 months".
  const [unit, length] = UNITS.find(([name, size]) => Math.abs(seconds) >= size * (name === "month" ? 3 : 1)) ?? ["second", 1];
  return Math.abs(seconds) < 45 ? "just now" : RELATIVE.format(Math.round(seconds / length), unit);
}

export const full = (at) => FULL.format(new Date(at));

// A text of the service, with its times for people.
export const withTimes = (text) => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)/g, full);

export const daysUntil = (at) => (new Date(at) - Date.now()) / DAY;

export function duration(milliseconds) {
  const minutes = Math.max(0, Math.ceil(milliseconds / 60_000));
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function size(bytes) {
  const power = bytes < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(bytes) / 10));
  const count = bytes / 1024 ** power;
  return `${count.toFixed(power > 0 && count < 10 ? 1 : 0)} ${["bytes", "KiB", "MiB", "GiB"][power]}`;
}

export function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

export function toBase64(bytes) {
  let text = "";
  // Too many arguments at once would overflow the stack.
  for (let start = 0; start < bytes.length; start += 8192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return btoa(text);
}

// The text that these bytes are in UTF-8, or null: then they are only to be saved as a file.
export function asText(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes("\u0000") ? null : text;
  } catch {
    return null;
  }
}

export const lastSegment = (path) => path.slice(path.lastIndexOf("/") + 1);

// "team/app/db" and "team/app/" are both in the folder "team/app/".
export const folderOf = (path) => path.slice(0, path.lastIndexOf("/") + 1);
