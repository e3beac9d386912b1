// Finds secrets by words in paths and labels, or by their end, in the pages that the service lists.

import { call } from "./api.js";

const PAGES = 5;
const PER_PAGE = 1000;

// What `secret/list` would answer, of only those that `wanted` accepts; `stopped` is where it gave up, if it did.
export async function findAmong(asked, wanted) {
  const found = { secrets: [], folders: [], altered: [], cursor: null, stopped: null };
  let cursor = null;
  for (let number = 0; number < PAGES; number++) {
    const page = await call("secret/list", { ...asked, recursive: true, limit: PER_PAGE, ...(cursor && { cursor }) });
    found.secrets.push(...page.secrets.filter(wanted));
    found.altered.push(...page.altered);
    cursor = page.cursor;
    if (cursor === null) return found;
    found.stopped = page.secrets.at(-1)?.path ?? null;
  }
  return found;
}

// Whether each word is in the path or in a label, in whatever case.
export function hasWords(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return ({ path, labels }) => {
    const whole = [path ?? "", ...Object.entries(labels).flat()].join("\n").toLowerCase();
    return words.every((word) => whole.includes(word));
  };
}

export function endsBefore(at) {
  return ({ expires_at: end }) => end !== null && Date.parse(end) < at;
}
