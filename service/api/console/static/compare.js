// What differs between two values: old on the left, new on the right, by field where both are JSON, or by line.

import { badge, h } from "./dom.js";
import { asText, size } from "./format.js";
import { memberSpans } from "./json_fields.js";
import { T } from "./texts.js";

// The table of the longest common subsequence has this many cells at most.
const MAX_CELLS = 4_000_000;

export function comparison(before, after) {
  const [old, recent] = [asText(before), asText(after)];
  if (old === null || recent === null) return h("p", {}, T.compare.notText(size(before.length), size(after.length)));
  if (old === recent) return h("p", {}, T.compare.same);
  const [oldFields, recentFields] = [memberSpans(old), memberSpans(recent)];
  if (oldFields === null || recentFields === null) return byLine(old, recent);
  return [byField(oldFields, recentFields), h("details", {}, h("summary", {}, T.value.asText), byLine(old, recent))];
}

function byField(oldFields, recentFields) {
  const [old, recent] = [oldFields, recentFields].map((fields) => new Map(fields.map(({ name, value }) => [name, value])));
  return h("ul", { class: "rows compare" }, [...new Set([...old.keys(), ...recent.keys()])].map((name) =>
    h("li", {}, h("div", {}, h("strong", { class: "mono" }, name), " ", old.get(name) === recent.get(name) && badge(T.compare.unchanged)),
      old.get(name) !== recent.get(name) && pair(old.get(name), recent.get(name)))));
}

function byLine(old, recent) {
  return h("div", { class: "value compare", role: "group", "aria-label": T.compare.title, tabindex: "0" },
    sideBySide(differences(old.split("\n"), recent.split("\n"))).map(([kind, left, right]) =>
      kind === "same" ? h("div", { class: "pair" }, h("div", { class: "same" }, left || " "), h("div", { class: "same again", "aria-hidden": "true" }, left || " "))
        : pair(left, right)));
}

// One of them is undefined if the line, or the field, is on one side only.
function pair(old, recent) {
  return h("div", { class: "pair" },
    old === undefined ? h("div", { class: "again" }) : h("del", { class: "old" }, visible(old)),
    recent !== undefined && h("ins", { class: "new" }, visible(recent)));
}

// Of each block of changes, the first old line beside the first new one, and so on.
function sideBySide(lines) {
  const rows = [];
  const block = { old: [], new: [] };
  const end = () => {
    for (let i = 0; i < Math.max(block.old.length, block.new.length); i++) rows.push(["changed", block.old[i], block.new[i]]);
    block.old = [];
    block.new = [];
  };
  for (const [kind, line] of lines) {
    if (kind !== "same") {
      block[kind].push(line);
      continue;
    }
    end();
    rows.push(["same", line]);
  }
  end();
  return rows;
}

// A carriage return at the end of a line would differ unseen.
const visible = (line) => line.replace(/\r/g, "␍") || " ";

export function differences(old, recent) {
  if (old.length * recent.length > MAX_CELLS) return [...old.map((line) => ["old", line]), ...recent.map((line) => ["new", line])];
  const width = recent.length + 1;
  const common = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = recent.length - 1; j >= 0; j--) {
      common[i * width + j] = old[i] === recent[j] ? common[(i + 1) * width + j + 1] + 1 : Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  const lines = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < recent.length) {
    if (i < old.length && j < recent.length && old[i] === recent[j]) {
      lines.push(["same", old[i++]]);
      j++;
    } else if (j === recent.length || (i < old.length && common[(i + 1) * width + j] >= common[i * width + j + 1])) lines.push(["old", old[i++]]);
    else lines.push(["new", recent[j++]]);
  }
  return lines;
}
