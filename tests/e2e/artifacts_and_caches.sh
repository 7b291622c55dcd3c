#!/bin/bash
# covers: action actions/cache, action actions/upload-artifact, action actions/download-artifact
# Native forms alone: an artifact goes from one job to the next, a cache from one run to the next, on the machine itself
# and in a sandbox, whose home and temporary folder are its own; a resumed run sees the artifacts of the run before; a
# topic branch's cache is not seen by main; nothing of the services outlives the run.
. "$(dirname "$0")/../support/assert.sh"
begin
mkdir -p "$work/project/.github/workflows"
project=$work/project SUMMARY=$work/summary.json
cat >"$project/.github/workflows/ship.yml" <<'END'
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    outputs:
      id: ${{ steps.up.outputs.artifact-id }}
      hit: ${{ steps.cache.outputs.cache-hit }}
    steps:
      - id: cache
        uses: actions/cache@v4
        with:
          path: |
            deps
            ~/.store
          key: deps-${{ vars.DEPS }}
          restore-keys: deps-
      - run: |
          ls deps ~/.store >found 2>&1 || true
          mkdir -p deps ~/.store dist/lib
          echo ${{ vars.DEPS }} | tee deps/version ~/.store/version
          echo app >dist/app; echo lib >dist/lib/one; echo secret >dist/.hidden; echo note >/tmp/drydock-e2e-note
      - id: up
        uses: actions/upload-artifact@v4
        with: {name: dist, path: dist}
      - uses: actions/upload-artifact@v4
        with: {name: note, path: /tmp/drydock-e2e-note}
      - uses: actions/upload-artifact@v4
        with: {name: found, path: found}
  test:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - uses: actions/download-artifact@v5
        with: {path: got}
      - uses: actions/download-artifact@v5
        with: {artifact-ids: "${{ needs.build.outputs.id }}", path: "~/by-id"}
      - run: |
          cat got/dist/app got/dist/lib/one got/note/drydock-e2e-note ~/by-id/app
          [[ ! -e got/dist/.hidden ]]
          [[ -z ${ACTIONS_RUNTIME_TOKEN:-} ]]
          exit ${{ vars.FAIL }}
END
commit_project

outputs() { jq -r '.jobs[] | select(.key == "build") | .outputs.hit' "$SUMMARY"; }
artifact() { sqlite3 "$DRYDOCK_HOME/services/services.db" "SELECT count(*) FROM artifacts WHERE name='$1'"; }
caches() { sqlite3 "$DRYDOCK_HOME/services/services.db" "SELECT group_concat(scope || '=' || key) FROM (SELECT * FROM caches ORDER BY id)"; }
ship() { dock run --summary-json "$SUMMARY" --progress plain -e push "$@"; }

cd "$project" || exit 1
for isolation in host sandbox; do
  export DRYDOCK_HOME=$work/store-$isolation
  rm -rf "$HOME/.store" "$HOME/by-id" /tmp/drydock-e2e-note
  ship --isolation "$isolation" --var DEPS=1 --var FAIL=0
  expect_status 0
  expect_text 'Cache not found for input keys: deps-1, deps-'
  expect_text 'Cache saved with key: deps-1'
  expect_equal "cache-hit of the first run" "" "$(outputs)"

  rm -rf "$HOME/.store"
  ship --isolation "$isolation" --var DEPS=1 --var FAIL=0
  expect_status 0
  expect_equal "cache-hit of the second run" true "$(outputs)"
  expect_text 'Cache hit occurred on the primary key deps-1, not saving cache.'

  rm -rf "$HOME/.store"
  ship --isolation "$isolation" --var DEPS=2 --var FAIL=0
  expect_status 0
  expect_equal "cache-hit of a near key" false "$(outputs)"
  expect_equal "artifacts of three runs" 3 "$(artifact dist)"
  expect_equal "caches" "refs/heads/main=deps-1,refs/heads/main=deps-2" "$(caches)"
  if [[ $isolation == sandbox ]]; then
    for path in "$HOME/.store" "$HOME/by-id" /tmp/drydock-e2e-note; do
      [[ ! -e $path ]] || fail "the sandbox left $path"
    done
  fi
done
rm -f /tmp/drydock-e2e-note

# The services are gone with the run: nobody listens where the last address pointed to.
address=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$ALL" | head -1)
[[ -n $address ]] || fail "no address in the log"
! curl --silent --max-time 2 "$address/" >/dev/null || fail "something still answers at $address"
expect_no_text "Actions.Results:"

# The second job fails, and is run again with the first one's artifacts.
ship --isolation host --var DEPS=2 --var FAIL=1
expect_status 1
run=$(jq -r .run "$SUMMARY")
ship --isolation host --var DEPS=2 --var FAIL=0 --resume "$run"
expect_status 0
expect_equal "artifacts are not made again" 4 "$(artifact dist)"

# A topic branch reads main's caches and writes its own.
git checkout --quiet -b topic
ship --isolation host --var DEPS=2 --var FAIL=0
expect_status 0
expect_equal "a topic branch finds main's cache" true "$(outputs)"
ship --isolation host --var DEPS=topic --var FAIL=0
expect_status 0
git checkout --quiet main
ship --isolation host --var DEPS=topic --var FAIL=0
expect_status 0
expect_equal "main does not find the topic's cache" false "$(outputs)"

# What is there is told, and goes when asked.
dock cache du
expect_text '^caches +4 '
dock cache prune --all
expect_status 0
expect_equal "caches after pruning" "" "$(caches)"
