// Keys for those who have no hand for the pointer; single ones can be switched off, as speech input types them.

import { button, h } from "./dom.js";
import { openDialog } from "./dialog.js";
import { T } from "./texts.js";

let singleKeys = true;

function search() {
  const field = () => document.getElementById("search");
  if (field()) field().focus();
  else {
    window.addEventListener("hashchange", () => field()?.focus(), { once: true });
    location.hash = "#/secrets";
  }
}

export function showHelp() {
  const own = h("input", { type: "checkbox", checked: singleKeys, onchange: () => { singleKeys = own.checked; } });
  const dialog = openDialog(T.keys.title, h("div", { class: "form" },
    h(
      "dl",
      { class: "facts" },
      Object.entries(T.keys.names).map(([key, what]) => [h("dt", { class: "mono" }, key), h("dd", {}, what)]),
    ),
    h("label", { class: "choice" }, own, T.keys.single),
    h("div", { class: "actions" }, button(T.close, () => dialog.close()))));
}

const KEYS = { "/": search, "?": showHelp };

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, dialog");
  if (!singleKeys || typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  if (document.querySelector("main.page") === null) return;
  event.preventDefault();
  KEYS[event.key]();
});
