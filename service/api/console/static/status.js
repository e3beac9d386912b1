// The page Status: what this replica finds, the keys, and when a backup was last made and tried.

import { time } from "./about_secret.js";
import { call } from "./api.js";
import { badge, card, facts, h } from "./dom.js";
import { may } from "./session.js";
import { part } from "./states.js";
import { T } from "./texts.js";

const DRILL_HOURS = 48;
const words = T.status;

export function statusPage(main) {
  main.append(
    h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, words.title)),
    h("div", { class: "columns" },
      h("div", {}, checksCard(), may("audit") && backupsCard()),
      h("div", {}, may("admin") && keysCard())));
  return words.title;
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

function checksCard() {
  return card(words.checks, part(readiness, ({ checks, warnings = [] }) => [
    h("ul", { class: "rows" }, Object.entries(checks).map(([name, finding]) =>
      h(
        "li",
        {},
        h("div", {}, words.checkNames[name] ?? name),
        finding === "ok" ? badge(words.ok, "good") : h("div", {}, badge(words.failed, "danger"), ` ${finding}`),
      ))),
    h("div", { class: "body" }, warnings.length === 0 ? h("p", { class: "note" }, words.noWarnings)
      : [h("strong", {}, words.warnings), warnings.map((warning) => h("p", { class: "warned" }, warning))]),
  ]));
}

async function newest(operation) {
  const { records } = await call("audit/search", { operation, status: "success", limit: 1 });
  return records[0]?.timestamp ?? null;
}

function backupsCard() {
  return card(words.backups, part(() => Promise.all([newest("backup_create"), newest("backup_drill")]), ([backup, drill]) => {
    const old = drill === null || Date.now() - Date.parse(drill) > DRILL_HOURS * 3_600_000;
    return h("div", { class: "body" },
      facts([[words.lastBackup, backup ? time(backup) : words.never], [words.lastDrill, drill ? time(drill) : words.never]]),
      old && h("p", { class: "warned" }, words.drillOld));
  }));
}

function keysCard() {
  return card(words.keys, part(() => call("key/status", {}, { method: "GET" }), ({ keys, warnings }) => [
    h("ul", { class: "rows" }, keys.map((key) =>
      h(
        "li",
        {},
        h(
          "div",
          {},
          h("code", {}, key.key_id),
          " ",
          key.primary && badge(words.primary, "good"),
          " ",
          !key.held && badge(words.notHeld, "danger"),
        ),
        h("span", { class: "note" }, words.versions(key.versions)),
      ))),
    warnings.length > 0 && h("div", { class: "body" }, warnings.map((warning) => h("p", { class: "warned" }, warning))),
  ]));
}
