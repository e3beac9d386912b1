// The pages to make a secret, and to give one a new version.

import { addressOf, crumbs } from "./about_secret.js";
import { call } from "./api.js";
import { comparison } from "./compare.js";
import { contentFields, endField, labelFields } from "./content.js";
import { openDialog } from "./dialog.js";
import { button, card, h, linkButton, replace } from "./dom.js";
import { lastSegment, toBase64 } from "./format.js";
import { refOf } from "./secret.js";
import { may } from "./session.js";
import { attempt, part, problemView } from "./states.js";
import { T } from "./texts.js";
import { fetchBytes } from "./value.js";

const END_DAYS = ["", 1, 7, 30, 90, 365];
const words = T.create;

export function newPage(main, folder) {
  const path = h(
    "input",
    {
      id: "path",
      class: "mono",
      value: folder,
      required: true,
      autocomplete: "off",
      spellcheck: "false",
      list: "folders",
      "aria-describedby": "path-note",
    },
  );
  const known = h("datalist", { id: "folders" });
  path.addEventListener("focus", () => complete(known, folder), { once: true });
  const content = contentFields(null);
  const labels = labelFields({});
  const end = endField("end", T.secrets.ends, END_DAYS);
  const reads = h("input", { id: "reads", type: "number", min: "1", placeholder: words.unlimited });
  main.append(
    crumbs(folder, true),
    h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, words.title)),
    h("section", { class: "card", "aria-label": words.title }, form(words.save, `#/secrets/${folder}`, async () => {
      const value = valueOf(content.read());
      const made = await call("secret/create/", {
        path: path.value.trim(), labels: labels.read(), ...value,
        ...(end.read() && { expires_in: end.read() }), ...(reads.value && { max_reads: Number(reads.value) }),
      });
      location.hash = addressOf({ path: path.value.trim(), ...made });
    },
    h(
      "div",
      { class: "field" },
      h("label", { for: "path" }, T.secret.path),
      path,
      known,
      h("p", { class: "note", id: "path-note" }, words.pathNote),
    ),
    content.node, labels.node,
    h("div", { class: "grid" }, end.node, h("div", { class: "field" }, h("label", { for: "reads" }, words.reads), reads)))));
  return words.title;
}

// The folders and paths near what is typed; whoever may not list types the whole.
async function complete(known, folder) {
  if (!may("list")) return;
  try {
    const { folders, secrets } = await call("secret/list", { ...(folder && { prefix: folder }), recursive: false });
    replace(known, [...folders, ...secrets.map(({ path }) => path)].map((value) => h("option", { value })));
  } catch {
    // A convenience only: what is wrong is said when the secret is saved.
  }
}

class Unusable extends Error {}

function valueOf({ bytes, generate, error }) {
  if (error) throw new Unusable(error);
  return generate ? { generate } : { secret: toBase64(bytes) };
}

function form(verb, back, save, ...fields) {
  const problem = h("div");
  const go = h("button", { type: "submit", class: "primary" }, verb);
  return h("form", {
    class: "body",
    onsubmit: async (event) => {
      event.preventDefault();
      await attempt(go, problem, async () => {
        try {
          await save(problem);
        } catch (error) {
          if (!(error instanceof Unusable)) throw error;
          replace(problem, h("p", { class: "state problem", role: "alert" }, error.message));
        }
      });
    },
  }, fields, problem, h("div", { class: "actions" }, go, linkButton(T.cancel, back)));
}

export function versionPage(main, rest) {
  const ref = refOf(rest);
  const back = `#/secret/${rest}`;
  const title = words.versionTitle(ref.path ? lastSegment(ref.path) : ref.secret_id);
  const body = part(async () => {
    const secret = await call("secret/describe", ref);
    return [secret, secret.reads_left === null && secret.version > 0 ? null : undefined];
  }, ([secret, begins]) => {
    const place = h("div");
    const fields = (before) => replace(place, versionForm(secret, ref, back, before));
    fields(null);
    const readable = begins === null && (secret.path === null || may("fetch", secret.path));
    const problem = h("div");
    const begin = button(words.beginWith(secret.version), async () => {
      const bytes = await attempt(begin, problem, () => fetchBytes(ref));
      if (bytes) fields(bytes);
    });
    return [
      readable && h(
        "div",
        { class: "body" },
        h("div", { class: "actions" }, begin, h("span", { class: "note" }, words.beginNote)),
        problem,
      ),
      place,
    ];
  });
  main.append(
    ref.path ? crumbs(ref.path, true) : crumbs("", true),
    h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, title)),
    card(T.secret.newVersion, body),
  );
  return title;
}

function versionForm(secret, ref, back, before) {
  const content = contentFields(before);
  const labels = labelFields(secret.labels);
  let expected = secret.version;
  const send = async () => {
    const read = content.read();
    const value = valueOf(read);
    const same = before !== null && read.bytes && toBase64(read.bytes) === toBase64(before);
    const sameLabels = JSON.stringify(labels.read()) === JSON.stringify(secret.labels);
    if (same && sameLabels) throw new Unusable(words.unchanged);
    await call(
      "secret/update",
      { ...ref, ...(!same && value), ...(!sameLabels && { labels: labels.read() }), expected_version: expected },
    );
    location.hash = back;
  };
  const difference = before && button(words.difference, () => {
    const read = content.read();
    if (read.bytes) showDifference(words.differenceTitle, before, read.bytes);
  });
  return form(words.saveVersion(secret.version + 1), back, async (place) => {
    try {
      await send();
    } catch (problem) {
      if (problem.type !== "version-conflict") throw problem;
      const theirs = problem.members.current_version;
      replace(place, problemView(problem), h("div", { class: "actions" },
        button(words.seeTheirs(theirs), async (event) => {
          const bytes = await attempt(event.target, h("div"), () => fetchBytes(ref));
          if (bytes) showDifference(words.theirsTitle(theirs), bytes, content.read().bytes ?? new Uint8Array());
        }),
        h("button", { type: "submit", onclick: () => { expected = theirs; } }, words.saveOver(theirs))));
    }
  }, content.node, difference && h("div", {}, difference), labels.node);
}

function showDifference(title, before, after) {
  const dialog = openDialog(
    title,
    h("div", { class: "form" }, comparison(before, after), h("div", { class: "actions" }, button(T.close, () => dialog.close()))),
  );
}
