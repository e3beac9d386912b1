// The page for the recipient of a link.  Loading it consumes nothing; only a real click on the button does.

import { call, randomHex } from "./api.js";
import { copySecret } from "./clipboard.js";
import { button, h, icon, replace } from "./dom.js";
import { fromBase64, full } from "./format.js";
import { saveFile, shown, timeBar } from "./shown.js";
import { attempt, problemView } from "./states.js";
import { T } from "./texts.js";

const LINK = /^#(sml_[0-9a-f]{16}_[0-9a-f]{72})$/;
const SHOWN_FOR = 5 * 60_000;
const ATTEMPT_BYTES = 16;
const words = T.share;

const card = h("main", { class: "card wide", tabindex: "-1" });
// The same for each click on this page: if the answer to the first was lost, the service knows that it was us.
const ownAttempt = randomHex(ATTEMPT_BYTES);

function view(title, ...content) {
  replace(card, h("p", { class: "brand" }, icon("shield"), T.product), h("h1", { tabindex: "-1" }, title), content);
  card.querySelector("h1").focus();
}

async function peek() {
  const link = LINK.exec(location.hash)?.[1];
  if (link === undefined) return view(words.incomplete.title, h("p", {}, words.incomplete.text));
  try {
    const share = await call("share/peek", { link });
    if (share.state === "waiting") waiting(link, share);
    else if (share.state === "opened") opened(share.opened_at, share.opened_from);
    else ended();
  } catch (problem) {
    if (problem.status === 404) ended();
    else view(words.title, problemView(problem, peek));
  }
}

function waiting(link, { expires_at: until, passphrase: needsPassphrase }) {
  const problem = h("div");
  const field = needsPassphrase && h("input", { id: "passphrase", type: "password", autocomplete: "off", spellcheck: "false" });
  const show = button(words.show, (event) => reveal(event, show, problem, link, field), { kind: "primary", symbol: "eye" });
  view(words.title,
    h("p", {}, words.waiting), h("p", { class: "muted" }, words.until(full(until))), h("p", { class: "muted" }, words.ready),
    needsPassphrase && h(
      "div",
      { class: "field" },
      h("label", { for: "passphrase" }, words.passphrase),
      field,
      h("p", { class: "note" }, words.passphraseNote),
    ),
    problem, h("div", {}, show));
}

// A script's click is no click, whoever sends it.
async function reveal(event, show, place, link, field) {
  if (!event.isTrusted || !navigator.userActivation.isActive) return;
  const body = { link, attempt: ownAttempt, ...(field && { passphrase: field.value }) };
  await attempt(show, place, async () => {
    try {
      revealed(await call("share/reveal", body));
    } catch (problem) {
      if (problem.status === 0) replace(place, h("div", { class: "state problem", role: "alert" }, h("strong", {}, words.unreachable.title), h("p", {}, words.unreachable.text)));
      else if (problem.type === "wrong-passphrase") replace(
        place,
        h("p", { class: "state problem", role: "alert" }, problem.detail),
      );
      else if (problem.status === 404) refused(problem);
      else throw problem;
    }
  });
}

function revealed({ secret }) {
  const bytes = fromBase64(secret);
  history.replaceState(null, "", location.pathname);
  const hide = () => {
    clearTimeout(timer);
    window.dispatchEvent(new Event("hide-values"));
    view(words.shownTitle, h("p", { role: "status" }, words.hidden));
  };
  const timer = setTimeout(hide, SHOWN_FOR);
  // The back/forward cache must not have it.
  window.addEventListener("pagehide", hide, { once: true });
  view(words.shownTitle, shown(bytes), timeBar(SHOWN_FOR), h("p", { class: "warned" }, words.keep),
    h("div", { class: "actions" },
      button(T.copy, () => copySecret(async () => bytes), { kind: "primary", symbol: "copy" }),
      button(T.value.save, () => saveFile(bytes, "secret"), { symbol: "save" }),
      button(T.value.hide, hide)),
    h("p", { class: "note" }, words.seen(full(new Date()))));
}

function refused({ type, members }) {
  if (type !== "share-opened") ended();
  else if (members.same_attempt) view(words.lost.title, h("p", {}, words.lost.text));
  else opened(members.at, members.from);
}

function opened(at, from) {
  view(words.opened.title, h("p", {}, words.opened.text(full(at), from)), h("p", { class: "warned" }, words.opened.alarm));
}

function ended() {
  view(words.ended.title, h("p", {}, words.ended.text));
}

replace(document.body, h("div", { class: "alone" }, card));
// Another link in the same tab is another page.
window.addEventListener("hashchange", () => location.hash && peek());
peek();
