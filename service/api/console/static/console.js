// The frame of the console: who is signed in, where one is, and the page that belongs to the address.

import { auditPage } from "./audit.js";
import { button, h, icon, replace } from "./dom.js";
import { openDialog } from "./dialog.js";
import { duration } from "./format.js";
import { showHelp } from "./keys.js";
import { newPage } from "./new.js";
import { secretPage } from "./secret.js";
import { secretsPage } from "./secrets.js";
import { AUTHENTICATION, endsAt, idleLeft, isFirstAdministrator, lock, principal, restore, warns } from "./session.js";
import { sharePage, sharesPage } from "./shares.js";
import { askAgain, signInPage } from "./sign_in.js";
import { problemView } from "./states.js";
import { statusPage } from "./status.js";
import { T } from "./texts.js";
import { tokenPage } from "./token.js";
import { tokensPage } from "./tokens.js";
import { versionPage } from "./version.js";

const SHARES = document.documentElement.dataset.share === "on";

// Each page: (main, rest of the address) → its title.  The third is what it belongs to in the navigation.
const PAGES = {
  secrets: [secretsPage, "secrets"],
  secret: [secretPage, "secrets"],
  new: [newPage, "secrets"],
  version: [versionPage, "secrets"],
  shares: [sharesPage, "shares"],
  share: [sharePage, "shares"],
  tokens: [tokensPage, "tokens"],
  token: [tokenPage, "tokens"],
  audit: [auditPage, "audit"],
  status: [statusPage, "status"],
};
const NAVIGATION = [["secrets", "key"], ["shares", "link"], ["tokens", "token"], ["audit", "log"], ["status", "status"]]
  .filter(([name]) => SHARES || name !== "shares");

const main = h("main", { id: "main", class: "page", tabindex: "-1" });
const remaining = h("p", { class: "note" });
let clock = null;
let warning = null;

function frame() {
  const who = principal();
  const nav = NAVIGATION.map(([name, symbol]) =>
    h("li", {}, h("a", { href: `#/${name}`, "data-page": name }, icon(symbol), T.navigation[name])));
  replace(document.body,
    h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, T.skip),
    h("div", { class: "frame" },
      h("header", { class: "sidebar" },
        h("p", { class: "brand" }, icon("shield"), T.product),
        h("nav", { "aria-label": T.product }, h("ul", {}, nav)),
        h("div", { class: "who" },
          h("strong", {}, who.token?.name ?? who.actor),
          AUTHENTICATION && remaining,
          h("div", {}, button(T.keys.title, showHelp, { kind: "plain" })),
          AUTHENTICATION && button(T.lock, () => lock(), { symbol: "lock" }))),
      main));
}

function show() {
  const [, name, rest] = location.hash.match(/^#\/([a-z]+)\/?(.*)$/) ?? [null, "secrets", ""];
  const [page, group] = Object.hasOwn(PAGES, name) ? PAGES[name] : PAGES.secrets;
  window.dispatchEvent(new Event("hide-values"));
  for (const link of document.querySelectorAll("nav a[data-page]")) {
    if (link.dataset.page === group) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  replace(
    main,
    !AUTHENTICATION && h("p", { class: "banner" }, T.noAuthentication),
    isFirstAdministrator() && h("p", { class: "banner" }, T.tokens.first, " ", h("a", { href: "#/token/administrator" }, T.tokens.makeOwn)),
  );
  document.title = `${page(main, decoded(rest))} · ${T.product}`;
  const heading = main.querySelector("h1");
  (heading ?? main).focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

// Whoever sends a link chooses what is in it: what is no valid escape stays as it is.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function tick() {
  const left = endsAt() - Date.now();
  if (idleLeft() <= 0) lock();
  // Whoever is at work signs in over the page, and what they typed stays.
  else if (left <= 0) askAgain();
  else if (warns()) warn();
  // Any key and any pointer is an answer.
  else warning?.close();
  remaining.textContent = T.remaining(duration(idleLeft()), duration(left));
}

// Asks before the page locks.
function warn() {
  if (warning !== null) return;
  const stay = button(T.idle.stay, () => warning.close(), { kind: "primary" });
  warning = openDialog(
    T.idle.title,
    [h("p", { role: "status" }, T.idle.text), h("div", { class: "actions" }, button(T.lock, () => lock()), stay)],
  );
  warning.addEventListener("close", () => { warning = null; });
  stay.focus();
}

function start() {
  frame();
  show();
  if (AUTHENTICATION) {
    tick();
    clock = setInterval(tick, 1000);
  }
}

function signInFirst(locked) {
  clearInterval(clock);
  replace(document.body, signInPage(locked, start));
  document.title = `${T.signIn.title} · ${T.product}`;
  document.getElementById("token")?.focus();
}

window.addEventListener("hashchange", () => principal() !== null && show());
window.addEventListener("session-ended", askAgain);
window.addEventListener("console-locked", () => {
  replace(main);
  warning = null;
  signInFirst(true);
});
async function begin() {
  try {
    if (await restore()) start();
    else signInFirst(false);
  } catch (problem) {
    replace(
      document.body,
      h("div", { class: "alone" }, h("main", { class: "card" }, h("h1", {}, T.product), problemView(problem, begin))),
    );
  }
}

begin();
