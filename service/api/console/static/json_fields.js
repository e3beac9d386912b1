// The members of a JSON object within its text, so that changing one leaves all other bytes as they are.

const STRING = /"(?:[^"\\]|\\.)*"/y;
const SPACE = /[\t\n\r ]*/y;

// [{name, value, start, end}]: where the value of each member is, or null if this is not a JSON object whose
// values are all text.
export function memberSpans(text) {
  try {
    const whole = JSON.parse(text);
    const values = Object.values(whole);
    if (Array.isArray(whole) || typeof whole !== "object" || !values.length || !values.every((value) => typeof value === "string")) return null;
  } catch {
    return null;
  }
  const spans = [];
  let at = text.indexOf("{") + 1;
  // It is valid, so after a string comes a colon, and after a value a comma or the end.
  while (true) {
    const name = take(STRING, skip());
    const value = take(STRING, skip(skip(name.end) + 1));
    spans.push({ name: JSON.parse(name.text), value: JSON.parse(value.text), start: value.start, end: value.end });
    at = skip(value.end);
    if (text[at] === "}") return spans;
    at += 1;
  }

  function skip(from = at) {
    return take(SPACE, from).end;
  }

  function take(pattern, from) {
    pattern.lastIndex = from;
    const [found] = pattern.exec(text);
    return { text: found, start: from, end: from + found.length };
  }
}

export function withMember(text, name, value) {
  const span = memberSpans(text).findLast((one) => one.name === name);
  return span.value === value ? text : text.slice(0, span.start) + JSON.stringify(value) + text.slice(span.end);
}
