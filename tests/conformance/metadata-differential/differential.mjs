// Runs each generated case by the original (a process each, with a stand-in for GitHub's API on loopback) and by
// the native form, and compares every output, the bake files' contents included.
import {spawn, spawnSync} from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import {makeGenerator} from './generate.mjs';

const [batch, original] = process.argv.slice(2);
const count = Number(process.env.DRYDOCK_DIFFERENTIAL_CASES || 100);
const seed = Number(process.env.DRYDOCK_DIFFERENTIAL_SEED || 20240229);
const clock = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), 'clock.cjs');
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'metadata-differential-'));

const repositories = new Map();
const server = http.createServer((request, response) => {
  const found = /^\/(\d+)\/repos\/Org\/app$/.exec(request.url);
  response.writeHead(found ? 200 : 404, {'content-type': 'application/json'});
  response.end(JSON.stringify(found ? repositories.get(found[1]) : {message: 'Not Found'}));
});
await new Promise(ready => server.listen(0, '127.0.0.1', ready));

// "name<<mark", lines, "mark", as the runner's files have it.
function readOutputs(file) {
  const outputs = {};
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  for (let i = 0; i < lines.length; ++i) {
    const found = /^(.*?)<<(.*)$/.exec(lines[i]);
    if (!found) continue;
    const value = [];
    while (lines[++i] !== found[2]) value.push(lines[i]);
    outputs[found[1]] = value.join('\n');
  }
  return outputs;
}

function readBakeFiles(outputs) {
  for (const name of Object.keys(outputs)) {
    if (name.startsWith('bake-file') && fs.existsSync(outputs[name])) outputs[name] = fs.readFileSync(outputs[name], 'utf8');
  }
  return outputs;
}

async function runOriginal(number, each) {
  const folder = path.join(scratch, String(number));
  fs.mkdirSync(folder);
  const file = name => path.join(folder, name);
  for (const name of ['output', 'env', 'state']) fs.writeFileSync(file(name), '');
  fs.writeFileSync(file('event.json'), JSON.stringify(each.payload));
  repositories.set(String(number), each.payload.repository);
  const environment = {
    PATH: process.env.PATH, HOME: folder, FIXED_NOW: String(each.now), TZ: 'UTC', RUNNER_TEMP: folder, GITHUB_WORKSPACE: folder,
    GITHUB_OUTPUT: file('output'), GITHUB_ENV: file('env'), GITHUB_STATE: file('state'), GITHUB_EVENT_PATH: file('event.json'),
    GITHUB_EVENT_NAME: each.event, GITHUB_REF: each.ref, GITHUB_SHA: each.sha, GITHUB_REPOSITORY: 'Org/app',
    GITHUB_API_URL: `http://127.0.0.1:${server.address().port}/${number}`, GITHUB_SERVER_URL: 'https://example.org',
    'INPUT_GITHUB-TOKEN': 'none', ...each.environment,
  };
  for (const [name, value] of Object.entries(each.inputs)) environment[`INPUT_${name.toUpperCase()}`] = value;
  const child = spawn(process.execPath, ['--require', clock, original], {env: environment, cwd: folder});
  let log = '';
  child.stdout.on('data', piece => log += piece);
  child.stderr.on('data', piece => log += piece);
  const code = await new Promise(done => child.on('close', done));
  if (code !== 0) return {error: log.split('\n').filter(line => line.startsWith('::error')).join(' ') || log};
  return {outputs: readBakeFiles(readOutputs(file('output'))), variables: readOutputs(file('env'))};
}

const next = makeGenerator(seed);
const cases = Array.from({length: count}, next);
const natives = spawnSync(batch, [path.join(scratch)], {input: cases.map(each => JSON.stringify(each)).join('\n') + '\n', encoding: 'utf8', maxBuffer: 1 << 28});
if (natives.status !== 0) throw new Error(`${batch}: ${natives.status} ${natives.stderr}`);
const answers = natives.stdout.trim().split('\n').map(line => JSON.parse(line));

const differences = [];
let failed = 0, at = 0;
async function worker() {
  while (at < cases.length) {
    const number = at++;
    const theirs = await runOriginal(number, cases[number]);
    const ours = answers[number];
    const report = (what, a, b) => differences.push({number, what, original: a, native: b, case: cases[number]});
    if (theirs.error || ours.error) {
      failed += Boolean(theirs.error);
      if (Boolean(theirs.error) !== Boolean(ours.error)) report('error', theirs.error, ours.error);
      continue;
    }
    readBakeFiles(ours.outputs);
    for (const name of new Set([...Object.keys(theirs.outputs), ...Object.keys(ours.outputs)])) {
      if (theirs.outputs[name] !== ours.outputs[name]) report(name, theirs.outputs[name], ours.outputs[name]);
    }
    const names = Object.keys(theirs.variables).sort().join(), own = Object.keys(ours.variables).sort().join();
    if (names !== own) report('variables', names, own);
  }
}
await Promise.all([worker(), worker()]);
server.close();
fs.rmSync(scratch, {recursive: true});

for (const difference of differences.slice(0, 10)) console.log(JSON.stringify(difference, null, 1));
const wrong = new Set(differences.map(each => each.number)).size;
console.log(`metadata-differential: ${count - wrong} of ${count} cases equal (${failed} refused by the original), seed ${seed}`);
process.exit(wrong ? 1 : 0);
