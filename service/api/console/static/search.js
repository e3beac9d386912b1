// What the page Secrets asks the service for: a folder, one of its views, or what a search finds.

import { call } from "./api.js";

const PAGE = 100;
const SOON_DAYS = 30;
const DAY = 86_400_000;

// Whether this could be a path; the service decides.
export const isPath = (text) => /^[\w.@+=:,~-]+(\/[\w.@+=:,~-]+)*$/.test(text ?? "");

export const VIEWS = ["deleted", "unnamed", "soon"];

// The body of secret/list; `text` are words that must all be in the path or in a label.
export function query(folder, view, text) {
  return {
    limit: PAGE,
    recursive: text !== "" || Boolean(view),
    ...(folder && view !== "unnamed" && { prefix: folder }),
    ...(text && { match: text }),
    ...((view === "deleted" || view === "unnamed") && { [view]: true }),
    ...(view === "soon" && { ends_before: new Date(Date.now() + SOON_DAYS * DAY).toISOString() }),
  };
}

// Whoever may not list may still open what they know the path of, and a search can take longer than a call may.
export async function find(asked) {
  try {
    return await call("secret/list", asked);
  } catch (problem) {
    if (problem.status === 403) problem.members.openByPath = true;
    if (problem.status === 503 && (asked.match || asked.ends_before)) problem.members.searching = true;
    throw problem;
  }
}
