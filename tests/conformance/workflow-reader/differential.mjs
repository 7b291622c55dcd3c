// Compares our reader with GitHub's editor package (@actions/workflow-parser) on the YAML files below the folders
// given, and on seeded mutations of them. What must agree: the places of all errors, or
// the jobs (id, name, needs, condition, runner) and steps (id, condition, action).
//   node differential.mjs BATCH_PROGRAM NODE_MODULES COUNT FOLDER…
// DRYDOCK_SEED chooses the mutations, SHOW how many disagreements are printed.

import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, statSync, existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";

const [program, modules, count, ...folders] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(resolve(modules, "@actions", path)));
const [reference, { TemplateContext, TemplateValidationErrors }, { getWorkflowSchema }, { FeatureFlags }] = await Promise.all([
  "workflow-parser/dist/index.js", "workflow-parser/dist/templates/template-context.js",
  "workflow-parser/dist/workflows/workflow-schema.js", "expressions/dist/features.js"].map(load));
// Background steps and other new syntax.
const featureFlags = new FeatureFlags({ all: true });

// What the package keeps of a template: it leaves out inputs, shells, defaults and more.
// Expressions are compared without blanks: where a text with one goes over several lines, the package takes the lines as
// they stand in the file, with their indentation; YAML, and GitHub's service, fold them.
const bare = (condition) => condition?.expr?.replace(/\s+/g, "");
const bareRunner = (runsOn) => (runsOn?.expr ? { ...runsOn, expr: bare(runsOn) } : runsOn);
const outline = (template) =>
  template.jobs.map(({ type, id, name, needs, if: condition, ["runs-on"]: runsOn, steps }) => ({
    type, id, name, needs, condition: bare(condition), runsOn: bareRunner(runsOn),
    steps: (steps ?? []).map(({ id, if: condition, uses }) => ({ id, condition: bare(condition), uses })),
  }));

function* filesBelow(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* filesBelow(path);
    else if (/\.ya?ml$/.test(name)) yield path;
  }
}

// Divergences that are meant, each with its reason; an error is left out of the comparison on both sides.
const known = [
  [/cron|timezone/i, "the package also checks cron lines; here lint does"],
  [/only define one of/, "refused by GitHub's service, unknown to the package"],
  [/Expected format \{org\}/, "the service's check of uses, unknown to the package"],
  [/Container image cannot be empty/, "the service's check"],
  [/Invalid reference to a reusable workflow|workflow reference/i, "worded and timed differently"],
  [/Missing 'options' for choice input|but 'options' is defined|reading 'input default'/, "the package also checks inputs of a dispatch; here lint does"],
  [/Matrix must define at least one vector/, "the service's check"],
  [/identifier '.*' may not be used more than once/, "the service compares step ids without regard to case"],
];
// Left out: the package's refusal of `services:` and of a job's or step's `env:` that are one expression, and of dispatch inputs
// without a value, all of which GitHub's service takes; aliases without an anchor, tags that do not fit, and unknown
// directives, which the package passes over.
const leftOut = (text, theirs, ours) =>
  theirs.some((m) => /while reading '(services|step env|job env)'/.test(m)) ||
  (text.includes("workflow_dispatch") && theirs.some((m) => m.endsWith("Unexpected value ''"))) ||
  ours.some((m) => /there is no anchor|unknown directive|The scalar style|Unexpected tag|is invalid for the type/.test(m));
// Where the text is no YAML, both must refuse it; the place is that of the library.
const notYaml = (theirs) => theirs.some((m) => placeOf(m) === "file");
// The service's YAML library, and ours, is stricter in a few places than the package's, which then refuses the meaning.
const strictlyYaml = (ours) => ours.some((m) => m.includes("Not valid YAML"));
const counted = (message) => !known.some(([pattern]) => pattern.test(message));
// The same line is enough for a value that is not written: libraries differ by the blank after a dash or colon.
// A collection with an anchor begins at the anchor for GitHub's service, behind it for the package.
const aboutCollection = /A (mapping|sequence) was not expected|Required property is missing|There's not enough info/;
const placeOf = (message, text = "") => {
  if (/&\w/.test(text) && aboutCollection.test(message)) return aboutCollection.exec(message)[0];
  const place = message.match(/\(Line: (\d+), Col: (\d+)\)/);
  if (!place) return "file";
  return /Unexpected value '(null)?'$/.test(message) ? place[1] : place.slice(1, 3).join(":");
};

async function judge(name, text) {
  const context = new TemplateContext(new TemplateValidationErrors(), getWorkflowSchema(), new reference.NoOperationTraceWriter());
  context.state.featureFlags = featureFlags;
  const { value } = reference.parseWorkflow({ name, content: text }, context);
  if (!value) return { errors: context.errors.getErrors().map((e) => e.message) };
  const template = await reference.convertWorkflowTemplate(context, value, undefined, { featureFlags });
  return { errors: (template.errors ?? []).map((e) => e.Message), template: JSON.parse(JSON.stringify(template)) };
}

let state = Number(process.env.DRYDOCK_SEED ?? 20240229);
function random(limit) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

function mutate(text) {
  const lines = text.split("\n");
  const at = random(lines.length);
  switch (random(6)) {
    case 0: lines.splice(at, 1); break;
    case 1: lines.splice(at, 0, lines[random(lines.length)]); break;
    case 2: lines[at] = lines[at].replace(/\w/, (c) => c + "x"); break;
    case 3: lines[at] = lines[at].replace(/: .*/, ": " + ["5", "true", "~", "[a]", "{a: b}", "''", "${{ github.ref }}", "${{ x", "${{ secrets.A }}"][random(9)]); break;
    case 4: lines[at] = lines[at].replace(/: .*/, ":"); break;
    case 5: lines[at] = lines[at].replace(/\$\{\{/, "${{ nope."); break;
  }
  return lines.join("\n");
}

const originals = folders.filter((f) => existsSync(f)).flatMap((f) => [...filesBelow(f)]).sort().map((path) => [path, readFileSync(path, "utf8")]);
const inputs = [...originals];
while (originals.length > 0 && inputs.length < originals.length + Number(count)) {
  const [path, text] = originals[random(originals.length)];
  inputs.push([path + "~" + inputs.length, mutate(text)]);
}

const run = spawnSync(program, {
  input: inputs.map(([name, text]) => JSON.stringify({ name, text })).join("\n") + "\n",
  encoding: "utf8", maxBuffer: 1 << 30,
});
if (run.status !== 0) {
  console.log(`differential: ${program} failed: ${run.stderr}`);
  process.exit(1);
}
const ours = run.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));

let agree = 0, shown = 0, compared = 0;
for (const [index, [name, text]] of inputs.entries()) {
  const verdict = await judge(name, text);
  const all = (ours[index].errors ?? []).map((e) => e.Message);
  if (leftOut(text, verdict.errors, all)) continue;
  const theirs = verdict.errors.filter(counted);
  ++compared;
  const mine = all.filter(counted);
  const places = (list) => [...new Set(list.map((message) => placeOf(message, text)))].sort().join(" ");
  const bothFine = verdict.errors.length === 0 && ours[index].errors === undefined;
  if ((notYaml(verdict.errors) && all.length > 0) || (strictlyYaml(all) && verdict.errors.length > 0)) {
    ++agree;
  } else if (places(theirs) === places(mine) && (!bothFine || isDeepStrictEqual(outline(verdict.template), outline(ours[index])))) {
    ++agree;
  } else if (++shown <= Number(process.env.SHOW ?? 20)) {
    console.log(`DISAGREES ${name}\n  theirs: ${theirs.join("\n          ")}\n  ours:   ${mine.join("\n          ")}`);
    if (bothFine) console.log("  theirs: " + JSON.stringify(outline(verdict.template)) + "\n  ours:   " + JSON.stringify(outline(ours[index])));
  }
}
console.log(`workflow-reader differential: ${agree} of ${compared} agree (${inputs.length - compared} left out)`);
process.exit(agree === compared ? 0 : 1);
