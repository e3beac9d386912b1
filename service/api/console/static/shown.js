// A value that somebody asked to see, the time that is left for it, and saving it as a file.

import { copyText } from "./clipboard.js";
import { button, h } from "./dom.js";
import { asText, size } from "./format.js";
import { T } from "./texts.js";

const words = T.value;

// Text as it is, a JSON object as its fields, and anything else by its size.
export function shown(bytes) {
  const text = asText(bytes);
  if (text === null) return h("div", { class: "value" }, words.notText(size(bytes.length)));
  const fields = jsonObject(text);
  if (text === "") return h("div", { class: "value" }, h("span", { class: "muted" }, words.empty));
  if (fields === null) return h("div", { class: "value", tabindex: "0", role: "group", "aria-label": words.title }, text);
  const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  return [
    h("ul", { class: "rows" }, Object.entries(fields).map(([name, value]) =>
      h("li", {}, h("div", {}, h("strong", {}, name), h("div", { class: "mono" }, plain(value))),
        button(T.copy, () => copyText(plain(value)), { kind: "plain", symbol: "copy", about: name })))),
    h("details", {}, h("summary", {}, words.asText), h("div", { class: "value" }, text)),
  ];
}

function jsonObject(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 0 ? value : null;
  } catch {
    return null;
  }
}

export function timeBar(milliseconds) {
  const bar = h("div", { class: "time-left" });
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
    bar.animate([{ transform: "scaleX(1)" }, { transform: "scaleX(0)" }], { duration: milliseconds, fill: "forwards" });
  }
  return bar;
}

export function saveFile(bytes, name) {
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
