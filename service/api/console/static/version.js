// The page to give a secret a new version, other labels, or another end.

import { crumbs } from "./about_secret.js";
import { call } from "./api.js";
import { comparison } from "./compare.js";
import { contentFields, END_DAYS, endField, labelFields } from "./content.js";
import { confirmed, openDialog } from "./dialog.js";
import { button, card, h, replace } from "./dom.js";
import { lastSegment, toBase64 } from "./format.js";
import { form, Unusable, valueOf } from "./saving.js";
import { refOf } from "./secret.js";
import { may } from "./session.js";
import { attempt, part, problemView } from "./states.js";
import { T } from "./texts.js";
import { fetchBytes } from "./value.js";

const words = T.create;

export function versionPage(main, rest) {
  const ref = refOf(rest);
  const back = `#/secret/${rest}`;
  const title = words.versionTitle(ref.path ? lastSegment(ref.path) : ref.secret_id);
  const body = part(() => call("secret/describe", ref), (secret) => {
    // Reading would use up one of few reads.
    const readable = secret.reads_left === null && secret.version > 0 && (secret.path === null || may("fetch", secret.path));
    let typed = false;
    const place = h("div", { oninput: () => { typed = true; } });
    const begin = (before) => {
      typed = false;
      replace(place, versionForm(secret, ref, back, before, readable));
    };
    begin(null);
    return [readable && beginning(secret, ref, begin, () => typed), place];
  });
  main.append(
    ref.path ? crumbs(ref.path, true) : crumbs("", true),
    h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, title)),
    card(T.secret.newVersion, body),
  );
  return title;
}

function beginning(secret, ref, begin, typed) {
  const problem = h("div");
  const load = async () => begin(await fetchBytes(ref));
  const verb = words.beginWith(secret.version);
  const read = button(verb, () =>
    (typed() ? confirmed(words.replaceTitle, words.replaceText, verb, load) : attempt(read, problem, load)));
  return h("div", { class: "body" }, h("div", { class: "actions" }, read, h("span", { class: "note" }, words.beginNote)), problem);
}

// `before` are the bytes of the current version, or null if nobody asked for them.
function versionForm(secret, ref, back, before, readable) {
  const content = contentFields(before, { keep: before === null });
  const labels = labelFields(secret.labels);
  const end = endField("end", T.secrets.ends, ["keep", ...END_DAYS], "keep");
  let expected = secret.version;
  const send = async () => {
    const changed = changes(content.read(), before, labels.read(), secret.labels, end.read());
    await call("secret/update", { ...ref, ...changed, expected_version: expected });
    location.hash = back;
  };
  return form(words.saveVersion(secret.version + 1), back, async (place) => {
    try {
      await send();
    } catch (problem) {
      if (problem.type !== "version-conflict") throw problem;
      replace(place, problemView(problem), conflict(problem.members.current_version, ref, content, (theirs) => { expected = theirs; }));
    }
  }, content.node, readable && difference(ref, content, before), labels.node, h("div", { class: "grid" }, end.node));
}

// What of it differs from what is stored; throws Unusable if nothing does.
function changes(read, before, labels, oldLabels, end) {
  const same = read.keep || (before !== null && read.bytes && toBase64(read.bytes) === toBase64(before));
  if (!same && before === null && read.bytes?.length === 0) throw new Unusable(words.emptyValue);
  const changed = {
    ...(!same && valueOf(read)),
    ...(JSON.stringify(labels) !== JSON.stringify(oldLabels) && { labels }),
    ...(end !== undefined && { expires_in: end }),
  };
  if (Object.keys(changed).length === 0) throw new Unusable(words.unchanged);
  return changed;
}

// Somebody else saved first: both values can be seen before one decides.
function conflict(theirs, ref, content, saveOver) {
  const problem = h("div");
  const see = button(words.seeTheirs(theirs), async () => {
    const bytes = await attempt(see, problem, () => fetchBytes(ref));
    if (bytes) showDifference(words.theirsTitle(theirs), bytes, content.read().bytes ?? new Uint8Array());
  });
  return [problem, h("div", { class: "actions" }, see,
    h("button", { type: "submit", onclick: () => saveOver(theirs) }, words.saveOver(theirs)))];
}

// Without `before`, the current version is read for it.
function difference(ref, content, before) {
  const problem = h("div");
  const see = button(words.difference, async () => {
    const { bytes } = content.read();
    if (!bytes) return replace(problem, h("p", { class: "note", role: "status" }, words.noDifference));
    const old = before ?? await attempt(see, problem, () => fetchBytes(ref));
    if (old) showDifference(words.differenceTitle, old, bytes);
  });
  return h("div", { class: "form" },
    h("div", { class: "actions" }, see, before === null && h("span", { class: "note" }, words.beginNote)), problem);
}

function showDifference(title, before, after) {
  const dialog = openDialog(
    title,
    h("div", { class: "form" }, comparison(before, after), h("div", { class: "actions" }, button(T.close, () => dialog.close()))),
  );
}
