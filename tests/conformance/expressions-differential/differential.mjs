// differential.mjs EVAL_BATCH NODE_MODULES: compares eval-batch with the npm package over random expressions.
// DRYDOCK_SEED (1) and DRYDOCK_COUNT (20000) choose the run. Each new disagreement is shrunk and printed; exit
// status 1 when there is any.

import { spawnSync } from "node:child_process";
import { isDeepStrictEqual } from "node:util";

import { divergences, excuseFor } from "./divergences.mjs";
import { generateContexts, generateExpression } from "./generate.mjs";
import { Random } from "./random.mjs";
import { loadReference } from "./reference.mjs";
import { shrink } from "./shrink.mjs";

const MOST_SHOWN = 10;
const [evalBatch, modules] = process.argv.slice(2);
const seed = Number(process.env.DRYDOCK_SEED ?? 1);
const count = Number(process.env.DRYDOCK_COUNT ?? 20000);
const reference = await loadReference(modules);

function ourAnswers(samples) {
  const input = samples.map((sample) => JSON.stringify(sample)).join("\n") + "\n";
  const run = spawnSync(evalBatch, [], { input, maxBuffer: 1 << 30, encoding: "utf8" });
  if (run.status !== 0) throw new Error(`eval-batch ended with ${run.signal ?? run.status}: ${run.stderr}`);
  const lines = run.stdout.trimEnd().split("\n");
  if (lines.length !== samples.length) throw new Error(`eval-batch answered ${lines.length} of ${samples.length}`);
  return lines.map((line) => JSON.parse(line));
}

const agree = (ours, theirs) =>
  ours.error || theirs.error ? ours.error?.phase === theirs.error?.phase
                             : ours.kind === theirs.kind && isDeepStrictEqual(ours.value, theirs.value);

function judge(samples) {
  const all = ourAnswers(samples);
  return samples.map((sample, i) => {
    const ours = all[i];
    const theirs = reference(sample);
    if (agree(ours, theirs)) return { verdict: "agree", ours };
    const excuse = excuseFor(sample, ours, theirs);
    return { verdict: excuse ? "excused" : "differ", excuse, ours, theirs };
  });
}

function firstFailing(samples) {
  if (samples.length === 0) return undefined;
  const index = judge(samples).findIndex(({ verdict }) => verdict === "differ");
  return index < 0 ? undefined : samples[index];
}

const random = new Random(seed);
const samples = Array.from({ length: count }, () => {
  const contexts = generateContexts(random);
  return { expr: generateExpression(random, contexts), contexts };
});
const judged = judge(samples);
const tally = new Map(divergences.map(({ name }) => [name, 0]));
const failures = [];
let values = 0;
judged.forEach(({ verdict, excuse, ours }, i) => {
  if (!ours.error) ++values;
  if (verdict === "excused") tally.set(excuse.name, tally.get(excuse.name) + 1);
  if (verdict === "differ") failures.push(samples[i]);
});

const shown = new Set();
for (const failure of failures) {
  if (shown.size >= MOST_SHOWN) break;
  const small = shrink(failure, firstFailing);
  const key = JSON.stringify(small);
  if (shown.has(key)) continue;
  shown.add(key);
  const [{ ours, theirs }] = judge([small]);
  console.log(`differs: ${small.expr}\n  contexts  ${JSON.stringify(small.contexts)}`);
  console.log(`  ours      ${JSON.stringify(ours)}\n  reference ${JSON.stringify(theirs)}`);
}
for (const { name, reason } of divergences) {
  if (tally.get(name) > 0) console.log(`known divergence "${name}": ${tally.get(name)} (${reason})`);
}
const excused = [...tally.values()].reduce((a, b) => a + b, 0);
console.log(`expressions-differential: seed ${seed}, ${count - excused - failures.length} of ${count} agree, ` +
            `${excused} known divergences, ${failures.length} differ; ${values} gave a value`);
process.exit(failures.length ? 1 : 0);
