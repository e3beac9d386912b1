// The page of one secret: its value, its versions, and who can reach it and did.

import { auditAddress, crumbs, endBadge, labelBadges, time } from "./about_secret.js";
import { call } from "./api.js";
import { confirmed } from "./dialog.js";
import { badge, button, card, facts, h, linkButton, replace } from "./dom.js";
import { daysUntil, folderOf, lastSegment, withTimes } from "./format.js";
import { servicesCard } from "./services.js";
import { may } from "./session.js";
import { empty, part } from "./states.js";
import { T } from "./texts.js";
import { valueCard } from "./value.js";
import { versionsCard } from "./versions.js";

const READS = 5;
const SHARES = document.documentElement.dataset.share === "on";
const STATE_KINDS = { live: "good", deleted: "warning", expired: "danger", destroyed: "danger" };
const words = T.secret;

export const refOf = (rest) => (rest.startsWith("?") ? { secret_id: rest.slice(1) } : { path: rest });

// A token's name instead of its id, where the service may tell it.
export const nameOf = (names, id) => names?.[id] ?? (id || T.unknown);

export function secretPage(main, rest) {
  const ref = refOf(rest);
  const name = ref.path ? lastSegment(ref.path) : ref.secret_id;
  const badges = h("span", { class: "badges" });
  const actions = h("div", { class: "actions" });
  const content = part(() => call("secret/describe", { ...ref, names: true }), (secret) => {
    const again = () => content.reload();
    replace(
      badges,
      badge(T.states[secret.state], STATE_KINDS[secret.state]),
      badge(`v${secret.version}`),
      secret.ends_at && daysUntil(secret.ends_at) > 0 && endBadge(secret.ends_at),
    );
    replace(actions, buttons(secret, ref, again));
    return h("div", { class: "columns" },
      h("div", {},
        secret.warnings.length > 0 && h("ul", { class: "warned" }, secret.warnings.map((text) => h("li", {}, withTimes(text)))),
        secret.state === "live" && secret.version > 0 && (secret.path === null || may("fetch", secret.path))
          ? valueCard(secret, ref, again)
          : h(
            "section",
            { class: "card", "aria-label": T.value.title },
            empty(secret.state === "live" ? words.noFetch : words.noValue[secret.state]),
          ),
        versionsCard(secret, ref, again)),
      h(
        "div",
        {},
        detailsCard(secret),
        servicesCard(secret),
        secret.path && may("list", secret.path) && accessCard(ref),
        may("audit", secret.path ?? "") && readsCard(secret),
      ));
  });
  main.append(
    ref.path ? crumbs(ref.path) : crumbs("", true),
    h("div", { class: "heading" }, h("div", {}, h("h1", { class: "mono", tabindex: "-1" }, name), badges), actions),
    content);
  return name;
}

function buttons(secret, ref, again) {
  const { path, state } = secret;
  const shown = path ?? secret.secret_id;
  const changes = path === null || may("delete", path);
  return [
    SHARES && state === "live" && path && may("share") && may("fetch", path) && linkButton(
      words.share,
      `#/share/${path}`,
      { symbol: "link" },
    ),
    state === "live" && (path === null || may("update", path)) && linkButton(
      words.newVersion,
      `#/version/${path ?? `?${secret.secret_id}`}`,
    ),
    state === "live" && changes && button(T.remove, () => remove(shown, ref, again), { kind: "danger" }),
    state === "deleted" && changes && button(
      T.undelete,
      () => confirmed(
        T.secrets.undeleteTitle(shown),
        T.secrets.undeleteText,
        T.undelete,
        () => call("secret/undelete", ref),
        { danger: false },
      ).then((done) => done && again()),
    ),
    state === "deleted" && changes && button(words.destroy, () => destroy(secret, shown, ref), { kind: "danger" }),
  ];
}

function remove(shown, ref, again) {
  confirmed(
    words.deleteTitle,
    [h("p", { class: "mono" }, shown), words.deleteText],
    T.remove,
    () => call("secret/delete", ref),
  ).then((done) => done && again());
}

function destroy(secret, shown, ref) {
  const inUse = secret.in_use.length > 0;
  const lines = [
    words.destroyText,
    inUse && h("p", { class: "warned" }, words.destroyInUse(secret.in_use.map(({ service }) => service).join(", "))),
  ].filter(Boolean);
  confirmed(
    words.destroyTitle,
    lines,
    words.destroy,
    () => call("secret/destroy", { ...ref, ...(inUse && { in_use: true }) }),
    { typed: shown },
  )
    .then((done) => { if (done) location.hash = `#/secrets/${folderOf(secret.path ?? "")}`; });
}

function detailsCard(secret) {
  const names = secret.names;
  const by = (at, actor) => at && [time(at), " ", words.by(nameOf(names, actor))];
  return card(words.details, h("div", { class: "body" }, facts([
    [words.path, secret.path && h("code", {}, secret.path)],
    [words.id, h("code", { class: "small" }, secret.secret_id)],
    [T.secrets.labels, Object.keys(secret.labels).length > 0 && labelBadges(secret.labels)],
    [T.secrets.ends, secret.ends_at ? time(secret.ends_at) : T.secrets.never],
    [words.created, by(secret.created_at, secret.created_by)],
    [T.secrets.changed, secret.updated_at && time(secret.updated_at)],
    [words.deleted, by(secret.deleted_at, secret.deleted_by)],
    [words.readsLeft, secret.max_reads && words.readsOf(secret.reads_left, secret.max_reads)],
    [words.lastRead, secret.read_at && [time(secret.read_at), ` ${words.from(secret.read_from)}`]],
    [words.updates, secret.cas_required ? words.checked : words.free],
  ])));
}

// A token is there once for each of its scopes that reach the path.
function accessCard(ref) {
  return card(words.access, part(() => call("secret/access", { ...ref }), ({ tokens, complete }) => [
    tokens.length === 0 ? empty(words.noAccess)
      : h("ul", { class: "rows" }, [...Map.groupBy(tokens, ({ token_id: id }) => id).values()].map(accessRow)),
    !complete && h("div", { class: "body" }, h("p", { class: "note" }, words.incomplete)),
  ]));
}

function accessRow(scopes) {
  const [{ name, expires_at: end }] = scopes;
  return h("li", {},
    h("div", {}, h("strong", {}, name), scopes.map(({ actions, through }) =>
      h("div", { class: "note" }, `${actions.join(", ")} · `, h("code", { class: "small" }, through)))),
    h("span", { class: "note" }, end ? [`${words.endsIn} `, time(end)] : words.noEnd));
}

function readsCard(secret) {
  const asked = secret.path ? { path: secret.path } : { secret_id: secret.secret_id };
  return card(words.reads,
    part(() => call("audit/search", { ...asked, operation: "fetch", limit: READS, names: true }), ({ records, names }) =>
      records.length === 0 ? empty(words.noReads) : h("ul", { class: "rows" }, records.slice(0, READS).map((record) =>
        h("li", {},
          h(
            "div",
            {},
            h("strong", {}, nameOf(names, record.actor)),
            " ",
            record.status !== "success" && badge(words.refused, "danger"),
            h("div", { class: "note" }, h("code", { class: "small" }, record.client_ip)),
          ),
          h("span", { class: "note" }, time(record.timestamp)))))),
    h("a", { href: auditAddress(asked) }, words.allReads));
}
