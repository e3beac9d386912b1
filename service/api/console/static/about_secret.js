// What several pages show of a secret, and copying its value.

import { call } from "./api.js";
import { copySecret } from "./clipboard.js";
import { confirmed } from "./dialog.js";
import { badge, h } from "./dom.js";
import { daysUntil, fromBase64, full, relative } from "./format.js";
import { T } from "./texts.js";

const URGENT_DAYS = 7;
const SOON_DAYS = 30;
const words = T.secrets;

export const addressOf = ({ path, secret_id: id }) => (path ? `#/secret/${path}` : `#/secret/?${id}`);

// The page Audit log with these filters.  A path may have what stands for something else in an address.
export const auditAddress = (asked) => `#/audit/?${encodeURIComponent(new URLSearchParams(asked))}`;

// The folders above, as links; the last one is where one is.
export function crumbs(path, beyond = false) {
  const names = path.replace(/\/$/, "").split("/").filter(Boolean);
  const links = names.map((name, index) => [name, `#/secrets/${names.slice(0, index + 1).join("/")}/`]);
  const all = [[words.all, "#/secrets"], ...links];
  return h("nav", { "aria-label": words.folders },
    h("ol", { class: "crumbs" }, all.map(([name, href], index) =>
      h("li", {}, index < all.length - 1 || beyond ? h("a", { href }, name) : h("span", { "aria-current": "page" }, name)))));
}

export const refOfSecret = ({ path, secret_id: id }) => (path ? { path } : { secret_id: id });

// A limited read is never taken unasked.
export function copyFrom(secret, version) {
  const take = () => copySecret(
    async () => fromBase64((await call("secret/fetch", { ...refOfSecret(secret), ...(version && { version }) })).secret),
  );
  if (secret.reads_left === null || secret.reads_left === undefined) return take();
  return confirmed(words.usesRead, words.usesReadText(secret.reads_left), T.copy, take, { danger: false });
}

export function labelBadges(labels) {
  return h(
    "span",
    { class: "badges" },
    Object.entries(labels).map(([name, value]) => badge(value === "" ? name : `${name}: ${value}`)),
  );
}

// Below a heading that says what it is, `short` will do.
export function endBadge(at, { short = false } = {}) {
  const days = daysUntil(at);
  const text = days < 0 ? words.ended(relative(at)) : short ? relative(at) : words.willEnd(relative(at));
  return h(
    "span",
    { class: `badge ${days < URGENT_DAYS ? "danger" : days < SOON_DAYS ? "warning" : ""}`, title: full(at) },
    text,
  );
}

export const time = (at) => h("time", { datetime: at, title: full(at) }, relative(at));
