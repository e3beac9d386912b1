// What each part of a page shows while it loads, and when it cannot: the same everywhere.

import { button, h, icon, replace } from "./dom.js";
import { T } from "./texts.js";

// Sooner, lines would only flash.
const PULSE_AFTER = 150;

// An element that shows what `show` makes of what `load` returns; `part.reload()` does it again.
export function part(load, show) {
  const place = h("div", { "aria-busy": "true" });
  place.reload = async () => {
    const pulse = setTimeout(
      () => replace(
        place,
        h("div", { class: "pulse" }, h("span", { class: "visually-hidden" }, T.loading), h("i"), h("i"), h("i")),
      ),
      PULSE_AFTER,
    );
    place.setAttribute("aria-busy", "true");
    try {
      const loaded = await load();
      clearTimeout(pulse);
      replace(place, await show(loaded));
    } catch (problem) {
      clearTimeout(pulse);
      replace(place, problemView(problem, place.reload));
    }
    place.setAttribute("aria-busy", "false");
  };
  place.reload();
  return place;
}

export function empty(text, ...next) {
  return h("div", { class: "state" }, icon("empty"), h("p", { class: "muted" }, text), next);
}

// What to say about a Problem; with `retry` there is a button for it.
export function problemView(problem, retry) {
  if (problem.status === undefined) throw problem;
  const words = T.problems[kindOf(problem)];
  return h("div", { class: "state problem", role: "alert" },
    icon("warning"),
    h("p", {}, h("strong", {}, words.title)),
    h("p", {}, words.text(problem)),
    problem.members.errors && h("ul", {}, fieldErrors(problem.members.errors).map((line) => h("li", { class: "small" }, line))),
    problem.requestId && h("p", { class: "note" }, `${T.request} `, h("code", { class: "small" }, problem.requestId)),
    problem.status === 403 && problem.members.openByPath && openByPath(),
    retry ? retryButton(problem, retry) : problem.status === 429 && waitFor(problem));
}

function openByPath() {
  const field = h("input", { id: "open-path", class: "mono", autocomplete: "off", spellcheck: "false", required: true });
  return h("form", { onsubmit: (event) => { event.preventDefault(); location.hash = `#/secret/${field.value.trim()}`; } },
    h("div", { class: "field" }, h("label", { for: "open-path" }, T.secrets.openByPath), field),
    h("button", { type: "submit" }, T.secrets.open));
}

// The same in one line.
export function problemText(problem) {
  if (problem.status === undefined) throw problem;
  const words = T.problems[kindOf(problem)];
  return `${words.title}. ${words.text(problem)}`;
}

function kindOf({ status, type, members }) {
  if (members.searching) return "searching";
  if (status === 401) return "ended";
  if (status === 403) return "forbidden";
  if (status === 404) return members.state ? "gone" : "missing";
  if (status === 409) return type === "version-conflict" ? "conflict" : "taken";
  if (status === 413) return "large";
  if (status === 429) return "limited";
  if (status === 0 || status === 502 || status === 503 || status === 504) return "lost";
  return status === 400 || status === 422 ? "invalid" : "failed";
}

function fieldErrors(errors) {
  return Object.entries(errors).map(
    ([
      name,
      lines,
    ]) => `${name}: ${[lines].flat().map((line) => typeof line === "string" ? line : JSON.stringify(line)).join("; ")}`,
  );
}

function retryButton(problem, retry) {
  const again = button(T.tryAgain, retry);
  if (problem.status === 401) window.addEventListener("signed-in", () => again.isConnected && retry(), { once: true });
  if (problem.status !== 429) return again;
  return [waitFor(problem, again), again];
}

// Counts down until the service would answer again; `control` is of no use before.
function waitFor(problem, control) {
  const left = h("p", { class: "note" });
  countDown(problem.retryAfter, (seconds) => {
    left.textContent = seconds > 0 ? T.problems.limited.left(seconds) : T.problems.limited.over;
    if (control) control.disabled = seconds > 0;
  });
  return left;
}

function countDown(seconds, tell) {
  const end = Date.now() + seconds * 1000;
  const tick = () => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    tell(left);
    if (left > 0) setTimeout(tick, 1000);
  };
  tick();
}

// Runs an action of a button or a form: busy meanwhile, and what went wrong is said in `place`.
export async function attempt(control, place, action) {
  replace(place);
  control.disabled = true;
  try {
    return await action();
  } catch (problem) {
    replace(place, problemView(problem));
    place.scrollIntoView({ block: "nearest" });
    return undefined;
  } finally {
    control.disabled = false;
  }
}
