// Random contexts and expressions over them: mostly valid, some broken on purpose.

const NAMES = ["github", "matrix", "needs", "foo-bar", "_x", "inputs"];
const KEYS = ["ref", "Ref", "name", "event", "labels", "a-b", "_k", "os", "", "with space", "É"];
const STRINGS = [
  "", " ", "a", "A", "abc", "ABC", "main", "refs/heads/main", "0", "1", " 1 ", "-1.5", "0x1f", "0o17", "1e3", "true", "false",
  "null", "NaN", "Infinity", "-Infinity", "it's", "''", "{0}", "{0}-{1}", "{{x}}", "{0", "}", "{1}{0}{0}", "{2}", "[]", "{}", "[1,2]",
  '{"a":1,"b":[true,null]}', '{"Name":"x","name":"y"}', '"s"', "[1,", "é", "É", "σ", "Σ", "ſ", "ß", "🐳", "\n", 'q"\\', ",", "0xfffffffff",
];
const NUMBERS = ["0", "1", "2", "-1", "+3", ".5", "-0", "1.25", "1e2", "1E-2", "0xfF", "0o7", "255", "1e21", "1e-7", "NaN", "Infinity", "-Infinity"];
const BROKEN = ["(", ")", "[", "]", ".", ",", "*", "'", "!", "=", "==", "&", "&&", "|", "<", "-", "$", '"', "1", "x", " ", "0x", "null", "`"];
const BINARY = ["==", "!=", "<", "<=", ">", ">=", "&&", "||"];
const FUNCTIONS = { contains: [2, 2], startsWith: [2, 2], endsWith: [2, 2], format: [1, 4], join: [1, 2], toJSON: [1, 1], fromJSON: [1, 1], case: [3, 5] };

export function generateContexts(random) {
  const contexts = {};
  for (let count = 1 + random.below(3); count > 0; --count) contexts[random.pick(NAMES)] = value(random, 0);
  return contexts;
}

function value(random, depth) {
  const kind = random.below(depth > 2 ? 6 : 12);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind === 2) return random.pick([0, 1, -1, 2.5, 100, 1e20, 0.001]);
  if (kind < 6) return random.pick(STRINGS);
  if (kind < 8) return Array.from({ length: random.below(4) }, () => value(random, depth + 1));
  const object = {};
  for (let count = random.below(4); count > 0; --count) object[random.pick(KEYS)] = value(random, depth + 1);
  return object;
}

export function generateExpression(random, contexts) {
  let text = expression(random, contexts, 0);
  if (random.chance(0.12)) text = breakText(random, text);
  return text;
}

function blank(random) {
  return random.chance(0.8) ? "" : random.pick([" ", "  ", "\t", "\n"]);
}

export function quote(text) {
  return "'" + text.replaceAll("'", "''") + "'";
}

function anyCase(random, text) {
  const way = random.below(6);
  return way === 0 ? text.toUpperCase() : way === 1 ? text.toLowerCase() : text;
}

function literal(random) {
  const kind = random.below(10);
  if (kind === 0) return "null";
  if (kind === 1) return random.pick(["true", "false"]);
  if (kind < 5) return random.pick(NUMBERS);
  return quote(random.pick(STRINGS));
}

// A path that mostly exists.
function path(random, contexts, depth) {
  const name = random.pick(Object.keys(contexts));
  let text = anyCase(random, name);
  let at = contexts[name];
  for (let steps = random.below(4); steps > 0; --steps) {
    const isObject = at !== null && typeof at === "object" && !Array.isArray(at);
    const key = isObject && Object.keys(at).length && random.chance(0.8) ? random.pick(Object.keys(at)) : random.pick(KEYS);
    const way = random.below(8);
    if (way === 0) {
      text += random.pick([".*", "[*]"]);
      at = isObject ? Object.values(at)[0] : Array.isArray(at) ? at[0] : undefined;
    } else if (way === 1 || Array.isArray(at)) {
      text += `[${blank(random)}${random.chance(0.7) ? random.pick(["0", "1", "'1'", "-1", "1.9", "true"]) : expression(random, contexts, depth + 2)}]`;
      at = Array.isArray(at) ? at[0] : undefined;
    } else {
      const dotted = /^[A-Za-z_][\w-]*$/.test(key) && random.chance(0.8);
      text += dotted ? `.${anyCase(random, key)}` : `[${quote(key)}]`;
      at = isObject ? at[key] : undefined;
    }
  }
  return text;
}

function expression(random, contexts, depth) {
  const kind = random.below(depth > 3 ? 5 : 12);
  if (kind < 2) return literal(random);
  if (kind < 5) return path(random, contexts, depth);
  const inner = () => blank(random) + expression(random, contexts, depth + 1) + blank(random);
  if (kind === 5) return `!${inner()}`;
  if (kind === 6) return `(${inner()})${random.chance(0.2) ? random.pick([".name", "[0]", ".*", "['ref']"]) : ""}`;
  if (kind < 9) return `${inner()}${random.pick(BINARY)}${inner()}`;
  const name = random.pick(Object.keys(FUNCTIONS));
  const [least, most] = FUNCTIONS[name];
  let count = least + random.below(most - least + 1);
  if (name === "case") count = random.pick([3, 5]);
  if (random.chance(0.02)) ++count;
  const list = Array.from({ length: count }, (_, i) => (name === "case" && i + 1 < count && i % 2 === 0 && random.chance(0.8) ? predicate(random, contexts, depth) : inner()));
  return `${anyCase(random, name)}${blank(random)}(${list.join(",")})${random.chance(0.1) ? random.pick([".a", "[0]", ".*"]) : ""}`;
}

function predicate(random, contexts, depth) {
  return random.pick(["true", "false", `!${path(random, contexts, depth + 1)}`, `${path(random, contexts, depth + 1)} == ${literal(random)}`]);
}

// By code points: half a surrogate pair has no form in UTF-8.
function breakText(random, text) {
  const points = [...text];
  const at = random.below(points.length + 1);
  const way = random.below(3);
  const rest = points.slice(way === 0 ? at : at + 1 + random.below(3));
  return points.slice(0, at).join("") + (way === 1 ? "" : random.pick(BROKEN)) + rest.join("");
}
