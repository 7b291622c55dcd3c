// differential.mjs HASH_FILES_BATCH NODE_MODULES: compares hash_files() with the npm package @actions/glob, called as
// GitHub's runner calls it, over random trees (hidden names, odd characters, links, circles of them) and patterns.
// DRYDOCK_SEED (1) and DRYDOCK_COUNT (1000) choose the run. Exit status 1 when any answer differs.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { Random } from "../expressions-differential/random.mjs";

const [batch, modules] = process.argv.slice(2);
const batchProgram = resolve(batch);
const seed = Number(process.env.DRYDOCK_SEED ?? 1);
const count = Number(process.env.DRYDOCK_COUNT ?? 1000);
const TREES = 20;
const glob = await import(pathToFileURL(resolve(join(modules, "@actions/glob/lib/glob.js"))));
const random = new Random(seed);

const NAMES = ["a", "b", "src", "lib", ".git", ".x", "a.txt", "b.txt", "go.sum", "package-lock.json", "ü.md", "x y", "[z]", "a*b", "q?"];
const WILD = ["*", "**", "?", "*.txt", "*.*", "**.md", ".*", "[ab]", "[!a]*", "[^.]*", "a*", "*b*", "[a-l]*", "??", "*-lock.json", "x\\ y", "[[]z]", "[]", "[a", "*[.]txt", "go.s?m"];

function makeTree(root) {
  const folders = [root];
  let links = 0;  // few: with many of them a walk that follows them has no end
  mkdirSync(root, { recursive: true });
  for (let i = 0; i < 24; ++i) {
    const path = join(random.pick(folders), random.pick(NAMES));
    try {
      if (random.chance(0.35)) {
        mkdirSync(path);
        folders.push(path);
      } else if (links < 2 && random.chance(0.2)) {
        ++links;
        const target = random.chance(0.2) ? "missing" : random.chance(0.5) ? random.pick(folders) : join(dirname(path), random.pick(NAMES));
        symlinkSync(target, path);
      } else {
        writeFileSync(path, `${path.slice(root.length)} ${i}`);
      }
    } catch (error) {
      if (!["EEXIST", "EISDIR", "ENOENT", "ELOOP", "ENOTDIR"].includes(error.code)) throw error;
    }
  }
}

const segment = () => (random.chance(0.5) ? random.pick(WILD) : random.pick(NAMES));
function pattern(root) {
  const names = Array.from({ length: 1 + random.below(4) }, segment);
  let text = names.join(random.chance(0.05) ? "//" : "/");
  const start = random.below(12);
  if (start === 0) text = "./" + text;
  if (start === 1) text = root + "/" + text;
  if (start === 2) text = "~/" + text;
  if (start === 3) text = "**/" + text;
  if (start === 4) text = random.pick(["", ".", "*", "**", "../x", "a/../b", "#x", "~", "!", root, root + "-other/**"]);
  if (random.chance(0.1)) text += "/";
  if (random.chance(0.2)) text = "!" + text;
  if (random.chance(0.05)) text = " " + text + " ";
  return text;
}

async function reference({ workspace, patterns, follow }) {
  process.chdir(workspace);
  const write = process.stdout.write;
  process.stdout.write = () => true;  // the package writes debug commands
  try {
    return { hash: await glob.hashFiles(patterns.join("\n"), workspace, { followSymbolicLinks: follow }) };
  } catch (error) {
    return { error: String(error.message) };
  } finally {
    process.stdout.write = write;
  }
}

const top = mkdtempSync(join(tmpdir(), "drydock-hash-files-"));
let failed = 0, hashes = 0;
try {
  const samples = [];
  for (let tree = 0; tree < TREES; ++tree) {
    const workspace = join(top, `w${tree}`, random.pick(["work", "wo rk", "[w]", "w*"]));
    makeTree(workspace);
    for (let i = 0; i < count / TREES; ++i) {
      samples.push({ workspace, follow: random.chance(0.5), patterns: Array.from({ length: 1 + random.below(3) }, () => pattern(workspace)) });
    }
  }
  process.env.HOME = samples[0].workspace;
  const input = samples.map(({ workspace, patterns, follow }) => JSON.stringify({
    workspace, home: process.env.HOME, patterns: follow ? ["--follow-symbolic-links", ...patterns] : patterns,
  })).join("\n") + "\n";
  const ran = spawnSync(batchProgram, [], { input, encoding: "utf8", maxBuffer: 1 << 30 });
  if (ran.status !== 0) throw new Error(`${batch} ended with ${ran.signal ?? ran.status}: ${ran.stderr}`);
  const ours = ran.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  for (const [i, sample] of samples.entries()) {
    const theirs = await reference(sample);
    if (theirs.hash) ++hashes;
    if (ours[i].hash === theirs.hash) continue;
    if (++failed <= 10) console.log(`differs: ${JSON.stringify(sample)}\n  ours      ${JSON.stringify(ours[i])}\n  reference ${JSON.stringify(theirs)}`);
    if (process.env.DRYDOCK_KEEP && failed === 1) console.log(spawnSync("find", [sample.workspace, "-printf", "%p %l\n"], { encoding: "utf8" }).stdout);
  }
  console.log(`hash-files: seed ${seed}, ${samples.length - failed} of ${samples.length} agree; ${hashes} gave a hash`);
} finally {
  process.chdir("/");
  rmSync(top, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
