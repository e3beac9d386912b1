// Who is signed in, and for how long.  A token is exchanged for a session at once, and kept nowhere.

import { call, useCredential } from "./api.js";

const KEY = "session";
const IDLE = 15 * 60_000;
const WARN_AT = 14 * 60_000;
const RENEW_EVERY = 5 * 60_000;

export const AUTHENTICATION = document.documentElement.dataset.authentication === "on";

const others = new BroadcastChannel("console");
let current = null;
let who = null;
let active = Date.now();
let renewed = 0;
let renewal = null;

export const principal = () => who;
export const endsAt = () => current && Date.parse(current.ends_at);
export const idleLeft = () => active + IDLE - Date.now();
export const warns = () => Date.now() - active >= WARN_AT;

// Resolves to whether somebody is signed in: without authentication everybody is, and F5 keeps a session.
export async function restore() {
  if (AUTHENTICATION) {
    const kept = sessionStorage.getItem(KEY);
    if (kept === null) return false;
    take(JSON.parse(kept));
  }
  try {
    who = await call("token/whoami");
  } catch (problem) {
    if (problem.status !== 401) throw problem;
    drop();
    return false;
  }
  return true;
}

export async function signIn(token) {
  const session = await call("session/create", {}, { bearer: token });
  take(session);
  sessionStorage.setItem(KEY, JSON.stringify(session));
  who = await call("token/whoami");
  active = renewed = Date.now();
}

function take(session) {
  current = session;
  useCredential(session.session, session.session.split("_")[1]);
}

function drop() {
  current = who = null;
  clearTimeout(renewal);
  renewal = null;
  sessionStorage.removeItem(KEY);
  useCredential(null);
}

// Ends the session here and, unless another tab said so, in all tabs.
export function lock(everywhere = true) {
  if (current !== null) call("session/revoke", {}, { keepalive: true }).catch(() => {});
  if (everywhere) others.postMessage("lock");
  drop();
  window.dispatchEvent(new Event("hide-values"));
  window.dispatchEvent(new Event("console-locked"));
}

others.addEventListener("message", () => who !== null && lock(false));

function touch() {
  active = Date.now();
  // Later in these minutes would be too late: the service counts from the last renewal.
  if (current !== null) renewal ??= setTimeout(renew, Math.max(0, renewed + RENEW_EVERY - Date.now()));
}

async function renew() {
  renewal = null;
  renewed = Date.now();
  try {
    const answer = await call("session/renew");
    current = { ...current, ...answer };
    sessionStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // A session that has ended says so itself; anything else is tried with the next touch.
  }
}

for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, touch, { capture: true, passive: true });
// The back/forward cache must have no values.
window.addEventListener("pagehide", () => window.dispatchEvent(new Event("hide-values")));

// Whether the caller's scopes allow it, at the path if one is given ("" is none that a pattern covers); the service decides, this only chooses what is shown.
export function may(action, path = null) {
  return (who?.scopes ?? []).some((scope) => {
    const [word, pattern] = scope.split(":");
    if (word === "admin") return true;
    if (word !== action) return false;
    return path === null || pattern === undefined || covers(pattern, path);
  });
}

// The token that the installation made: people should have their own.
export function isFirstAdministrator() {
  return who?.token?.created_by === "operator" && who.scopes.includes("admin");
}

// A pattern of a scope or a grant: a path, "folder/*", or "*".
export function covers(pattern, path) {
  if (pattern === "*") return true;
  return pattern.endsWith("/*") ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
}
