// A GitHub Enterprise of its own, as far as the originals ask: the bare repositories of a folder by git's http-backend,
// and what the API says of one. node git-server.mjs FOLDER; prints its port.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';

const root = process.argv[2];
createServer((request, response) => {
  const url = new URL(request.url, 'http://server');
  if (url.pathname.startsWith('/api/v3/repos/')) {
    const [owner, name] = url.pathname.split('/').slice(4);
    const repository = { name, full_name: `${owner}/${name}`, owner: { login: owner }, default_branch: 'main', private: false,
      description: 'a ship', html_url: `http://${request.headers.host}/${owner}/${name}`, license: { spdx_id: 'MIT' } };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(repository));
    return;
  }
  const backend = spawn('git', ['http-backend'], {
    env: {
      ...process.env, GIT_PROJECT_ROOT: root, GIT_HTTP_EXPORT_ALL: '1', PATH_INFO: url.pathname, QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method, CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '', GIT_PROTOCOL: request.headers['git-protocol'] ?? '',
      ...(request.headers['content-length'] ? { CONTENT_LENGTH: request.headers['content-length'] } : {}),
    },
  });
  request.pipe(backend.stdin);
  const pieces = [];
  backend.stdout.on('data', piece => pieces.push(piece));
  backend.on('close', () => {
    const answer = Buffer.concat(pieces), end = answer.indexOf('\r\n\r\n');
    let status = 200;
    for (const line of answer.subarray(0, end).toString().split('\r\n')) {
      const [name, value] = line.split(': ');
      if (name.toLowerCase() === 'status') status = parseInt(value);
      else response.setHeader(name, value);
    }
    response.writeHead(status).end(answer.subarray(end + 4));
  });
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
