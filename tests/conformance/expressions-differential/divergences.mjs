// Where the npm package is known to differ from GitHub's runner and server, which drydock follows, each with its
// reason. A rule is narrow: it looks at the case, or at both answers, and nothing else is excused.

const text = ({ expr, contexts }) => expr + "\n" + JSON.stringify(contexts);
const isError = (answer, phase) => answer.error?.phase === phase;
const position = (answer) => Number(/Located at position (\d+)/.exec(answer.error.message)?.[1] ?? Infinity);

// Numbers that .NET's "G15" and JavaScript print differently.
function hasExtremeNumber(string) {
  return (string.match(/[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/g) ?? []).some((spelling) => {
    const size = Math.abs(Number(spelling));
    return size >= 1e15 || (size > 0 && size < 1e-4) || spelling.replace(/[eE].*|\D/g, "").replace(/^0+/, "").length > 15;
  });
}

export const divergences = [
  {
    name: "escaped quotes",
    reason: "the package replaces only the first '' of a literal",
    excuses: ({ expr }) => /'(?:[^']|'')*''(?:[^']|'')*''(?:[^']|'')*'/.test(expr),
  },
  {
    name: "eager arguments",
    reason: "the package evaluates every argument and index; the runner only those it needs, so errors in others do not arise",
    excuses: (_, ours, theirs) => isError(theirs, "evaluation") && !ours.error,
  },
  {
    name: "number text",
    reason: "the runner prints numbers with .NET's G15 (1E+21, 1E-07), the package as JavaScript does",
    excuses: (sample, ours, theirs) => !ours.error && !theirs.error && hasExtremeNumber(text(sample)),
  },
  {
    name: "integer forms",
    reason: "the runner reads 0x and 0o as 32 bits and in lower case only, and no 0b; JavaScript's Number() reads all",
    excuses: (sample) => /0[XOb]|0x[0-9a-fA-F]{8,}|0o[0-7]{11,}/.test(text(sample)),
  },
  {
    name: "infinity in any case",
    reason: "the runner's number reader takes Infinity in any case, and with a plus sign",
    excuses: (sample) => /infinity/i.test(text(sample).replaceAll("Infinity", "")),
  },
  {
    name: "toJSON of NaN and infinities",
    reason: "the runner's toJSON prints NaN and Infinity, the package null",
    excuses: (sample) => /tojson/i.test(sample.expr) && /NaN|Infinity|\de\d{3}/i.test(text(sample)),
  },
  {
    name: "depth",
    reason: "the package counts parentheses and not comparisons; the runner counts the tree",
    excuses: (_, ours, theirs) => [ours, theirs].some((answer) => answer.error?.message.includes("max expression depth")),
  },
  {
    name: "first of several errors",
    reason: "the package lexes the whole text before it parses; the runner reports the leftmost error",
    excuses: (_, ours, theirs) => isError(theirs, "lexing") && isError(ours, "parsing") && position(theirs) >= position(ours),
  },
  {
    name: "trailing comma",
    reason: "the package accepts a comma before the closing parenthesis of a call; the runner does not",
    excuses: ({ expr }, ours) => /,\s*\)/.test(expr) && isError(ours, "parsing"),
  },
  {
    name: "format specifiers",
    reason: "the package ignores what follows the number in {0:x}; the runner refuses it",
    excuses: (sample, ours, theirs) => isError(ours, "evaluation") && !theirs.error && /\{\d+[^\d}]/.test(text(sample)),
  },
  {
    name: "case mapping",
    reason: "the runner maps single characters (ordinal): ß stays, ſ is no s; JavaScript's upper case is longer or other",
    excuses: (sample) => [...text(sample)].some((c) => c > "\x7f" && (c.toUpperCase().length > c.length || c === "ſ")),
  },
  {
    name: "names of prototypes",
    reason: "the package keeps members in a JavaScript object, which has a constructor of its own",
    excuses: (sample) => /constructor|__proto__/i.test(text(sample)),
  },
  {
    name: "order of numeric names",
    reason: "a JavaScript object puts names like \"1\" first",
    excuses: (sample) => /"\d+\\*"\s*:/.test(text(sample)),
  },
  {
    name: "white space",
    reason: "the runner passes over all of Unicode's white space between tokens, the package over four characters",
    excuses: ({ expr }) => /[\v\f\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/.test(expr),
  },
];

export function excuseFor(sample, ours, theirs) {
  return divergences.find(({ excuses }) => excuses(sample, ours, theirs));
}
