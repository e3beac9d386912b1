// The form that saves a secret, and what it cannot save.

import { h, linkButton, replace } from "./dom.js";
import { toBase64 } from "./format.js";
import { attempt } from "./states.js";
import { T } from "./texts.js";

// What was entered cannot be saved; the message says why.
export class Unusable extends Error {}

export function valueOf({ bytes, generate, error }) {
  if (error) throw new Unusable(error);
  return generate ? { generate } : { secret: toBase64(bytes) };
}

export function form(verb, back, save, ...fields) {
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
