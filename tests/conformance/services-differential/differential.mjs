// differential.mjs SERVICES_BATCH NODE_MODULES WORK: GitHub's own clients against the services of a run, alone and
// together with the native forms of the actions.
import assert from 'node:assert/strict'
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'
import { pathToFileURL } from 'node:url'

const [program, modules, work] = process.argv.slice(2)

// What the packages log is kept and shown where a check fails.
let said = ''
const show = process.stdout.write.bind(process.stdout)
process.stdout.write = (text, ...rest) => { said += text; const done = rest.at(-1); if (typeof done === 'function') done(); return true }

const batch = spawn(program, [path.join(work, 'store')], { stdio: ['pipe', 'pipe', 'inherit'] })
const answers = readline.createInterface({ input: batch.stdout })[Symbol.asyncIterator]()
const ask = async request => {
  batch.stdin.write(JSON.stringify(request) + '\n')
  const { value, done } = await answers.next()
  assert(!done, 'the services ended')
  const answer = JSON.parse(value)
  return answer
}

async function load(name) {
  const folder = path.join(modules, '@actions', name)
  const meta = JSON.parse(fs.readFileSync(path.join(folder, 'package.json')))
  const entry = meta.exports?.['.']?.import?.default ?? meta.exports?.['.']?.import ?? meta.exports?.['.']?.default ?? meta.main
  const module = await import(pathToFileURL(path.join(folder, entry)))
  return { ...module.default, ...module }
}

// ---- jobs

let jobs = 0
/** A job of its own folders; becomes the one that this process plays. */
async function job(name, { ref = 'refs/heads/main', permissions = {}, cache = 'v2' } = {}) {
  const workspace = path.join(work, 'jobs', String(++jobs), 'work'), temp = path.join(work, 'jobs', String(jobs), 'temp')
  fs.mkdirSync(workspace, { recursive: true })
  fs.mkdirSync(temp, { recursive: true })
  const services = await ask({ op: 'environment', job: name, ref, permissions })
  const environment = { ...services, GITHUB_WORKSPACE: workspace, RUNNER_TEMP: temp, GITHUB_REF: ref, HOME: workspace,
    PATH: process.env.PATH, GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'o/r' }
  if (cache === 'v1') delete environment.ACTIONS_CACHE_SERVICE_V2
  for (const name of Object.keys(process.env)) if (name.startsWith('ACTIONS_')) delete process.env[name]
  Object.assign(process.env, environment)
  process.chdir(workspace)
  return { workspace, temp, environment }
}
const native = (where, uses, inputs, more = {}) =>
  ask({ op: 'action', uses, inputs, environment: where.environment, workspace: where.workspace, temp: where.temp, ...more })

const write = (file, content) => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, content)
  return file
}
const digest = file => createHash('sha256').update(fs.readFileSync(file)).digest('hex')
const read = file => fs.readFileSync(file, 'utf8')

// ---- checks

const checks = []
const check = (name, run) => checks.push({ name, run })
const fails = async (promise, pattern) => {
  const error = await promise.then(() => null, error => error)
  assert(error, 'it should have failed')
  assert.match(String(error.message), pattern)
}

for (const generation of ['artifact', 'artifact-2']) {
  const client = await load(generation)
  const artifacts = new client.DefaultArtifactClient()

  check(`${generation}: upload, list, get, download, delete`, async () => {
    const first = await job(`${generation} first`)
    write(`${first.workspace}/dist/app.js`, 'app')
    write(`${first.workspace}/dist/lib/größe ⚓.txt`, 'x'.repeat(100_000))
    const files = ['dist/app.js', 'dist/lib/größe ⚓.txt'].map(file => path.join(first.workspace, file))
    const name = `${generation} box`
    const up = await artifacts.uploadArtifact(name, files, `${first.workspace}/dist`, { retentionDays: 3 })
    assert(up.id > 0 && up.size > 0 && up.digest.length === 64)
    await fails(artifacts.uploadArtifact(name, files, `${first.workspace}/dist`), /\(409\).*already exists/)

    const second = await job(`${generation} second`)
    const listed = (await artifacts.listArtifacts()).artifacts.find(each => each.name === name)
    assert.equal(listed.id, up.id)
    assert.equal(listed.size, up.size)
    assert(Math.abs(listed.createdAt - new Date()) < 600_000)
    assert.equal(listed.digest, `sha256:${up.digest}`)
    const { artifact } = await artifacts.getArtifact(name)
    const down = await artifacts.downloadArtifact(artifact.id, { path: `${second.workspace}/got`, expectedHash: artifact.digest })
    assert.equal(down.digestMismatch, false)
    assert.equal(read(`${second.workspace}/got/app.js`), 'app')
    assert.equal(read(`${second.workspace}/got/lib/größe ⚓.txt`), 'x'.repeat(100_000))
    assert.equal((await artifacts.deleteArtifact(name)).id, up.id)
    await fails(artifacts.getArtifact(name), /Artifact not found for name/)
    await fails(artifacts.deleteArtifact(name), /Artifact not found for name/)
    await artifacts.uploadArtifact(name, files, `${first.workspace}/dist`)
  })

  check(`${generation}: a big artifact goes in many blocks`, async () => {
    const here = await job(`${generation} big`)
    const big = write(`${here.workspace}/big`, randomBytes(40 << 20))
    const up = await artifacts.uploadArtifact(`${generation} big`, [big], here.workspace, { compressionLevel: 0 })
    await artifacts.downloadArtifact(up.id, { path: `${here.workspace}/got` })
    assert.equal(digest(`${here.workspace}/got/big`), digest(big))
    const got = await native(here, 'actions/download-artifact@v8', { name: `${generation} big`, path: 'native' })
    assert(got.ok, got.error)
    assert.equal(digest(`${here.workspace}/native/big`), digest(big))
  })

  check(`${generation}: what the package uploads, the native form downloads`, async () => {
    const here = await job(`${generation} to native`)
    write(`${here.workspace}/a/one`, 'one')
    write(`${here.workspace}/a/b/two`, '')
    await artifacts.uploadArtifact(`${generation} to native`, ['a/one', 'a/b/two'].map(file => path.resolve(file)), path.resolve('a'))
    const there = await job(`${generation} native`)
    const got = await native(there, 'actions/download-artifact@v8', { name: `${generation} to native` })
    assert(got.ok, got.error)
    assert.equal(read(`${there.workspace}/one`), 'one')
    assert.equal(read(`${there.workspace}/b/two`), '')
  })

  for (const level of ['0', '6']) {
    check(`${generation}: what the native form uploads at level ${level}, the package downloads`, async () => {
      const here = await job(`${generation} from native ${level}`)
      write(`${here.workspace}/a/one`, 'one'.repeat(1000))
      write(`${here.workspace}/a/b/größe`, 'two')
      write(`${here.workspace}/a/empty`, '')
      const name = `${generation} from native ${level}`
      const up = await native(here, 'actions/upload-artifact@v4', { name, path: 'a', 'compression-level': level })
      assert(up.ok, up.error)
      const there = await job(`${generation} package ${level}`)
      const { artifact } = await artifacts.getArtifact(name)
      assert.equal(String(artifact.id), up.outputs['artifact-id'])
      const down = await artifacts.downloadArtifact(artifact.id, { path: `${there.workspace}/got`, expectedHash: artifact.digest })
      assert.equal(down.digestMismatch, false)
      assert.equal(read(`${there.workspace}/got/one`), 'one'.repeat(1000))
      assert.equal(read(`${there.workspace}/got/b/größe`), 'two')
      assert.equal(read(`${there.workspace}/got/empty`), '')
    })
  }

  check(`${generation}: another run sees nothing, a resumed one sees all`, async () => {
    await job(`${generation} x`)
    const before = (await artifacts.listArtifacts()).artifacts.length
    assert(before > 0)
    await ask({ op: 'start', run: '200' })
    await job('elsewhere')
    assert.equal((await artifacts.listArtifacts()).artifacts.length, 0)
    await ask({ op: 'start', run: '300', resumed: '100' })
    await job('again')
    assert.equal((await artifacts.listArtifacts()).artifacts.length, before)
    await ask({ op: 'start', run: '100' })
  })
}

check('artifact: one file as it is, and back by the native form', async () => {
  const { DefaultArtifactClient } = await load('artifact')
  const artifacts = new DefaultArtifactClient()
  const here = await job('raw')
  const file = write(`${here.workspace}/report größe.txt`, 'plain')
  const up = await artifacts.uploadArtifact('ignored', [file], here.workspace, { skipArchive: true })
  await artifacts.downloadArtifact(up.id, { path: path.join(here.workspace) + '/..' })
  assert.equal(read(`${here.workspace}/../report größe.txt`), 'plain')
  const got = await native(here, 'actions/download-artifact@v8', { name: 'report größe.txt', path: 'native' })
  assert(got.ok, got.error)
  assert.equal(read(`${here.workspace}/native/report größe.txt`), 'plain')
  write(`${here.workspace}/notes.md`, '# notes')
  const sent = await native(here, 'actions/upload-artifact@v7', { path: 'notes.md', archive: 'false' })
  assert(sent.ok, sent.error)
  await artifacts.downloadArtifact(Number(sent.outputs['artifact-id']), { path: path.join(here.workspace, '..') })
  assert.equal(read(`${here.workspace}/../notes.md`), '# notes')
})

for (const generation of ['cache', 'cache-4']) {
  const cache = await load(generation)
  for (const version of ['v2', 'v1']) {
    const title = `${generation}, service ${version}`
    const key = `${generation}-${version}`

    check(`${title}: a miss, a save, hits by key and by prefix`, async () => {
      const here = await job(`${title} save`, { cache: version })
      assert.equal(await cache.restoreCache(['deps'], `${key}-1`, [`${key}-`]), undefined)
      write(`${here.workspace}/deps/a`, 'dep')
      fs.symlinkSync('a', `${here.workspace}/deps/link`)
      assert.notEqual(await cache.saveCache(['deps'], `${key}-1`), -1)
      assert.equal(await cache.saveCache(['deps'], `${key}-1`), -1)

      const there = await job(`${title} restore`, { cache: version })
      assert.equal(await cache.restoreCache(['deps'], `${key}-1`), `${key}-1`)
      assert.equal(read(`${there.workspace}/deps/link`), 'dep')
      assert.equal(await cache.restoreCache(['deps'], `${key}-9`, ['nothing', `${key}-`]), `${key}-1`)
      assert.equal(await cache.restoreCache(['deps'], `${key}-1`, [], { lookupOnly: true }), `${key}-1`)
      assert.equal(await cache.restoreCache(['other'], `${key}-1`), undefined)
    })

    check(`${title}: branches`, async () => {
      const topic = await job(`${title} topic`, { cache: version, ref: 'refs/heads/topic' })
      assert.equal(await cache.restoreCache(['deps'], `${key}-1`), `${key}-1`)
      write(`${topic.workspace}/deps/a`, 'of topic')
      assert.notEqual(await cache.saveCache(['deps'], `${key}-topic`), -1)
      assert.equal(await cache.restoreCache(['deps'], `${key}-topic`), `${key}-topic`)
      await job(`${title} main`, { cache: version })
      assert.equal(await cache.restoreCache(['deps'], `${key}-topic`), undefined)
      await job(`${title} other`, { cache: version, ref: 'refs/heads/other' })
      assert.equal(await cache.restoreCache(['deps'], `${key}-topic`), undefined)
    })

    check(`${title}: a big cache goes in many pieces`, async () => {
      const here = await job(`${title} big`, { cache: version })
      // The second service's client sends up to 128 MiB in one piece.
      const size = version === 'v2' && generation === 'cache' ? 150 << 20 : 40 << 20
      const big = write(`${here.workspace}/big`, randomBytes(size))
      const before = digest(big)
      assert.notEqual(await cache.saveCache(['big'], `${key}-big`, { uploadChunkSize: 8 << 20 }), -1)
      fs.rmSync(big)
      assert.equal(await cache.restoreCache(['big'], `${key}-big`), `${key}-big`)
      assert.equal(digest(big), before)
    })

    check(`${title}: shared with the native form, both ways`, async () => {
      const here = await job(`${title} native`, { cache: version })
      const restored = await native(here, 'actions/cache@v4', { path: 'deps', key: `${key}-1` })
      assert(restored.ok, restored.error)
      assert.equal(restored.outputs['cache-hit'], 'true', restored.log)
      assert.equal(read(`${here.workspace}/deps/link`), 'dep')
      write(`${here.workspace}/built/deep/file`, 'made here')
      const saved = await native(here, 'actions/cache/save@v4', { path: 'built\n!built/none', key: `${key}-native` })
      assert.match(saved.log, /Cache saved with key/)
      const there = await job(`${title} package`, { cache: version })
      assert.equal(await cache.restoreCache(['built', '!built/none'], `${key}-native`), `${key}-native`)
      assert.equal(read(`${there.workspace}/built/deep/file`), 'made here')
    })
  }
}

check('identity tokens of @actions/core, verified with the published key', async () => {
  const core = await load('core')
  await job('deploy', { permissions: { 'id-token': 'write' } })
  const token = await core.getIDToken('sts.example.org')
  const [head, claims] = token.split('.').slice(0, 2).map(part => JSON.parse(Buffer.from(part, 'base64url')))
  const discovery = await (await fetch(`${claims.iss}/.well-known/openid-configuration`)).json()
  const { keys } = await (await fetch(discovery.jwks_uri)).json()
  const key = createPublicKey({ key: keys.find(each => each.kid === head.kid), format: 'jwk' })
  const end = token.lastIndexOf('.')
  const signature = Buffer.from(token.slice(end + 1), 'base64url')
  assert(verify('RSA-SHA256', Buffer.from(token.slice(0, end)), key, signature))
  assert(!verify('RSA-SHA256', Buffer.from(token.slice(0, end - 1)), key, signature))
  assert.equal(claims.aud, 'sts.example.org')
  assert.equal(claims.sub, 'repo:o/r:ref:refs/heads/main')
  assert(claims.exp * 1000 > Date.now())
  await job('plain')
  await fails(core.getIDToken(), /ACTIONS_ID_TOKEN_REQUEST/)
})

// The official action itself, where DRYDOCK_ORIGINAL_ACTIONS names a folder with actions/cache/dist.
const original = path.join(process.env.DRYDOCK_ORIGINAL_ACTIONS ?? '', 'actions', 'cache', 'dist')
if (process.env.DRYDOCK_ORIGINAL_ACTIONS && fs.existsSync(original)) {
  /** Runs one of its programs in the job as the runner would; what it wrote to its files and said. */
  const act = (where, script, inputs, state = {}) => new Promise(resolve => {
    const files = Object.fromEntries(['OUTPUT', 'STATE', 'ENV', 'PATH', 'STEP_SUMMARY'].map(name => [`GITHUB_${name}`, write(path.join(where.temp, name), '')]))
    const given = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]))
    const kept = Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]))
    const program = spawn(process.execPath, [path.join(original, script, 'index.js')],
      { cwd: where.workspace, env: { ...where.environment, ...files, ...given, ...kept } })
    let log = ''
    for (const stream of [program.stdout, program.stderr]) stream.on('data', text => { log += text })
    program.on('close', status => {
      const values = name => Object.fromEntries([...read(files[name]).matchAll(/^(.*?)<<(ghadelimiter_\S+)\n([^]*?)\n\2$/gm)].map(found => [found[1], found[3]]))
      resolve({ status, log, outputs: values('GITHUB_OUTPUT'), state: values('GITHUB_STATE') })
    })
  })
  const defaults = { enableCrossOsArchive: 'false', 'fail-on-cache-miss': 'false', 'lookup-only': 'false' }

  for (const version of ['v2', 'v1']) {
    check(`the original actions/cache, service ${version}, and its native form say and do the same`, async () => {
      const inputs = { ...defaults, path: 'deps', key: `original-${version}`, 'restore-keys': 'nothing-' }
      const here = await job(`original ${version}`, { cache: version })
      const missed = await act(here, 'restore', inputs)
      const missed_natively = await native(here, 'actions/cache@v4', inputs)
      assert.equal(missed.status, 0, missed.log)
      assert.deepEqual(missed_natively.outputs, missed.outputs)
      assert.deepEqual(missed_natively.state, missed.state)
      const told = /Cache not found for input keys: .*/
      assert.equal(missed_natively.log.match(told)[0], missed.log.match(told)[0])
      write(`${here.workspace}/deps/a`, 'dep')
      const saved = await act(here, 'save', inputs, missed.state)
      assert.match(saved.log, new RegExp(`Cache saved with key: ${inputs.key}`))

      const there = await job(`original again ${version}`, { cache: version })
      const hit = await act(there, 'restore', inputs)
      assert.equal(read(`${there.workspace}/deps/a`), 'dep')
      const hit_natively = await native(there, 'actions/cache@v4', inputs)
      assert.deepEqual(hit_natively.outputs, hit.outputs)
      assert.deepEqual(hit_natively.state, hit.state)
      const kept = await act(there, 'save', inputs, hit.state)
      const kept_natively = await native(there, 'actions/cache@v4', inputs, { phase: 'post', state: hit.state })
      const told_hit = /Cache hit occurred on the primary key .*/
      assert.equal(kept_natively.log.match(told_hit)[0], kept.log.match(told_hit)[0])
      const near = await act(there, 'restore', { ...inputs, key: `original-${version}-other`, 'restore-keys': `original-${version}` })
      const near_natively = await native(there, 'actions/cache@v4', { ...inputs, key: `original-${version}-other`, 'restore-keys': `original-${version}` })
      assert.deepEqual(near_natively.outputs, near.outputs)
      assert.deepEqual(near_natively.state, near.state)
      const alone = await act(there, 'restore-only', inputs)
      assert.deepEqual((await native(there, 'actions/cache/restore@v4', inputs)).outputs, alone.outputs)
      const failed = await act(there, 'restore', { ...inputs, key: 'none', 'restore-keys': '', 'fail-on-cache-miss': 'true' })
      const failed_natively = await native(there, 'actions/cache@v4', { ...inputs, key: 'none', 'restore-keys': '', 'fail-on-cache-miss': 'true' })
      assert.equal(failed.status, 1)
      assert(!failed_natively.ok)
      assert(failed.log.includes(failed_natively.error), failed.log)
    })
  }
}

// ---- run

await ask({ op: 'start', run: '100' })
let failed = 0
for (const { name, run } of checks) {
  said = ''
  const start = Date.now()
  try {
    await run()
    show(`ok      ${name} (${Date.now() - start} ms)\n`)
  } catch (error) {
    ++failed
    show(`FAILED  ${name}\n${error.stack}\n${said}\n`)
  }
}
show(`${checks.length - failed} of ${checks.length} checks passed\n`)
batch.stdin.end()
process.exit(failed ? 1 : 0)
