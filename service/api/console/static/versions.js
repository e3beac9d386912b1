// The versions of a secret: compare, restore as a new one, delete, undelete, destroy.

import { time } from "./about_secret.js";
import { call } from "./api.js";
import { comparison } from "./compare.js";
import { confirmed, openDialog } from "./dialog.js";
import { badge, button, card, h } from "./dom.js";
import { toBase64 } from "./format.js";
import { nameOf } from "./secret.js";
import { may } from "./session.js";
import { part } from "./states.js";
import { T } from "./texts.js";
import { fetchBytes } from "./value.js";

const STATE_KINDS = { live: "", deleted: "warning", expired: "danger", destroyed: "danger" };
const words = T.versions;

export function versionsCard(secret, ref, again) {
  const versions = secret.versions.toReversed();
  return card(words.title, h("ul", { class: "rows" }, versions.map((version) => row(version, secret, ref, again))),
    h("span", { class: "note" }, words.kept(versions.length, secret.max_versions)));
}

function row(version, secret, ref, again) {
  const current = version.version === secret.version;
  const number = `v${version.version}`;
  return h("li", {},
    h("div", {},
      h("strong", {}, number), " ",
      current && version.state === "live" ? badge(words.current, "good") : badge(
        T.states[version.state],
        STATE_KINDS[version.state],
      ),
      h(
        "div",
        { class: "note" },
        version.created_at && [time(version.created_at), ` ${words.by(nameOf(secret.names, version.created_by))}`],
      )),
    h(
      "div",
      { class: "actions" },
      secret.state === "live" && actions(version, current, secret, ref, again).map(
        ([text, act]) => button(text, act, { kind: "plain", about: number }),
      ),
    ));
}

function actions(version, current, secret, ref, again) {
  const all = secret.path === null;
  const [fetches, updates, deletes] = ["fetch", "update", "delete"].map((action) => all || may(action, secret.path));
  const live = version.state === "live";
  const number = version.version;
  const ask = (title, text, verb, action, options) => () => confirmed(
    title,
    text,
    verb,
    action,
    options,
  ).then((done) => done && again());
  return [
    live && !current && fetches && secret.reads_left === null && [words.compare, () => compare(ref, number, secret.version)],
    live && !current && fetches && updates && secret.reads_left === null && [
      words.restore,
      ask(
        words.restoreTitle(number),
        words.restoreText(secret.version + 1),
        words.restore,
        () => restore(ref, number, secret.version),
        { danger: false },
      ),
    ],
    live && !current && deletes && [
      T.remove,
      ask(words.deleteTitle(number), words.deleteText, T.remove, () => call("secret/delete", { ...ref, versions: [number] })),
    ],
    version.state === "deleted" && deletes && [
      T.undelete,
      ask(
        words.undeleteTitle(number),
        words.undeleteText,
        T.undelete,
        () => call("secret/undelete", { ...ref, versions: [number] }),
        { danger: false },
      ),
    ],
    version.state === "deleted" && deletes && [
      T.secret.destroy,
      ask(
        words.destroyTitle(number),
        T.secret.destroyText,
        T.secret.destroy,
        () => call("secret/destroy", { ...ref, versions: [number] }),
      ),
    ],
  ].filter(Boolean);
}

async function restore(ref, version, current) {
  await call("secret/update", { ...ref, secret: toBase64(await fetchBytes(ref, version)), expected_version: current });
}

// Reading both is asked for: each is a record in the audit log.
function compare(ref, older, newer) {
  const close = button(T.close, () => dialog.close());
  const start = button(words.compare, () => start.parentElement.replaceWith(result()), { kind: "primary" });
  const result = () => h("div", { class: "form" },
    part(() => Promise.all([fetchBytes(ref, older), fetchBytes(ref, newer)]), ([before, after]) => comparison(before, after)),
    h("div", { class: "actions" }, close));
  const dialog = openDialog(words.compareTitle(older, newer), h("div", { class: "form" },
    h("p", {}, words.compareText), h("div", { class: "actions" }, button(T.cancel, () => dialog.close()), start)));
}
