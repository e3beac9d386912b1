// The page Audit log: newest first, each row opens, and the whole can be verified.

import { time } from "./about_secret.js";
import { call } from "./api.js";
import { badge, button, card, facts, h, replace } from "./dom.js";
import { full } from "./format.js";
import { nameOf } from "./secret.js";
import { may } from "./session.js";
import { attempt, empty, part } from "./states.js";
import { T } from "./texts.js";

const PAGE = 50;
const TEXTS = ["path", "operation", "actor", "secret_id", "client_ip"];
const TIMES = ["since", "until"];
const WIDE = "(min-width: 768px)";
const words = T.audit;

// `rest` is "?path=…": what a link of another page asks for.
export function auditPage(main, rest) {
  const asked = Object.fromEntries(new URLSearchParams(rest.replace(/^\?/, "")));
  const results = h("section", { class: "card", "aria-label": words.title });
  const inputs = [
    ...TEXTS.map(
      (name) => [
        name,
        h("input", { id: name, class: "mono", value: asked[name] ?? "", autocomplete: "off", spellcheck: "false" }),
      ],
    ),
    [
      "status",
      h(
        "select",
        { id: "status" },
        h("option", { value: "" }, words.any),
        Object.entries(words.outcomes).map(([value, text]) => h("option", { value, selected: value === asked.status }, text)),
      ),
    ],
    ...TIMES.map((name) => [name, h("input", { id: name, type: "datetime-local" })]),
  ];
  const read = () => Object.fromEntries(inputs.filter(([, { value }]) => value.trim() !== "").map(([name, { value }]) =>
    [name, TIMES.includes(name) ? new Date(value).toISOString() : value.trim()]));
  const search = () => replace(results, listing({ ...read(), limit: PAGE, names: true }));
  const clear = () => {
    for (const [, input] of inputs) input.value = "";
    search();
  };
  main.append(
    h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, words.title)),
    // On a phone they would hide the log.
    h("details", { class: "card", open: rest !== "" || matchMedia(WIDE).matches }, h("summary", {}, words.filtersTitle),
      h("form", { class: "body", role: "search", onsubmit: (event) => { event.preventDefault(); search(); } },
        h(
          "div",
          { class: "grid" },
          inputs.map(
            ([name, input]) => h("div", { class: "field" }, h("label", { for: name, class: "small" }, words.filters[name]), input),
          ),
        ),
        h(
          "div",
          { class: "actions" },
          h("button", { type: "submit", class: "primary" }, words.search),
          button(words.clear, clear),
        ))),
    results);
  if (may("audit", "")) main.append(verifyCard());
  search();
  return words.title;
}

function listing(asked) {
  return part(() => call("audit/search", asked), (page) => {
    if (page.records.length === 0) return empty(words.none);
    const rows = h("ul", { class: "rows" });
    const place = h("div", { class: "body" });
    const add = ({ records, names, cursor }) => {
      rows.append(...records.map((record) => row(record, names)));
      const problem = h("div");
      replace(place, problem, cursor !== null && button(words.more, async (event) => {
        const next = await attempt(event.target, problem, () => call("audit/search", { ...asked, cursor }));
        if (next) add(next);
      }));
      place.hidden = cursor === null;
    };
    add(page);
    return [rows, place];
  });
}

function row(record, names) {
  const target = record.path ?? record.secret_id;
  return h("li", {}, h("details", {},
    h("summary", { class: "record" }, h("div", {},
      h("span", {},
        h("strong", {}, record.operation), " ", record.status !== "success" && badge(words.outcomes.failure, "danger"), " ",
        !record.authentic && badge(words.forged, "warning"), " ",
        target && h("code", { class: "small" }, target)),
      h("span", { class: "note" }, `${nameOf(names, record.actor)} · `, time(record.timestamp)))),
    facts([
      [words.filters.since, full(record.timestamp)],
      [words.filters.actor, h("code", { class: "small" }, record.actor)],
      ...Object.entries(words.fields).map(([name, label]) => [label, record[name] != null && value(name, record)]),
    ])));
}

function value(name, record) {
  const text = String(record[name]);
  if (name === "path") return h("a", { class: "mono", href: `#/secret/${text}` }, text);
  if (name === "secret_id") return h("a", { class: "mono small", href: `#/secret/?${text}` }, text);
  return h("span", { class: "mono small" }, text);
}

function verifyCard() {
  const place = h("div", { role: "status" });
  const verify = button(words.verify, async () => {
    const result = await attempt(verify, place, () => call("audit/verify"));
    if (result) replace(place, verdict(result));
  });
  return card(
    words.verify,
    h("div", { class: "body" }, h("p", { class: "note" }, words.verifyNote), h("div", { class: "actions" }, verify), place),
  );
}

function verdict({ fine, records, findings, anchors }) {
  return [
    fine ? h(
      "p",
      {},
      badge(T.status.ok, "good"),
      ` ${words.fine(records)}`,
    ) : h("p", {}, h("strong", {}, words.found(findings.length))),
    !fine && h(
      "ul",
      { class: "rows" },
      findings.map((finding) => h("li", {}, h("div", {}, badge(finding.kind, "danger"), ` ${finding.detail}`))),
    ),
    anchors.length === 0 && h("p", { class: "note" }, words.noAnchors),
  ];
}
