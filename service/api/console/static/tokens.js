// The page Tokens: who may do what, and who is signed in.

import { time } from "./about_secret.js";
import { call } from "./api.js";
import { confirmed } from "./dialog.js";
import { badge, button, card, h, linkButton } from "./dom.js";
import { nameOf } from "./secret.js";
import { may } from "./session.js";
import { attempt, empty, part } from "./states.js";
import { T } from "./texts.js";

const words = T.tokens;

export function tokensPage(main) {
  const content = part(() => call("token/list"), (page) => {
    const rows = h("ul", { class: "rows" }, page.tokens.map((token) => row(token, namesIn(page.tokens), content.reload)));
    return [
      page.altered.length > 0 && h("p", { class: "warned" }, words.altered(page.altered.join(", "))),
      page.tokens.length === 0 && page.next === null ? empty(words.none) : rows,
      more(rows, page.next, content.reload),
    ];
  });
  const sessions = part(() => call("session/list"), (page) => page.sessions.length === 0 ? empty(words.sessionsNone)
    : h("ul", { class: "rows" }, page.sessions.map((session) => sessionRow(session, () => sessions.reload()))));
  main.append(
    h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, words.title),
      h("div", { class: "actions" }, may("token") && linkButton(words.create, "#/token", { kind: "primary", symbol: "plus" }))),
    h("div", { class: "columns" },
      h("div", {}, h("section", { class: "card", "aria-label": words.title }, content)),
      h("div", {}, card(words.sessions, sessions))));
  return words.title;
}

function more(rows, next, reload) {
  if (next === null) return null;
  const place = h("div", { class: "body" }, h("div"), button(words.more, async (event) => {
    const page = await attempt(event.target, place.firstChild, () => call("token/list", { after: next }));
    if (page === undefined) return;
    rows.append(...page.tokens.map((token) => row(token, namesIn(page.tokens), reload)));
    place.replaceWith(more(rows, page.next, reload) ?? "");
  }));
  return place;
}

const namesIn = (tokens) => Object.fromEntries(tokens.map(({ token_id: id, name }) => [id, name]));

function row(token, names, reload) {
  const over = token.expires_at && Date.parse(token.expires_at) <= Date.now();
  const state = token.revoked_at ? words.revoked : over ? words.expired : null;
  return h("li", {},
    h("div", {},
      h("strong", {}, token.name), " ", h("code", { class: "small muted" }, token.token_id), " ", state && badge(state, "danger"),
      h("ul", { class: "small" }, inWords(token.scopes).map((line) => h("li", {}, line))),
      h("div", { class: "note" },
        token.expires_at ? [`${words.ends} `, time(token.expires_at)] : words.noEnd,
        ` · ${words.madeBy(nameOf(names, token.created_by))} `, time(token.created_at),
        token.networks.length > 0 && ` · ${words.only(token.networks.join(", "))}`,
        token.rate_limit && ` · ${words.rate(token.rate_limit)}`)),
    !state && button(
      words.revoke,
      () => confirmed(
        words.revokeTitle(token.name),
        [h("p", { class: "mono" }, token.token_id), words.revokeText],
        words.revoke,
        () => call("token/revoke", { token_id: token.token_id }),
      ).then((done) => done && reload()),
      { kind: "plain", about: token.name },
    ));
}

// ["create:team/*", "fetch:team/*", "share"] as "makes, reads the value of team/*" and "shares secrets by link".
function inWords(scopes) {
  const actions = Map.groupBy(scopes.map((scope) => scope.split(":")), ([, pattern]) => pattern);
  return [...actions].map(([pattern, group]) => {
    const verbs = group.map(([action]) => (pattern && words.inWords[`${action}Of`]) || words.inWords[action] || action);
    return [verbs.join(", "), pattern && " ", pattern && (pattern === "*" ? words.everything : h("code", { class: "small" }, pattern))];
  });
}

function sessionRow(session, reload) {
  return h("li", {},
    h(
      "div",
      {},
      h("code", { class: "small" }, session.token_id),
      h("div", { class: "note" }, `${session.client_network} · ${words.since} `, time(session.created_at)),
    ),
    button(
      words.end,
      () => call("session/revoke", { session_id: session.session_id }).then(reload, reload),
      { kind: "plain", about: session.session_id },
    ));
}
