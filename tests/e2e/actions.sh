#!/bin/bash
# Actions of every kind that needs no container: JavaScript, composite and local ones, fetched from a server, taken from
# a directory, without a network; and what happens when they cannot be had.
. "$(dirname "$0")/../support/assert.sh"
begin
command -v node >/dev/null || skip "no node"

# A forge of plain files: what a ref is, and the archive of a commit.
forge=$work/forge
commit=$(printf 'c%.0s' {1..40})
publish() { # publish OWNER/REPO REF FOLDER: the folder as an action of the forge
  mkdir -p "$forge/api/repos/$1/commits" "$forge/$1/archive"
  echo "$commit" >"$forge/api/repos/$1/commits/$2"
  tar -czf "$forge/$1/archive/$commit.tar.gz" -C "$(dirname "$3")" --transform "s,^$(basename "$3"),${1##*/}-$commit," "$(basename "$3")"
}
start_forge() {
  port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
  busybox httpd -f -p "127.0.0.1:$port" -h "$forge" &
  forge_pid=$!
  configure "actions: { server: \"http://127.0.0.1:$port\", api: \"http://127.0.0.1:$port/api\" }"
  for _ in {1..100}; do curl -s -o /dev/null "http://127.0.0.1:$port/" && return; sleep 0.05; done
  fail "the forge does not answer"
}
stop_forge() { kill "$forge_pid" 2>/dev/null && wait "$forge_pid" 2>/dev/null || true; }
trap 'stop_forge; take_down' EXIT

greet=$work/greet
mkdir -p "$greet/dist"
cat >"$greet/action.yml" <<'END'
name: Greet
inputs:
  who: { required: true }
outputs:
  greeting: { description: what was said }
runs: { using: node20, pre: dist/all.js, main: dist/all.js, post: dist/all.js }
END
cat >"$greet/dist/all.js" <<'END'
const fs = require('fs');
const stage = process.env.STATE_next || 'pre';
console.log(`greet ${stage} ${process.env.INPUT_WHO} ${process.env.GITHUB_ACTION_REPOSITORY}@${process.env.GITHUB_ACTION_REF}`);
fs.appendFileSync(process.env.GITHUB_STATE, `next=${stage == 'pre' ? 'main' : 'post'}\n`);
if (stage == 'main') fs.appendFileSync(process.env.GITHUB_OUTPUT, `greeting=ahoy ${process.env.INPUT_WHO}\n`);
fs.writeFileSync(__dirname + '/written', 'an action may write beside itself');
END
wrap=$work/wrap
mkdir -p "$wrap/inner"
cat >"$wrap/inner/action.yml" <<'END'
name: Wrap
inputs:
  who: { default: nobody }
outputs:
  all: { value: "<${{ steps.g.outputs.greeting }}>" }
runs:
  using: composite
  steps:
    - id: g
      uses: acme/greet@v1
      with: { who: "wrapped ${{ inputs.who }}" }
    - run: echo "inner ${{ steps.g.outputs.greeting }} $(test -e "$GITHUB_ACTION_PATH/action.yml" && echo beside)"
      shell: bash
END
publish acme/greet v1 "$greet"
publish acme/wrap main "$wrap"
start_forge

project=$work/project
mkdir -p "$project/.github/workflows" "$project/.github/actions/local"
cat >"$project/.github/actions/local/action.yml" <<'END'
name: Local
runs:
  using: composite
  steps:
    - uses: acme/greet@v1
      with: { who: local }
END
cat >"$project/.github/workflows/publish.yml" <<'END'
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    outputs:
      all: ${{ steps.w.outputs.all }}
    steps:
      - uses: actions/checkout@v4
      - id: w
        uses: acme/wrap/inner@main
        with: { who: crew }
      - uses: ./.github/actions/local
      - run: echo "outside ${{ steps.w.outputs.all }}"
END
commit_project

# The pre step of what a local action uses has not run: there its main is the first stage.
# A post step is registered by the stage that runs first: the pre step of wrap is before the checkout.
run_workflow
expect_status 0
expect_equal "the steps" \
  '["Pre Run acme/wrap/inner@main","Run actions/checkout@v4","Run acme/wrap/inner@main","Run ./.github/actions/local","Run echo \"outside <ahoy wrapped crew>\"","Post Run ./.github/actions/local","Post Run actions/checkout@v4","Post Run acme/wrap/inner@main"]' \
  "$(jq -c '[.jobs[0].steps[].name]' "$SUMMARY")"
expect_equal "the job's output" '<ahoy wrapped crew>' "$(jq -r '.jobs[0].outputs.all' "$SUMMARY")"
for line in 'greet pre wrapped crew acme/greet@v1' 'greet main wrapped crew acme/greet@v1' 'greet post wrapped crew acme/greet@v1' \
  'inner ahoy wrapped crew beside' 'greet main local' 'outside <ahoy wrapped crew>' \
  "Download action repository 'acme/greet@v1' \(SHA:$commit\)" '`pre` execution is not supported for local action'; do
  expect_text "$line"
done
[[ ! -e $(find "$DRYDOCK_HOME/actions" -name written) ]] || fail "a job has written into the store"
find "$DRYDOCK_HOME/actions" -path '*/incoming/*' | grep -q . && fail "something was left in incoming"

# The second run fetches nothing but what the refs mean; offline not even that.
run_workflow --isolation host
expect_status 0
expect_no_text 'Download action repository'
stop_forge
run_workflow --offline
expect_status 0
expect_text 'outside <ahoy wrapped crew>'

# What the store has of them is told, stays while it is young, and goes when asked.
cp -r "$DRYDOCK_HOME" "$work/pruned"
DRYDOCK_HOME=$work/pruned dock cache du
expect_text '^actions +2 '
DRYDOCK_HOME=$work/pruned dock cache prune
expect_text '^removed 0 actions'
DRYDOCK_HOME=$work/pruned run_workflow --offline
expect_status 0
DRYDOCK_HOME=$work/pruned dock cache prune --all
expect_text '^removed 2 actions'
DRYDOCK_HOME=$work/pruned run_workflow --offline
expect_status 3

# Nobody answers: status 5, before the first step. Offline: refused by name, with its place, and what to do.
run_workflow
expect_status 5
expect_no_text 'step Run actions/checkout'
DRYDOCK_HOME=$work/empty run_workflow --offline
expect_status 3
expect_text 'publish.yml:10:15: .*action acme/wrap/inner@main is not in the store, and --offline forbids fetching it'

# From directories, used as they are; a notice where a native form is in the way.
sed 's/ahoy/moin/' -i "$greet/dist/all.js"
DRYDOCK_HOME=$work/empty run_workflow --isolation host --offline --action-source "acme/wrap=$wrap" \
  --action-source "acme/greet@v1=$greet" --action-source "actions/checkout=$greet"
expect_status 0
expect_text 'outside <moin wrapped crew>'
expect_text '--action-source actions/checkout is not used: it has a native form'
[[ -e $greet/dist/written ]] || fail "the directory was not used as it is"
DRYDOCK_HOME=$work/empty run_workflow --action-source "acme/wrap=$work/nowhere"
expect_status 2

# --real-actions: the directory in place of the native form.
DRYDOCK_HOME=$work/empty run_workflow --offline --real-actions --action-source "acme/wrap=$wrap" --action-source "acme/greet@v1=$greet" \
  --action-source "actions/checkout=$greet"
expect_text 'greet pre .*actions/checkout@v4'
expect_status 1
expect_text "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under .*Did you forget to run actions/checkout"

# A plan fetches nothing.
DRYDOCK_HOME=$work/untouched dock plan "$project/.github/workflows/publish.yml"
[[ ! -e $work/untouched/actions ]] || fail "a plan has fetched actions"

# A hostile archive is refused, and nothing of it is kept.
mkdir -p "$work/evil/greet"
cp "$greet/action.yml" "$work/evil/greet/"
ln -s ../../../../../etc/passwd "$work/evil/greet/passwd"
publish acme/greet v1 "$work/evil/greet"
start_forge
DRYDOCK_HOME=$work/hostile run_workflow
expect_status 1
expect_text "the archive is refused: the link 'passwd' leads out of it"
[[ ! -e $(find "$work/hostile/actions" -name passwd) ]] || fail "something of the archive was kept"

# A ref that is not there; a hung post step ends with its step's limit.
sed -i 's,acme/wrap/inner@main,acme/wrap/inner@none,' "$project/.github/workflows/publish.yml"
commit_project
run_workflow
expect_status 1
expect_text 'publish.yml:10:15.*there is no repository or ref acme/wrap@none'
cat >"$greet/dist/all.js" <<'END'
if (process.env.STATE_main) { console.log('hanging'); setTimeout(() => {}, 60000) } else require('fs').appendFileSync(process.env.GITHUB_STATE, 'main=1\n')
END
sed -i '/pre:/s/pre: dist.all.js, //' "$greet/action.yml"
cat >"$project/.github/workflows/publish.yml" <<'END'
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    steps:
      - uses: acme/greet@v1
        timeout-minutes: 0.03
        with: { who: x }
END
commit_project
run_workflow --action-source "acme/greet=$greet"
expect_status 1
expect_text "The action 'Post Run acme/greet@v1' has timed out after 0.03 minutes"
