// git over https, as a forge serves it: Debian's git http-backend behind Node's server. Prints its port.
// git-https-server.mjs FOLDER KEY CERTIFICATE [TOKEN]: with a token, nothing is served without it.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

const [folder, key, cert, token] = process.argv.slice(2)
const expected = token && 'Basic ' + Buffer.from(`x-access-token:${token}`).toString('base64')

const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
  if (expected && request.headers.authorization !== expected) {
    response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end()
    return
  }
  const url = new URL(request.url, 'https://localhost')
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: request.headers['git-protocol'] ?? '',
      GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*',
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  request.pipe(backend.stdin)
  const pieces = []
  backend.stdout.on('data', (piece) => pieces.push(piece))
  backend.on('close', () => {
    const all = Buffer.concat(pieces)
    const end = all.indexOf('\r\n\r\n')
    let status = 200
    for (const line of all.subarray(0, end).toString().split('\r\n')) {
      const [name, value] = line.split(/: (.*)/)
      if (name === 'Status') status = parseInt(value)
      else response.setHeader(name, value)
    }
    response.writeHead(status).end(all.subarray(end + 4))
  })
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
