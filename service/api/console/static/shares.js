// The page Shares, and the one to make a link that shows a secret once.

import { time } from "./about_secret.js";
import { call } from "./api.js";
import { copyText } from "./clipboard.js";
import { contentFields } from "./content.js";
import { confirmed } from "./dialog.js";
import { badge, button, h, linkButton, replace } from "./dom.js";
import { full, toBase64 } from "./format.js";
import { qrCode } from "./qr.js";
import { may, principal } from "./session.js";
import { attempt, empty, part } from "./states.js";
import { T } from "./texts.js";

const HOUR = 3600;
const LIFETIMES = [HOUR, 24 * HOUR, 3 * 24 * HOUR, 7 * 24 * HOUR];
const KINDS = { waiting: "", looked: "warning", opened: "good", expired: "warning", revoked: "", locked: "danger" };
const words = T.shares;

export function sharesPage(main) {
  const content = part(() => call("share/list"), (page) => {
    const rows = h("ul", { class: "rows" }, page.shares.map((share) => row(share, content.reload)));
    return page.shares.length === 0 ? empty(
      words.none,
      may("share") && linkButton(words.make, "#/share", { kind: "primary", symbol: "link" }),
    ) : [rows, more(rows, page.next, content.reload)];
  });
  main.append(
    h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, words.title),
      h("div", { class: "actions" }, may("share") && linkButton(words.make, "#/share", { kind: "primary", symbol: "link" }))),
    h("section", { class: "card", "aria-label": words.title }, content));
  return words.title;
}

function more(rows, next, reload) {
  if (!next) return null;
  const place = h("div", { class: "body" }, h("div"), button(T.tokens.more, async (event) => {
    const page = await attempt(event.target, place.firstChild, () => call("share/list", { after: next }));
    if (page === undefined) return;
    rows.append(...page.shares.map((share) => row(share, reload)));
    place.replaceWith(more(rows, page.next, reload) ?? "");
  }));
  return place;
}

function row(share, reload) {
  const state = share.state === "waiting" && share.looked_at ? "looked" : share.state;
  const happened = share.opened_at ? [words.openedAt, share.opened_at, share.opened_from]
    : share.looked_at ? [words.lookedAt, share.looked_at, share.looked_from] : null;
  return h("li", {},
    h("div", {},
      h("strong", {}, share.for), " ", badge(words.states[state] ?? state, KINDS[state]),
      share.path && h("div", { class: "mono small" }, share.path),
      h(
        "div",
        { class: "note" },
        `${words.made} `,
        time(share.created_at),
        share.state === "waiting" && [` · ${words.ends} `, time(share.expires_at)],
      ),
      happened && h("div", { class: "small" }, `${happened[0]} `, time(happened[1]), happened[2] && ` ${T.secret.from(happened[2])}`)),
    h("div", { class: "actions" },
      share.state === "waiting"
        ? button(
          words.revoke,
          () => confirmed(
            words.revokeTitle,
            [h("p", {}, h("strong", {}, share.for)), words.revokeText],
            words.revoke,
            () => call("share/revoke", { share_id: share.share_id }),
          ).then((done) => done && reload()),
          { kind: "plain", about: share.for },
        )
        : share.path && h("a", { class: "button plain", href: `#/share/${share.path}` }, words.again)));
}

export function sharePage(main, path) {
  const most = principal()?.limits?.share_max_seconds ?? LIFETIMES.at(-1);
  const content = path ? null : contentFields(null);
  const whom = h("input", { id: "for", required: true, maxlength: "100", autocomplete: "off", "aria-describedby": "for-note" });
  const end = h("select", { id: "end" }, LIFETIMES.filter((seconds) => seconds <= most).map((seconds) =>
    h("option", { value: seconds, selected: seconds === 24 * HOUR }, words.lifetime(seconds / HOUR))));
  const passphrase = h(
    "input",
    {
      id: "passphrase",
      type: "text",
      class: "mono",
      autocomplete: "off",
      spellcheck: "false",
      minlength: "6",
      "aria-describedby": "passphrase-note",
    },
  );
  const qr = h("input", { type: "checkbox" });
  const problem = h("div");
  const go = h("button", { type: "submit", class: "primary" }, words.go);
  const place = h("section", { class: "card", "aria-label": words.newTitle });
  const make = async () => {
    const value = content?.read() ?? { path };
    if (value.error) return replace(problem, h("p", { class: "state problem", role: "alert" }, value.error));
    const made = await attempt(go, problem, () => call("share/create", {
      ...("bytes" in value ? { secret: toBase64(value.bytes) } : value),
      for: whom.value, expires_in: Number(end.value), ...(passphrase.value && { passphrase: passphrase.value }), ...(qr.checked && { qr: true }),
    }));
    if (made) replace(place, done(made, passphrase.value !== ""));
  };
  replace(place, h("form", { class: "body", onsubmit: (event) => { event.preventDefault(); make(); } },
    path ? h("div", { class: "field" }, h("strong", {}, words.existing), h("code", {}, path)) : content.node,
    h(
      "div",
      { class: "field" },
      h("label", { for: "for" }, words.forLabel),
      whom,
      h("p", { class: "note", id: "for-note" }, words.forNote),
    ),
    h("div", { class: "grid" },
      h("div", { class: "field" }, h("label", { for: "end" }, words.endsLabel), end),
      h(
        "div",
        { class: "field" },
        h("label", { for: "passphrase" }, words.passphrase),
        passphrase,
        h("p", { class: "note", id: "passphrase-note" }, words.passphraseNote),
      )),
    h("label", { class: "choice" }, qr, words.qr),
    problem, h("div", { class: "actions" }, go, linkButton(T.cancel, path ? `#/secret/${path}` : "#/shares"))));
  main.append(h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, words.newTitle)), place);
  return words.newTitle;
}

// The link is shown this once, and leaves with the page.
function done({ link, url: known, expires_at: until, qr }, needsPassphrase) {
  const url = known ?? `${location.origin}/share#${link}`;
  const place = h("div", { class: "body" },
    h("h2", { tabindex: "-1" }, words.doneTitle), h("p", { class: "warned", role: "status" }, words.once),
    h("div", { class: "value" }, url),
    qr && qrCode(qr, words.qrTitle),
    needsPassphrase && h("p", { class: "note" }, words.passphraseApart),
    h("div", { class: "actions" },
      button(words.copy, () => copyText(url), { kind: "primary", symbol: "copy" }),
      button(words.copyInstructions, () => copyText(words.instructions(url, full(until), needsPassphrase)), { symbol: "copy" })),
    h("a", { href: "#/shares" }, words.toShares));
  window.addEventListener("hide-values", () => replace(place), { once: true });
  return place;
}
