// The page to sign in, and the same form as a dialog over a page whose session has ended.

import { h, icon } from "./dom.js";
import { openDialog } from "./dialog.js";
import { signIn } from "./session.js";
import { attempt } from "./states.js";
import { T } from "./texts.js";

let asking = false;

export function signInPage(locked, done) {
  return h("div", { class: "alone" },
    h("main", { class: "card", tabindex: "-1" },
      h("p", { class: "brand" }, icon("shield"), T.product),
      h("h1", { tabindex: "-1" }, T.signIn.title),
      locked && h("p", { class: "warned", role: "status" }, T.signIn.locked),
      form(done)));
}

// The session has ended: what was typed below the dialog stays.
export function askAgain() {
  if (asking) return;
  asking = true;
  const dialog = openDialog(T.signIn.again, [h("p", {}, T.signIn.ended), form(() => dialog.close())], { escape: false });
  dialog.addEventListener("close", () => {
    asking = false;
    window.dispatchEvent(new Event("signed-in"));
  });
}

window.addEventListener("console-locked", () => { asking = false; });

function form(done) {
  if (!window.isSecureContext) return h("p", { class: "state problem" }, T.signIn.insecure);
  const field = h(
    "input",
    { id: "token", type: "password", autocomplete: "current-password", required: true, spellcheck: "false", autofocus: true },
  );
  const problem = h("div");
  const go = h("button", { type: "submit", class: "primary" }, T.signIn.go);
  return h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      const token = field.value.trim();
      field.value = "";
      if (await attempt(go, problem, async () => { await signIn(token); return true; })) done();
      else field.focus();
    },
  },
  h("div", { class: "field" }, h("label", { for: "token" }, T.signIn.token), field, h("p", { class: "note" }, T.signIn.help)),
  problem, go);
}
