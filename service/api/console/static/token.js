// The page to make a token: from a template, with scopes that can be changed before it is made.

import { call } from "./api.js";
import { copySecret } from "./clipboard.js";
import { END_DAYS, endField } from "./content.js";
import { openDialog } from "./dialog.js";
import { button, h, linkButton, replace } from "./dom.js";
import { isFirstAdministrator, lock, may } from "./session.js";
import { attempt } from "./states.js";
import { T } from "./texts.js";

const TEMPLATES = {
  application: (below) => [`fetch:${below}`],
  pipeline: (below) => [`create:${below}`, `update:${below}`, `list:${below}`],
  person: (below) => [...["create", "fetch", "list", "update", "delete"].map((action) => `${action}:${below}`), "share"],
  administrator: () => ["admin"],
};
const words = T.tokens;

// `chosen` is the template to begin with.
export function tokenPage(main, chosen) {
  const template = h(
    "select",
    { id: "template" },
    Object.keys(TEMPLATES).filter((name) => name !== "administrator" || may("admin")).map((name) =>
      h("option", { value: name, selected: name === chosen }, words.templates[name])),
  );
  const name = field("name", words.name, { required: true, maxlength: "100" }, words.nameNote);
  const folder = field("folder", words.folder, { class: "mono", placeholder: "team/app" }, words.folderNote);
  const scopes = h(
    "textarea",
    { id: "scopes", rows: "6", spellcheck: "false", required: true, "aria-describedby": "scopes-note" },
  );
  const networks = field("networks", words.networks, { class: "mono" }, words.networksNote);
  const end = endField("end", words.endsLabel, END_DAYS, 90);
  const fill = () => {
    const below = folder.input.value.trim().replace(/\/+$/, "");
    scopes.value = TEMPLATES[template.value](below ? `${below}/*` : "*").join("\n");
  };
  template.addEventListener("change", fill);
  folder.input.addEventListener("input", fill);
  fill();
  const problem = h("div");
  const go = h("button", { type: "submit", class: "primary" }, words.go);
  const place = h("section", { class: "card", "aria-label": words.newTitle });
  const make = async () => {
    const listed = networks.input.value.split(/[\s,]+/).filter(Boolean);
    const made = await attempt(go, problem, () => confirming(() => call("token/create", {
      name: name.input.value, scopes: scopes.value.split(/\s+/).filter(Boolean),
      ...(end.read() && { expires_in: end.read() }), ...(listed.length > 0 && { networks: listed }),
    })));
    if (made) replace(place, shownOnce(made), isFirstAdministrator() && made.scopes.includes("admin") && firstSteps());
  };
  replace(place, h("form", { class: "body", onsubmit: (event) => { event.preventDefault(); make(); } },
    h(
      "div",
      { class: "grid" },
      h("div", { class: "field" }, h("label", { for: "template" }, words.template), template),
      folder.node,
    ),
    name.node,
    h(
      "div",
      { class: "field" },
      h("label", { for: "scopes" }, words.scopes),
      scopes,
      h("p", { class: "note", id: "scopes-note" }, words.scopesNote),
    ),
    h("div", { class: "grid" }, end.node, networks.node),
    problem, h("div", { class: "actions" }, go, linkButton(T.cancel, "#/tokens"))));
  main.append(h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, words.newTitle)), place);
  return words.newTitle;
}

function field(id, label, attributes, note) {
  const input = h("input", { id, autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-note`, ...attributes });
  return {
    input,
    node: h("div", { class: "field" }, h("label", { for: id }, label), input, h("p", { class: "note", id: `${id}-note` }, note)),
  };
}

// A session that is not new must show its token once more, before it makes what outlasts it.
async function confirming(action) {
  try {
    return await action();
  } catch (problem) {
    if (problem.type !== "confirmation-required" || !(await confirmSession())) throw problem;
    return action();
  }
}

function confirmSession() {
  return new Promise((resolve) => {
    const input = h("input", { id: "confirm-token", type: "password", autocomplete: "current-password", required: true });
    const problem = h("div");
    const go = h("button", { type: "submit", class: "primary" }, words.confirm);
    let done = false;
    const dialog = openDialog(words.confirmTitle, h("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        const token = input.value.trim();
        input.value = "";
        done = (await attempt(go, problem, () => call("session/confirm", { token }))) !== undefined;
        if (done) dialog.close();
      },
    }, h("p", {}, words.confirmText), h(
      "div",
      { class: "field" },
      h("label", { for: "confirm-token" }, T.signIn.token),
      input,
    ), problem,
    h("div", { class: "actions" }, button(T.cancel, () => dialog.close()), go)));
    dialog.addEventListener("close", () => resolve(done));
  });
}

// The token that the installation made has been used by a machine, and belongs to nobody: it is for emergencies.
function firstSteps() {
  return h("div", { class: "body" },
    h("h2", {}, words.firstTitle),
    h("ol", { class: "steps" }, words.firstSteps.map((step) => h("li", {}, step))),
    h("div", { class: "actions" }, button(T.lock, () => lock(), { symbol: "lock" })));
}

function shownOnce({ name, token, token_id: id }) {
  const bytes = new TextEncoder().encode(token);
  const shell = `export VAULT_URL=${location.origin}\nread -rs VAULT_TOKEN && export VAULT_TOKEN\ncurl -sS "$VAULT_URL/vault/token/whoami" -X POST -H @- <<<"Authorization: Bearer $VAULT_TOKEN"`;
  const place = h("div", { class: "body" },
    h("h2", { tabindex: "-1" }, words.doneTitle(name)), h("p", { class: "warned", role: "status" }, words.once),
    h("div", { class: "value" }, token), h("p", { class: "note" }, h("code", { class: "small" }, id)),
    h("div", { class: "actions" }, button(T.copy, () => copySecret(async () => bytes), { kind: "primary", symbol: "copy" })),
    h("details", {}, h("summary", {}, words.shell), h("div", { class: "value" }, shell)),
    h("a", { href: "#/tokens" }, words.title));
  window.addEventListener("hide-values", () => replace(place), { once: true });
  return place;
}
