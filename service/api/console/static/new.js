// The page to make a secret.

import { addressOf, crumbs } from "./about_secret.js";
import { call } from "./api.js";
import { contentFields, END_DAYS, endField, labelFields } from "./content.js";
import { h, replace } from "./dom.js";
import { form, valueOf } from "./saving.js";
import { may } from "./session.js";
import { T } from "./texts.js";

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
