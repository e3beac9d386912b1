// The card with a value: hidden until somebody asks, and hidden again by itself.

import { copyFrom } from "./about_secret.js";
import { call } from "./api.js";
import { confirmed } from "./dialog.js";
import { button, card, h, icon, replace } from "./dom.js";
import { fromBase64, lastSegment } from "./format.js";
import { saveFile, shown, timeBar } from "./shown.js";
import { attempt } from "./states.js";
import { T } from "./texts.js";

const SHOWN_FOR = 30_000;
const DOTS = "•".repeat(15);
const words = T.value;

export const fetchBytes = async (ref, version) => fromBase64(
  (await call("secret/fetch", { ...ref, ...(version && { version }) })).secret,
);

// `changed` is called once a limited read was taken, and its value is hidden again.
export function valueCard(secret, ref, changed) {
  const place = h("div", { class: "form" });
  const problem = h("div");
  const limited = secret.reads_left !== null;
  let timer;
  const hide = () => {
    clearTimeout(timer);
    replace(place, hidden());
    replace(toggle, icon("eye"), words.show);
    toggle.onclick = show;
  };
  const done = () => {
    hide();
    if (limited) changed();
  };
  const show = () => ask(words.show, async () => {
    const bytes = await attempt(toggle, problem, () => fetchBytes(ref));
    if (bytes === undefined) return;
    replace(place, shown(bytes), timeBar(SHOWN_FOR), h("p", { class: "note" }, words.hidesAgain));
    replace(toggle, icon("eye"), words.hide);
    toggle.onclick = done;
    timer = setTimeout(done, SHOWN_FOR);
  });
  const toggle = h("button", { type: "button", class: "primary" });
  const save = () => ask(words.save, async () => {
    const bytes = await attempt(toggle, problem, () => fetchBytes(ref));
    if (bytes === undefined) return;
    saveFile(bytes, lastSegment(secret.path ?? "secret"));
    done();
  });
  const copy = () => copyFrom(secret).then(() => limited && changed());
  window.addEventListener("hide-values", function listener() {
    hide();
    if (!place.isConnected) window.removeEventListener("hide-values", listener);
  });
  hide();
  const note = limited ? words.limitedNote(secret.reads_left) : words.note(secret.version);
  return card(words.title, h("div", { class: "body" }, place, problem, h("p", { class: limited ? "warned" : "note" }, note)),
    toggle, button(T.copy, copy, { symbol: "copy" }), button(words.save, save, { symbol: "save" }));

  // What takes one of few reads is asked about first.
  function ask(verb, action) {
    return limited ? confirmed(
      T.secrets.usesRead,
      T.secrets.usesReadText(secret.reads_left),
      verb,
      action,
      { danger: false },
    ) : action();
  }
}

function hidden() {
  return h(
    "div",
    { class: "value" },
    h("span", { class: "dots", "aria-hidden": "true" }, DOTS),
    h("span", { class: "visually-hidden" }, words.hidden),
  );
}
