#!/bin/bash
# A JavaScript action in a job container that has neither Node nor a C library: it runs there, and reaches the runner's
# own services under the address that it is given, as on the machine.
. "$(dirname "$0")/../support/assert.sh"
. "$support/containers.sh"
command -v node >/dev/null || skip "no Node on this machine"
begin
needs_job_network
mkdir -p "$work/project/look"
cat >"$work/project/look/action.yml" <<'END'
name: Look
description: looks around
outputs: { seen: { description: what was seen } }
runs: { using: node20, main: index.js, post: post.js }
END
cat >"$work/project/look/index.js" <<'END'
const fs = require('fs'), http = require('http');
const debian = fs.existsSync('/etc/debian_version');
http.get(process.env.ACTIONS_RESULTS_URL, (answer) => {
  answer.resume();
  const seen = `${debian ? 'machine' : 'container'} ${answer.statusCode > 0} ${fs.existsSync('look/action.yml')}`;
  fs.appendFileSync(process.env.GITHUB_OUTPUT, `seen=${seen}\n`);
}).on('error', (error) => { console.log(String(error)); process.exit(1); });
END
echo "console.log('post step in', process.cwd());" >"$work/project/look/post.js"
write_workflow_file <<'END'
on: push
jobs:
  contained:
    runs-on: ubuntu-latest
    container: busybox
    outputs: { seen: "${{ steps.look.outputs.seen }}" }
    steps:
      - uses: actions/checkout@v4
      - id: look
        uses: ./look
      - run: test -z "$ACTIONS_RUNTIME_TOKEN"
      - id: again
        uses: acme/look@v1
      - run: test "${{ steps.again.outputs.seen }}" = "${{ steps.look.outputs.seen }}"
END
cp -r "$work/project/look" "$work/source"
for_user
run_jobs --action-source "acme/look=$work/source"
expect_status 0
expect_equal "what the action saw" "container true true" "$(job_output contained seen)"
expect_text "post step in"
expect_equal "what remains" "" "$(remains "$store")"
