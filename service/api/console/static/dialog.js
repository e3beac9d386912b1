// Dialogs: the focus goes in and comes back, Escape closes, the background is inert.

import { button, h, replace } from "./dom.js";
import { attempt } from "./states.js";
import { T } from "./texts.js";

// Shows `content`; `close()` takes it away, and so does leaving the page that it lies over: it may show
// values.  Without `escape` only its own buttons do.  The browser itself gives the focus back.
export function openDialog(title, content, { escape = true } = {}) {
  const heading = h("h2", { id: `dialog-${document.querySelectorAll("dialog").length}` }, title);
  const dialog = h("dialog", { "aria-labelledby": heading.id }, h("div", {}, heading, content));
  // At once, not with the event, which comes later: a page that is left may never have it.
  const leave = () => {
    dialog.close();
    dialog.remove();
  };
  if (escape) window.addEventListener("hide-values", leave);
  else dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.addEventListener("close", () => {
    window.removeEventListener("hide-values", leave);
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// Asks before `action`; `typed` is a text that must be typed first.  Resolves to true once it is done.
export function confirmed(title, text, verb, action, { danger = true, typed } = {}) {
  return new Promise((resolve) => {
    const problem = h("div");
    let done = false;
    const go = h("button", { type: "submit", class: danger ? "danger" : "primary", disabled: Boolean(typed) }, verb);
    const field = typed && h(
      "input",
      {
        id: "typed",
        class: "mono",
        autocomplete: "off",
        spellcheck: "false",
        oninput: () => { go.disabled = field.value !== typed; },
      },
    );
    const form = h("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        if (typed && field.value !== typed) return;
        if (await attempt(go, problem, async () => { await action(); return true; })) {
          done = true;
          dialog.close();
        }
      },
    },
    [text].flat().map((line) => (typeof line === "string" ? h("p", {}, line) : line)),
    typed && h("div", { class: "field" }, h("label", { for: "typed" }, T.typeToConfirm), h("code", {}, typed), field),
    problem,
    h("div", { class: "actions" }, button(T.cancel, () => dialog.close()), go));
    const dialog = openDialog(title, form);
    dialog.addEventListener("close", () => resolve(done));
  });
}

let toasts;

// A message at the edge of the page that takes no focus; `toast.close()` ends it.
export function toast(text, { seconds = 6, actions = [] } = {}) {
  toasts ??= h("div", { class: "toasts", role: "status" });
  // Above a dialog, if there is one: the rest of the page is inert.
  (document.querySelector("dialog[open]") ?? document.body).append(toasts);
  const words = h("p", {}, text);
  const box = h("div", { class: "toast" }, words, actions.length > 0 && h("div", { class: "actions" }, actions));
  const timer = seconds && setTimeout(() => box.close(), seconds * 1000);
  box.say = (other) => replace(words, other);
  box.close = () => {
    clearTimeout(timer);
    box.remove();
  };
  toasts.append(box);
  return box;
}
