// Several secrets at once: selecting rows of a list, and what is done with all of them.

import { refOfSecret } from "./about_secret.js";
import { call } from "./api.js";
import { openDialog } from "./dialog.js";
import { button, h, replace } from "./dom.js";
import { may } from "./session.js";
import { saveFile } from "./shown.js";
import { problemText } from "./states.js";
import { T } from "./texts.js";

// After one of these the next call would have no better fate: no answer, not signed in, too many, not able to serve.
const ENDS_THE_RUN = [0, 401, 429, 503];
const words = T.bulk;

export const nameOfSecret = ({ path, secret_id: id }) => path ?? id;

// `box(secret)` is the checkbox of a row, `all` the one of the heading; `changed` is called after something was done.
export function selection(deleted, changed) {
  const rows = [];
  const chosen = () => rows.filter(([box]) => box.checked).map(([, secret]) => secret);
  const count = h("strong", { role: "status" });
  const bar = h("div", { class: "bulk", role: "group", "aria-label": words.title, hidden: true }, count,
    h("div", { class: "actions" }, actions(deleted, changed).map(([text, act, kind]) => button(text, () => act(chosen()), { kind })),
      button(words.clear, () => select(false), { kind: "plain" })));
  const all = h("input", { type: "checkbox", "aria-label": words.all, onchange: () => select(all.checked) });
  const tell = () => {
    const some = chosen().length;
    bar.hidden = some === 0;
    count.textContent = some ? words.selected(some) : "";
    all.checked = some > 0 && some === rows.length;
    all.indeterminate = some > 0 && some < rows.length;
  };
  const select = (checked) => {
    for (const [box] of rows) box.checked = checked;
    tell();
  };
  const box = (secret) => {
    const own = h("input", { type: "checkbox", "aria-label": words.select(nameOfSecret(secret)), onchange: tell });
    rows.push([own, secret]);
    tell();
    return own;
  };
  return { bar, all, box };
}

function actions(deleted, changed) {
  const change = (verb, act, fields) => (secrets) => run(secrets, verb, act, changed, fields);
  const del = change(words.remove, (secret) => call("secret/delete", refOfSecret(secret)));
  const undelete = change(words.undelete, (secret) => call("secret/undelete", refOfSecret(secret)));
  return [
    deleted && may("delete") && [T.undelete, undelete, ""],
    !deleted && may("delete") && [T.remove, del, "danger"],
    !deleted && may("update") && [words.label.verb, (secrets) => label(secrets, change), ""],
    [words.exportNames, exportNames, ""],
  ].filter(Boolean);
}

function exportNames(secrets) {
  saveFile(new TextEncoder().encode(secrets.map((secret) => `${nameOfSecret(secret)}\n`).join("")), words.file);
}

// Gives all of them a label; the others that they have stay.
function label(secrets, change) {
  const field = (id, text, attributes) => {
    const input = h("input", { id, class: "mono", autocomplete: "off", spellcheck: "false", ...attributes });
    return [input, h("div", { class: "field" }, h("label", { for: id }, text), input)];
  };
  const [name, nameField] = field("label-name", T.content.labelName, { required: true, maxlength: "128" });
  const [value, valueField] = field("label-value", T.content.labelValue, { maxlength: "512" });
  change(words.label, (secret) => call("secret/update", {
    ...refOfSecret(secret),
    labels: { ...secret.labels, [name.value.trim()]: value.value },
    expected_version: secret.version,
  }), h("div", { class: "grid" }, nameField, valueField))(secrets);
}

// Asks, does it one after the other, and tells each outcome: one that is refused does not hide the others.
function run(secrets, verb, act, changed, fields) {
  let stopped = false;
  let running = false;
  let tried = false;
  const place = h("div", { class: "form" });
  const ask = () => replace(place, h("form", { onsubmit: (event) => { event.preventDefault(); work(secrets); } },
    h("p", {}, verb.text), names(secrets.map((secret) => [secret])), fields,
    h("div", { class: "actions" }, button(T.cancel, () => dialog.close()),
      h("button", { type: "submit", class: verb.danger ? "danger" : "primary" }, verb.go(secrets.length)))));
  const work = async (left) => {
    stopped = false;
    running = tried = true;
    const progress = h("p", { role: "status" });
    replace(place, progress, h("div", { class: "actions" }, button(words.stop, () => { stopped = true; })));
    const outcomes = [];
    for (const [index, secret] of left.entries()) {
      progress.textContent = words.progress(index + 1, left.length);
      outcomes.push([secret, stopped ? words.notTried : await outcome(secret)]);
    }
    running = false;
    tellOutcomes(outcomes);
  };
  const outcome = async (secret) => {
    try {
      await act(secret);
      return null;
    } catch (problem) {
      stopped ||= ENDS_THE_RUN.includes(problem.status);
      return problemText(problem);
    }
  };
  const tellOutcomes = (outcomes) => {
    const failed = outcomes.filter(([, reason]) => reason !== null);
    const close = button(T.close, () => dialog.close(), { kind: failed.length > 0 ? "" : "primary" });
    replace(place,
      h("p", { role: "status" }, h("strong", {}, verb.done(outcomes.length - failed.length)), failed.length > 0 && ` ${words.failed(failed.length)}`),
      failed.length > 0 && names(failed),
      h("div", { class: "actions" }, close,
        failed.length > 0 && button(words.again(failed.length), () => work(failed.map(([secret]) => secret)), { kind: "primary" })));
    close.focus();
  };
  const dialog = openDialog(verb.title(secrets.length), place);
  // What was done must be told: while it runs, Escape stops it.
  dialog.addEventListener("cancel", (event) => {
    if (!running) return;
    event.preventDefault();
    stopped = true;
  });
  dialog.addEventListener("close", () => { stopped = true; if (tried) changed(); });
  ask();
}

function names(outcomes) {
  return h("div", { class: "names", tabindex: "0", role: "group", "aria-label": words.names },
    h("ul", {}, outcomes.map(([secret, reason]) =>
      h("li", {}, h("span", { class: "mono small" }, nameOfSecret(secret)), reason && h("div", { class: "note" }, reason)))));
}
