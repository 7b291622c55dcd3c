// Smaller forms of a case: fewer tokens, shorter strings, simpler contexts. The caller keeps those that still disagree.

const TOKEN = /'(?:[^']|'')*'|[A-Za-z_][\w-]*|[\d.]+|==|!=|<=|>=|&&|\|\||\s+|[^]/gu;

function* smallerTexts(expr) {
  const tokens = expr.match(TOKEN) ?? [];
  for (let span = tokens.length; span >= 1; span = Math.floor(span / 2)) {
    for (let at = 0; at + span <= tokens.length; at += Math.max(1, Math.floor(span / 2))) {
      yield tokens.slice(0, at).concat(tokens.slice(at + span)).join("");
    }
  }
  // Pairs of brackets go together.
  for (let open = 0; open < tokens.length; ++open) {
    if (!"([".includes(tokens[open])) continue;
    for (let close = open + 1, depth = 1; close < tokens.length; ++close) {
      depth += "([".includes(tokens[close]) ? 1 : ")]".includes(tokens[close]) ? -1 : 0;
      if (depth > 0) continue;
      yield tokens.filter((_, i) => i !== open && i !== close).join("");
      break;
    }
  }
  for (const [i, token] of tokens.entries()) {
    if (token.startsWith("'") && token.length > 2) {
      for (const shorter of ["''", `'${token.slice(2, -1)}'`, `'${token.slice(1, -2)}'`]) {
        yield tokens.toSpliced(i, 1, shorter).join("");
      }
    }
  }
}

function* smallerValues(value) {
  if (value === null) return;
  if (typeof value !== "object") {
    if (typeof value === "string" && value.length > 1) yield value.slice(0, value.length >> 1);
    yield null;
    return;
  }
  const keys = Object.keys(value);
  yield null;
  for (const key of keys) yield value[key];
  for (const key of keys) {
    yield Array.isArray(value) ? value.filter((_, i) => String(i) !== key) : Object.fromEntries(Object.entries(value).filter(([k]) => k !== key));
    for (const smaller of smallerValues(value[key])) {
      yield Array.isArray(value) ? value.map((item, i) => (String(i) === key ? smaller : item)) : { ...value, [key]: smaller };
    }
  }
}

// Cutting may leave half a surrogate pair, which has no form in UTF-8.
const isWhole = (sample) => sample.expr.isWellFormed() && !/\\ud[89a-f]/.test(JSON.stringify(sample.contexts));
const size = (sample) => sample.expr.length + JSON.stringify(sample.contexts).length;

/** The smallest case reached from `sample` for which `firstFailing(cases)` still finds one. */
export function shrink(sample, firstFailing) {
  for (let round = 0; round < 200; ++round) {
    const smaller = [];
    for (const expr of smallerTexts(sample.expr)) smaller.push({ ...sample, expr });
    for (const contexts of smallerValues(sample.contexts)) {
      if (contexts !== null && typeof contexts === "object" && !Array.isArray(contexts)) smaller.push({ ...sample, contexts });
    }
    const found = firstFailing(smaller.filter((candidate) => size(candidate) < size(sample) && isWhole(candidate)));
    if (!found) return sample;
    sample = found;
  }
  return sample;
}
