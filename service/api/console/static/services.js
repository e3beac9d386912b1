// The card with the Swarm services that have a secret, and those that may be given it.

import { auditAddress, time } from "./about_secret.js";
import { call } from "./api.js";
import { badge, card, h } from "./dom.js";
import { covers, may } from "./session.js";
import { empty, part } from "./states.js";
import { T } from "./texts.js";

const REFUSALS = 3;
// No cluster has so many grants.
const MAX_PAGES = 20;
const words = T.services;

export function servicesCard(secret) {
  const audits = may("audit", secret.path ?? "");
  const about = secret.path ? { path: secret.path } : { secret_id: secret.secret_id };
  return card(words.title, [
    secret.in_use.length === 0 ? empty(words.none) : h("ul", { class: "rows" }, byService(secret.in_use).map((uses) => usesRow(uses, secret.version))),
    audits && part(() => call("audit/search", { ...about, operation: "deliver", status: "failure", limit: REFUSALS }), refusals),
    secret.path && grants(secret.path),
  ], audits && h("a", { href: auditAddress({ ...about, operation: "deliver" }) }, words.deliveries));
}

// The service tells of each the last two versions that it was given, the newest delivery first.
function byService(uses) {
  return [...Map.groupBy(uses, ({ service }) => service).values()];
}

function usesRow([now, before], current) {
  const older = now.version < current;
  return h("li", {},
    h("div", {},
      h("strong", {}, now.service), " ", badge(`v${now.version}`, older ? "warning" : "good"),
      older && h("div", { class: "small" }, words.older(current)),
      before && h("div", { class: "note" }, `${words.before(before.version)} `, time(before.delivered_at))),
    h("span", { class: "note" }, `${words.given} `, time(now.delivered_at)));
}

function refusals({ records }) {
  return records.length > 0 && section(words.refused, records.map((record) => h("li", {},
    h("div", {}, h("strong", {}, record.service ?? T.unknown), h("div", { class: "note" }, record.reason)),
    h("span", { class: "note" }, time(record.timestamp)))));
}

function section(title, rows) {
  return [h("h3", { class: "section" }, title), h("ul", { class: "rows" }, rows)];
}

// Grants are for administrators to see.
function grants(path) {
  if (!may("admin")) return h("p", { class: "note footer" }, words.grantsHidden);
  return part(() => grantsFor(path), (found) => found.length === 0 ? h("p", { class: "note footer" }, words.noGrants)
    : section(words.grants, found.map((grant) => h("li", {},
      h("div", {},
        h("strong", { class: "mono small" }, grant.services.join(", ")),
        h("div", { class: "note" }, `${words.through} `, h("code", { class: "small" }, grant.paths.filter((pattern) => covers(pattern, path)).join(", ")),
          grant.nodes.length > 0 && ` · ${words.nodes(grant.nodes.length)}`,
          grant.images.length > 0 && ` · ${words.images(grant.images.length)}`)),
      h("code", { class: "small muted" }, grant.grant_id)))));
}

async function grantsFor(path) {
  const found = [];
  let after = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await call("grant/list", { ...(after && { after }) });
    found.push(...answer.grants.filter(({ paths }) => paths.some((pattern) => covers(pattern, path))));
    after = answer.next;
    if (after === null) break;
  }
  return found;
}
