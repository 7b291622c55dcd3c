// GitHub's own clients inside a job, with what the job gives them: saves, or brings back what another job saved.
import fs from 'node:fs'
import path from 'node:path'

const input = name => process.env[`INPUT_${name.toUpperCase()}`]
const big = Buffer.alloc(9 << 20, 'some words that go on and on ')
const name = input('name')
const seen = []

for (const generation of ['', '-2']) {
  const { DefaultArtifactClient } = await import(`@actions/artifact${generation}`).then(each => ({ ...each.default, ...each }))
  const client = new DefaultArtifactClient()
  if (input('part') === 'save') {
    fs.mkdirSync('dist/größe', { recursive: true })
    fs.writeFileSync('dist/app.js', `of ${name}`)
    fs.writeFileSync('dist/größe/big', big)
    await client.uploadArtifact(name + generation, ['dist/app.js', 'dist/größe/big'].map(file => path.resolve(file)), path.resolve('dist'))
    continue
  }
  const { artifact } = await client.getArtifact(name + generation)
  const { digestMismatch } = await client.downloadArtifact(artifact.id, { path: path.resolve(`got${generation}`), expectedHash: artifact.digest })
  seen.push(fs.readFileSync(`got${generation}/app.js`, 'utf8'), fs.readFileSync(`got${generation}/größe/big`).equals(big) && !digestMismatch)
}
for (const generation of ['', '-4']) {
  const cache = await import(`@actions/cache${generation}`).then(each => ({ ...each.default, ...each }))
  const key = `${name}${generation}-deps`
  if (input('part') === 'save') {
    fs.mkdirSync('deps', { recursive: true })
    fs.writeFileSync('deps/word', `cached by ${name}`)
    fs.rmSync('deps/link', { force: true })
    fs.symlinkSync('word', 'deps/link')
    if (await cache.saveCache(['deps'], key) === -1) throw new Error('the cache was not saved')
    continue
  }
  fs.rmSync('deps', { recursive: true, force: true })
  const hit = await cache.restoreCache(['deps'], `${key}-later`, [key])
  seen.push(hit === key ? fs.readFileSync('deps/link', 'utf8') : 'missed')
}
fs.appendFileSync(process.env.GITHUB_OUTPUT, `seen=${seen.join(', ')}\n`)
