// Copies values, and clears the clipboard again as far as a page can: it cannot read it, nor write unfocused.

import { button } from "./dom.js";
import { openDialog, toast } from "./dialog.js";
import { asText } from "./format.js";
import { h } from "./dom.js";
import { problemView } from "./states.js";
import { T } from "./texts.js";

const CLEAR_AFTER = 45_000;

let forget = () => {};

// Copies the text of the bytes that `load` resolves to; call it within a click.  Safari wants the promise
// itself, not its result.
export async function copySecret(load) {
  forget();
  let failure;
  const text = (async () => {
    try {
      const value = asText(await load());
      if (value === null) throw new NotText();
      return value;
    } catch (problem) {
      failure = problem;
      throw problem;
    }
  })();
  try {
    await write(text);
  } catch {
    // Whatever the clipboard says, the reason is why there was no text.
    if (!failure) offerSelected(await text);
    else if (failure instanceof NotText) toast(T.clipboard.notText);
    else if (failure.type !== "locked") openDialog(T.clipboard.failed, withClose(problemView(failure)));
    return;
  }
  announce();
}

export async function copyText(text) {
  try {
    await write(Promise.resolve(text));
    toast(T.clipboard.copiedText);
  } catch {
    offerSelected(text);
  }
}

class NotText extends Error {}

function write(text) {
  if (!window.isSecureContext || !navigator.clipboard) return text.then(() => Promise.reject(new Error("no clipboard")));
  const blob = text.then((value) => new Blob([value], { type: "text/plain" }));
  // The clipboard reports it as well.
  blob.catch(() => {});
  return navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
}

function announce() {
  const box = toast(T.clipboard.copied, {
    seconds: 0,
    actions: [
      button(T.clipboard.clearNow, () => clear(), { kind: "plain" }),
      button(T.clipboard.keep, () => forget(), { kind: "plain" }),
    ],
  });
  const clear = async () => {
    try {
      await navigator.clipboard.writeText("");
      forget();
      toast(T.clipboard.cleared);
    } catch {
      box.say(T.clipboard.notCleared);
    }
  };
  const due = () => (document.hasFocus() ? clear() : window.addEventListener("focus", clear, { once: true }));
  const timer = setTimeout(due, CLEAR_AFTER);
  forget = () => {
    clearTimeout(timer);
    window.removeEventListener("focus", clear);
    box.close();
    forget = () => {};
  };
}

// What a page may do on plain HTTP: show it, selected, for Ctrl-C.
function offerSelected(text) {
  const field = h("textarea", { readonly: true, "aria-label": T.clipboard.selected });
  field.value = text;
  openDialog(T.clipboard.byHand, withClose(field));
  field.select();
}

function withClose(content) {
  return h(
    "div",
    { class: "form" },
    content,
    h("div", { class: "actions" }, button(T.close, (event) => event.target.closest("dialog").close())),
  );
}

window.addEventListener("console-locked", () => forget());
