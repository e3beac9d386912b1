// The page Status: whether the service is in order, and when a backup was last made and tried.

import { time } from "./about_secret.js";
import { call } from "./api.js";
import { badge, card, facts, h } from "./dom.js";
import { size } from "./format.js";
import { may, principal } from "./session.js";
import { part } from "./states.js";
import { T } from "./texts.js";

const MAX_AGE_HOURS = 48;
const words = T.status;

export function statusPage(main) {
  const whole = may("audit", "") ? part(() => call("status"), cards) : h("p", { class: "note" }, words.auditOnly);
  whole.classList.add("cards");
  main.append(
    h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, words.title)),
    h("div", { class: "columns" }, whole, h("div", {}, checksCard(), may("admin") && keysCard())));
  return words.title;
}

function cards(found) {
  const { last_backup: backup, last_drill: drill } = found;
  return [
    found.warnings.map((warning) => h("p", { class: "alarm" }, warning)),
    card(words.service, h("div", { class: "body" },
      facts([
        [words.version, found.version],
        [words.replica, h("code", { class: "small" }, found.replica)],
        [words.authentication, onOrOff(found.authentication)],
        [words.tls, onOrOff(found.tls)],
        [words.audit, onOrOff(found.audit)],
        [words.log, words.records(found.audit_records.toLocaleString("en"), size(found.audit_bytes))],
        // As the log has it; behind a proxy that is not trusted, it is the proxy's.
        [words.address, h("code", { class: "small" }, principal().client_ip)],
      ]),
      found.warnings.length === 0 && h("p", { class: "note" }, words.noWarnings))),
    card(words.backups, h("div", { class: "body" },
      facts([[words.lastBackup, event(backup)], [words.lastDrill, event(drill)]]),
      isDue(backup) && h("p", { class: "alarm" }, words.backupOld),
      isDue(drill) && h("p", { class: "alarm" }, words.drillOld))),
    card(words.replicas, h("ul", { class: "rows" }, found.replicas.map((replica) => replicaRow(replica, found)))),
    !may("admin") && card(words.keys, h("ul", { class: "rows" }, found.keys.map((key) => keyRow(key)))),
  ];
}

const onOrOff = (on) => (on ? badge(words.on, "good") : badge(words.off, "danger"));

// Whether it is too long ago, failed, or cannot be believed.
function isDue(record) {
  return record === null || record.status !== "success" || !record.authentic || Date.now() - Date.parse(record.at) > MAX_AGE_HOURS * 3_600_000;
}

function event(record) {
  if (record === null) return badge(words.never, "danger");
  return [
    time(record.at), " ",
    record.status === "success" ? badge(words.succeeded, isDue(record) ? "warning" : "good") : badge(words.failed, "danger"),
    !record.authentic && [" ", badge(T.audit.forged, "danger")],
    record.reason && h("div", { class: "note" }, record.reason),
  ];
}

// During an update the versions differ for some minutes.
function replicaRow({ replica, version, last_seen: seen }, found) {
  return h("li", {},
    h("div", {},
      replica === null ? words.replicasBefore : h("code", {}, replica), " ",
      version && badge(version, version === found.version ? "" : "warning"), " ",
      replica === found.replica && h("span", { class: "note" }, words.answers)),
    h("span", { class: "note" }, `${words.seen} `, time(seen)));
}

// A replica that is not ready answers 503 with the same members: that is a finding, not a failure.
async function readiness() {
  try {
    return await call("/readyz", {}, { method: "GET" });
  } catch (problem) {
    if (problem.members?.checks === undefined) throw problem;
    return problem.members;
  }
}

// By itself: it is what there is to see when the database does not answer.
function checksCard() {
  return card(words.checks, part(readiness, ({ checks }) =>
    h("ul", { class: "rows" }, Object.entries(checks).map(([name, finding]) =>
      h("li", {}, h("div", {}, words.checkNames[name] ?? name),
        finding === "ok" ? badge(words.ok, "good") : h("div", {}, badge(words.failed, "danger"), ` ${finding}`))))));
}

function keysCard() {
  return card(words.keys, part(() => call("key/status", {}, { method: "GET" }), ({ keys }) =>
    h("ul", { class: "rows" }, keys.map((key) => keyRow(key)))));
}

function keyRow({ key_id: id, primary, held = true, versions }) {
  return h("li", {},
    h("div", {}, h("code", {}, id), " ", primary && badge(words.primary, "good"), " ", !held && badge(words.notHeld, "danger")),
    versions !== undefined && h("span", { class: "note" }, words.versions(versions)));
}
