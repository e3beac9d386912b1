// What differs between two values, by line: old ones with a minus, new ones with a plus.

import { h } from "./dom.js";
import { asText, size } from "./format.js";
import { T } from "./texts.js";

// The table of the longest common subsequence has this many cells at most.
const MAX_CELLS = 4_000_000;

export function comparison(before, after) {
  const [old, recent] = [asText(before), asText(after)];
  if (old === null || recent === null) return h("p", {}, T.compare.notText(size(before.length), size(after.length)));
  if (old === recent) return h("p", {}, T.compare.same);
  return h("div", { class: "value", role: "group", "aria-label": T.compare.title, tabindex: "0" },
    differences(old.split("\n"), recent.split("\n")).map(([kind, line]) =>
      kind === "same" ? h("div", { class: "same" }, line || " ")
        : h(kind === "old" ? "del" : "ins", { class: kind }, visible(line))));
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
