// The page Secrets: one folder, or what a search or a filter finds, with a copy button in each row.

import { addressOf, copyFrom, crumbs, endBadge, labelBadges, refOfSecret, time } from "./about_secret.js";
import { selection } from "./bulk.js";
import { confirmed } from "./dialog.js";
import { call } from "./api.js";
import { button, h, icon, linkButton, replace } from "./dom.js";
import { lastSegment, relative } from "./format.js";
import { find, isPath, query, VIEWS } from "./search.js";
import { may } from "./session.js";
import { attempt, empty, part } from "./states.js";
import { T } from "./texts.js";

const SEARCH_AFTER = 250;
const words = T.secrets;

export function secretsPage(main, rest) {
  const [folder, chosen] = rest.split("?");
  const view = VIEWS.find((name) => name === chosen);
  const results = h("section", { class: "card", "aria-label": words.title });
  let timer;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, SEARCH_AFTER);
  };
  const search = h("input", {
    id: "search", type: "search", placeholder: words.find, "aria-label": words.find, maxlength: "256", autocomplete: "off",
    spellcheck: "false", oninput: later,
  });
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
    h("div", { class: "actions views", role: "group", "aria-label": words.filters }, VIEWS.map((name) => viewLink(name, view, folder))),
    results);
  refresh();
  return title;
}

function viewLink(name, view, folder) {
  return h("a", {
    class: `button plain ${name === view ? "chosen" : ""}`,
    href: name === view ? `#/secrets/${folder}` : `#/secrets/${folder}?${name}`,
    "aria-current": name === view && "true",
  }, words.views[name]);
}

function listing(asked, folder, refresh) {
  return part(() => find(asked), (page) => {
    const searches = Boolean(asked.match || asked.ends_before);
    if (page.secrets.length + page.folders.length + page.altered.length === 0 && page.cursor === null) {
      return empty(searches ? words.nothingFound : asked.recursive ? words.nothingHere : words.emptyFolder,
        isPath(asked.match) && linkButton(words.openAsPath(asked.match), `#/secret/${asked.match}`),
        !asked.recursive && may("create") && linkButton(words.create, `#/new/${folder}`, { kind: "primary", symbol: "plus" }));
    }
    const selected = selection(asked.deleted, refresh);
    const rows = h("tbody");
    const more = h("div", { class: "body" });
    const add = ({ folders, secrets, cursor }) => {
      rows.append(...folders.map(folderRow), ...secrets.map((secret) => secretRow(secret, selected, asked, folder, refresh)));
      offerMore(more, cursor, secrets.at(-1), asked, add);
    };
    add(page);
    return [
      page.altered.length > 0 && h("p", { class: "warned" }, words.altered(page.altered.join(", "))),
      selected.bar,
      h("table", {},
        h("thead", {}, h("tr", {}, h("th", { class: "select" }, page.secrets.length > 0 && selected.all), h("th", { scope: "col" }, words.name),
          ["labels", "version", "changed", "ends"].map((name) => h("th", { scope: "col", class: "wide-only" }, words[name])),
          h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, words.actions)))),
        rows),
      more,
    ];
  });
}

// A search says how far it came.
function offerMore(place, cursor, last, asked, add) {
  place.hidden = cursor === null;
  if (cursor === null) return;
  const problem = h("div");
  const next = button(words.more(asked.limit), async () => {
    const page = await attempt(next, problem, () => find({ ...asked, cursor }));
    if (page) add(page);
  });
  replace(place, asked.match && last?.path && h("p", { class: "note" }, words.upTo(last.path)), problem, h("div", {}, next));
}

function folderRow(name) {
  return h("tr", {}, h("td", { class: "select" }), h("td", { colspan: "6" },
    h("a", { class: "name folder", href: `#/secrets/${name}` }, icon("folder"), h("span", {}, `${lastSegment(name.slice(0, -1))}/`))));
}

function secretRow(secret, selected, asked, folder, refresh) {
  const shown = secret.path === null ? secret.secret_id : asked.recursive ? secret.path.slice(folder.length) : lastSegment(secret.path);
  const changed = secret.updated_at ?? secret.created_at;
  return h("tr", {},
    h("td", { class: "select" }, selected.box(secret)),
    h("td", {},
      h("a", { class: "name", href: addressOf(secret) }, icon("key"), h("span", {}, shown)),
      h("div", { class: "narrow note" }, `v${secret.version} · ${relative(changed)}`, secret.expires_at && [" ", endBadge(secret.expires_at)])),
    h("td", { class: "wide-only" }, labelBadges(secret.labels)),
    h("td", { class: "wide-only muted" }, `v${secret.version}`),
    h("td", { class: "wide-only muted" }, time(changed)),
    h("td", { class: "wide-only" }, secret.expires_at ? endBadge(secret.expires_at, { short: true }) : h("span", { class: "muted" }, words.never)),
    h("td", {}, secret.deleted_at ? undeleteButton(secret, shown, refresh)
      : (secret.path === null || may("fetch", secret.path)) && button(T.copy, () => copyFrom(secret), { kind: "plain", symbol: "copy", about: shown })));
}

function undeleteButton(secret, shown, refresh) {
  const ask = () => confirmed(
    words.undeleteTitle(shown),
    words.undeleteText,
    T.undelete,
    () => call("secret/undelete", refOfSecret(secret)),
    { danger: false },
  ).then((done) => done && refresh());
  return button(T.undelete, ask, { kind: "plain", about: shown });
}
