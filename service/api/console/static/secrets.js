// The page Secrets: one folder, or what a search or a filter finds, with a copy button in each row.

import { addressOf, copyFrom, crumbs, endBadge, labelBadges, refOfSecret, time } from "./about_secret.js";
import { call } from "./api.js";
import { confirmed } from "./dialog.js";
import { button, h, icon, linkButton, replace } from "./dom.js";
import { lastSegment, relative } from "./format.js";
import { endsBefore, findAmong, hasWords } from "./search.js";
import { may } from "./session.js";
import { empty, part, problemView } from "./states.js";
import { T } from "./texts.js";

const PAGE = 100;
const SEARCH_AFTER = 250;
const SOON_DAYS = 30;
const VIEWS = ["deleted", "unnamed", "soon"];
const words = T.secrets;

export function secretsPage(main, rest) {
  const [folder, chosen] = rest.split("?");
  const view = VIEWS.find((name) => name === chosen);
  const results = h("section", { class: "card", "aria-label": words.title });
  const search = h(
    "input",
    {
      id: "search",
      type: "search",
      placeholder: words.find,
      "aria-label": words.find,
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => later(),
    },
  );
  let timer;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, SEARCH_AFTER);
  };
  const refresh = () => replace(results, listing(query(folder, view, search.value.trim()), folder, refresh));
  const title = view ? words.views[view] : lastSegment(folder.replace(/\/$/, "")) || words.title;
  main.append(
    h("div", { class: "heading" },
      h("div", {}, h("h1", { tabindex: "-1" }, title)),
      h("div", { class: "actions" },
        may("create") && linkButton(words.create, `#/new/${folder}`, { kind: "primary", symbol: "plus" }))),
    h("div", { class: "heading" },
      crumbs(folder, view),
      h("form", { class: "search", role: "search", onsubmit: (event) => event.preventDefault() }, icon("search"), search)),
    h("div", { class: "actions", role: "group", "aria-label": words.filters },
      VIEWS.map(
        (name) => h(
          "a",
          {
            class: `button plain ${name === view ? "chosen" : ""}`,
            href: name === view ? `#/secrets/${folder}` : `#/secrets/${folder}?${name}`,
            "aria-current": name === view && "true",
          },
          words.views[name],
        ),
      )),
    results);
  refresh();
  return title;
}

// What to ask the service for, and which of the secrets in its answer are wanted; null: all of them.
function query(folder, view, text) {
  const asked = { limit: PAGE, recursive: text !== "" || Boolean(view) };
  if (folder && view !== "unnamed") asked.prefix = folder;
  if (view === "deleted" || view === "unnamed") asked[view] = true;
  const soon = view === "soon" && endsBefore(Date.now() + SOON_DAYS * 86_400_000);
  const matching = text && hasWords(text);
  const wanted = soon || matching ? (secret) => (!soon || soon(secret)) && (!matching || matching(secret)) : null;
  return { asked, wanted };
}

function listing({ asked, wanted }, folder, refresh) {
  return part(() => load(asked, wanted), (page) => {
    const rows = h(
      "tbody",
      {},
      page.folders.map((name) => folderRow(name)),
      page.secrets.map((secret) => secretRow(secret, asked, folder, refresh)),
    );
    if (!rows.children.length && page.cursor === null) {
      return empty(wanted ? words.nothingFound : asked.recursive ? words.nothingHere : words.emptyFolder,
        !asked.recursive && may("create") && linkButton(words.create, `#/new/${folder}`, { kind: "primary", symbol: "plus" }));
    }
    const more = h("div", { class: "body" });
    offerMore(more, page.cursor, asked, rows, (secret) => secretRow(secret, asked, folder, refresh));
    return [
      page.altered.length > 0 && h("p", { class: "warned" }, words.altered(page.altered.join(", "))),
      page.stopped && h("p", { class: "warned" }, words.stopped(page.stopped)),
      h("table", {},
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, words.name),
          ["labels", "version", "changed", "ends"].map((name) => h("th", { scope: "col", class: "wide-only" }, words[name])),
          h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, words.actions)))),
        rows),
      more,
    ];
  });
}

// Whoever may not list may still open what they know the path of.
async function load(asked, wanted) {
  try {
    return await (wanted ? findAmong(asked, wanted) : call("secret/list", asked));
  } catch (problem) {
    if (problem.status !== 403) throw problem;
    problem.members.openByPath = true;
    throw problem;
  }
}

function offerMore(place, cursor, asked, rows, row) {
  place.hidden = cursor === null;
  if (cursor === null) return;
  const problem = h("div");
  replace(place, problem, button(words.more(PAGE), async (event) => {
    event.target.disabled = true;
    try {
      const next = await call("secret/list", { ...asked, cursor });
      rows.append(...next.folders.map((name) => folderRow(name)), ...next.secrets.map(row));
      offerMore(place, next.cursor, asked, rows, row);
    } catch (error) {
      event.target.disabled = false;
      replace(problem, problemView(error));
    }
  }));
}

function folderRow(name) {
  return h("tr", {}, h("td", { colspan: "6" },
    h(
      "a",
      { class: "name folder", href: `#/secrets/${name}` },
      icon("folder"),
      h("span", {}, `${lastSegment(name.slice(0, -1))}/`),
    )));
}

function secretRow(secret, asked, folder, refresh) {
  const shown = secret.path === null ? secret.secret_id : asked.recursive ? secret.path.slice(folder.length) : lastSegment(secret.path);
  return h("tr", {},
    h("td", {},
      h("a", { class: "name", href: addressOf(secret) }, icon("key"), h("span", {}, shown)),
      h(
        "div",
        { class: "narrow note" },
        `v${secret.version} · ${relative(secret.updated_at ?? secret.created_at)}`,
        secret.expires_at && [" · ", endBadge(secret.expires_at)],
      )),
    h("td", { class: "wide-only" }, labelBadges(secret.labels)),
    h("td", { class: "wide-only muted" }, `v${secret.version}`),
    h("td", { class: "wide-only muted" }, time(secret.updated_at ?? secret.created_at)),
    h("td", { class: "wide-only" }, secret.expires_at ? endBadge(secret.expires_at) : h("span", { class: "muted" }, words.never)),
    h("td", {}, secret.deleted_at
      ? button(
        words.undelete,
        () => confirmed(
          words.undeleteTitle(shown),
          words.undeleteText,
          words.undelete,
          () => call("secret/undelete", refOfSecret(secret)),
          { danger: false },
        ).then((done) => done && refresh()),
        { kind: "plain", about: shown },
      )
      : (secret.path === null || may("fetch", secret.path)) && button(
        T.copy,
        () => copyFrom(secret),
        { kind: "plain", symbol: "copy", about: shown },
      )));
}
