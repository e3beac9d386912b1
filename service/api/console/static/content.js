// The fields for a value: text, a file, the fields of a JSON object, or one that the service generates.

import { button, h, replace } from "./dom.js";
import { asText, size } from "./format.js";
import { memberSpans, withMember } from "./json_fields.js";
import { principal } from "./session.js";
import { T } from "./texts.js";

const ALPHABETS = ["alphanumeric", "printable", "hex", "digits"];
export const END_DAYS = ["", 1, 7, 30, 90, 365];
const words = T.content;

// `before` are the bytes to begin with, or null; with `keep` the value may also be left as it is.  `read()` returns
// {bytes}, {generate}, {keep}, or {error}, a text.
export function contentFields(before, { keep = false } = {}) {
  const start = before === null ? "" : asText(before);
  const members = start === null ? null : memberSpans(start);
  const kinds = { text: textField, ...(members && { fields: fieldsOf }), file: fileField, generate: generateFields, ...(keep && { keep: keptField }) };
  const place = h("div");
  let chosen;
  const choose = (kind) => {
    chosen = kinds[kind](start ?? "");
    replace(place, chosen.node);
  };
  const first = start === null ? "file" : members ? "fields" : "text";
  const node = h("div", { class: "form" },
    h("fieldset", {}, h("legend", {}, words.value), h("div", { class: "choices" }, Object.keys(kinds).map((kind) =>
      h(
        "label",
        { class: "choice" },
        h("input", { type: "radio", name: "kind", checked: kind === first, onchange: () => choose(kind) }),
        words.kinds[kind],
      )))),
    place);
  choose(first);
  return { node, read: () => checked(chosen.read()) };
}

// One byte too many is said before it is sent.
function checked(content) {
  const most = principal()?.limits?.max_secret_bytes;
  const bytes = content.bytes?.length ?? 0;
  return most && bytes > most ? { error: words.tooLarge(size(bytes), size(most), bytes - most) } : content;
}

const encode = (text) => new TextEncoder().encode(text);

// A textarea knows line feeds only, so what ends the lines is kept beside it.
function textField(start) {
  const field = h("textarea", { id: "value", spellcheck: "false", autocomplete: "off", rows: "6" });
  field.value = start;
  const crlf = h("input", { type: "checkbox", checked: start.includes("\r\n") });
  field.addEventListener("paste", (event) => {
    if (event.clipboardData?.getData("text").includes("\r\n")) crlf.checked = true;
  });
  const alone = /\r(?!\n)|(?<!\r)\n/.test(start) && start.includes("\r");
  const node = h("div", { class: "field" },
    h("label", { for: "value" }, words.text), field,
    alone && h("p", { class: "warned" }, words.mixedLines),
    h("label", { class: "choice small" }, crlf, words.crlf));
  const read = () => {
    if (field.value === start.replace(/\r\n?/g, "\n") && crlf.checked === start.includes("\r\n")) return { bytes: encode(start) };
    return { bytes: encode(crlf.checked ? field.value.replace(/\n/g, "\r\n") : field.value) };
  };
  return { node, read };
}

// Each member by itself; whatever is not changed keeps its bytes.
function fieldsOf(start) {
  const inputs = memberSpans(start).map(({ name, value }, index) => {
    const field = h(
      "textarea",
      { id: `member-${index}`, class: "mono", rows: value.includes("\n") ? "4" : "1", spellcheck: "false", autocomplete: "off" },
    );
    field.value = value;
    return [name, field];
  });
  const node = h("div", { class: "form" }, inputs.map(([name, field]) =>
    h("div", { class: "field" }, h("label", { for: field.id, class: "mono" }, name), field)));
  const read = () => ({ bytes: encode(inputs.reduce((text, [name, field]) => withMember(text, name, field.value), start)) });
  return { node, read };
}

function fileField() {
  const field = h("input", { id: "file", type: "file" });
  const drop = h("div", { class: "field", ondragover: (event) => event.preventDefault(), ondrop: (event) => {
    event.preventDefault();
    field.files = event.dataTransfer.files;
    load();
  } }, h("label", { for: "file" }, words.file), field, h("p", { class: "note" }, words.fileNote));
  let bytes = null;
  const load = async () => { bytes = field.files[0] ? new Uint8Array(await field.files[0].arrayBuffer()) : null; };
  field.addEventListener("change", load);
  return { node: drop, read: () => (bytes === null ? { error: words.noFile } : { bytes }) };
}

function generateFields() {
  const length = h("input", { id: "length", type: "number", min: "1", max: "4096", value: "32", required: true });
  const alphabet = h("select", { id: "alphabet" }, ALPHABETS.map((name) => h("option", { value: name }, words.alphabets[name])));
  const node = h("div", { class: "form" },
    h("div", { class: "grid" },
      h("div", { class: "field" }, h("label", { for: "length" }, words.length), length),
      h("div", { class: "field" }, h("label", { for: "alphabet" }, words.alphabet), alphabet)),
    h("p", { class: "note" }, words.generateNote));
  return { node, read: () => ({ generate: { length: Number(length.value), alphabet: alphabet.value } }) };
}

function keptField() {
  return { node: h("p", { class: "note" }, words.keepNote), read: () => ({ keep: true }) };
}

// Rows of a name and a value that are not secret.
export function labelFields(labels) {
  const rows = h("div", { class: "form" });
  const add = (name = "", value = "") => rows.append(h("div", { class: "grid label" },
    h("input", { class: "mono", value: name, "aria-label": words.labelName, placeholder: words.labelName, maxlength: "128" }),
    h("input", { class: "mono", value, "aria-label": words.labelValue, placeholder: words.labelValue, maxlength: "512" })));
  Object.entries(labels).forEach(([name, value]) => add(name, value));
  const node = h("fieldset", { class: "form" }, h("legend", {}, T.secrets.labels), h(
    "p",
    { class: "note" },
    words.labelsNote,
  ), rows,
    h("div", {}, button(words.addLabel, () => { add(); rows.lastChild.firstChild.focus(); }, { kind: "plain", symbol: "plus" })));
  const read = () => Object.fromEntries(
    [...rows.children].map((row) => [...row.children].map(({ value }) => value)).filter(([name]) => name !== ""),
  );
  return { node, read };
}

// When it ends: in so many days, never (""), or as it is ("keep"); `read()` returns seconds, null, or undefined.
export function endField(id, label, choices, chosen = "") {
  const select = h(
    "select",
    { id },
    choices.map(
      (days) => h(
        "option",
        { value: days, selected: String(days) === String(chosen) },
        days === "" ? T.secrets.never : days === "keep" ? words.keepEnd : words.days(days),
      ),
    ),
  );
  return {
    node: h("div", { class: "field" }, h("label", { for: id }, label), select),
    read: () => (select.value === "" ? null : select.value === "keep" ? undefined : Number(select.value) * 86_400),
  };
}
