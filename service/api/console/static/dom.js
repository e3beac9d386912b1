// The only way to make nodes: text stays text, whatever it is, and the policy refuses anything else.

const SVG = "http://www.w3.org/2000/svg";

// One weight, drawn on 24 x 24.
const ICONS = {
  shield: "M12 3 5 6v5c0 4.500 3 8.200 7 10 4-1.800 7-5.500 7-10V6z",
  key: "M14.500 9.500a4 4 0 1 0-4.200 4L19 21l2-2-3-3 M8.500 8.500h.01 M12.500 12.500l2 2",
  link: "M10 14a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1 1 M14 10a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1",
  token: "M3 8h18v8H3z M7 12h.01 M11 12h6",
  log: "M6 3h12v18H6z M9 8h6 M9 12h6 M9 16h3",
  status: "M3 12h4l3-7 4 14 3-7h4",
  lock: "M6 11h12v9H6z M8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  folder: "M3 6h6l2 2h10v11H3z",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14z M16 16l4.500 4.500",
  copy: "M9 9h11v11H9z M15 9V4H4v11h5",
  eye: "M2 12s3.600-6.500 10-6.500S22 12 22 12s-3.600 6.500-10 6.500S2 12 2 12z M12 9.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5z",
  save: "M12 4v11 M7.500 11 12 15.500l4.500-4.500 M5 20h14",
  plus: "M12 5v14 M5 12h14",
  warning: "M12 4 2.500 20h19z M12 10v4.500 M12 17.300h.01",
  empty: "M4 13 7 5h10l3 8v6H4z M4 13h5l1 2.500h4l1-2.500h5",
};

// h("a", {href, class, onclick}, child, …): functions are listeners, true is an attribute without a value.
export function h(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children.flat(Infinity)) if (child != null && child !== false) node.append(child);
}

export function replace(node, ...children) {
  node.replaceChildren();
  append(node, children);
}

export function icon(name) {
  const svg = shape("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" });
  svg.append(shape("path", { d: ICONS[name] }));
  return svg;
}

// A picture with a name, of paths with a class each, on a square of this size.
export function drawing(title, kind, paths, size) {
  const svg = shape("svg", { class: kind, viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": title });
  svg.append(...paths.map(([name, d]) => shape("path", { class: name, d })));
  return svg;
}

function shape(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

export function button(text, onclick, { kind = "", symbol, about, ...attributes } = {}) {
  return h("button", { type: "button", class: kind, onclick, ...attributes },
    symbol && icon(symbol), text, about && h("span", { class: "visually-hidden" }, ` ${about}`));
}

export function linkButton(text, href, { kind = "", symbol } = {}) {
  return h("a", { class: `button ${kind}`, href }, symbol && icon(symbol), text);
}

export function badge(text, kind = "") {
  return h("span", { class: `badge ${kind}` }, text);
}

export function card(title, body, ...actions) {
  return h("section", { class: "card", "aria-label": title },
    h("header", {}, h("h2", {}, title), actions.length > 0 && h("div", { class: "actions" }, actions)), body);
}

export function facts(pairs) {
  return h("dl", { class: "facts" },
    pairs.filter(([, value]) => value != null && value !== false)
      .map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}
