#!/bin/bash
# Workflows of one event run side by side, within --max-jobs and their concurrency groups; those that follow start while
# others still run. Jobs of the same name are told apart, in the output, the summary, the history and on disk.
. "$(dirname "$0")/../support/assert.sh"
begin_jobs
export MEET=$work/meet
mkdir "$MEET"
wait_for='wait_for() { for ((i = 0; i < 300; i++)); do [ ! -e "$MEET/$1" ] || return 0; sleep 0.1; done; echo "$1 never came"; exit 1; }'

# Each waits for the other, and for what follows the first.
for each in "A B" "B A"; do
  read -r own other <<<"$each"
  workflow "${own,}" <<END
name: $own
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: |
          $wait_for
          : >"\$MEET/$own"
          wait_for $other
          echo "$own met $other"
          echo $own >whose
          $([[ $own == A ]] || echo "wait_for deployed; wait_for asked")
          test "\$(cat whose)" = $own
          test "\$FAIL" != $own
        env: { FAIL: '\${{ vars.FAIL }}' }
      - run: echo "after $own"
END
done
workflow deploy <<'END'
name: Deploy
on: { workflow_run: { workflows: [A], types: [completed] } }
jobs: { deploy: { runs-on: ubuntu-latest, steps: [{ run: ': >"$MEET/deployed"; echo "deployed after ${{ github.event.workflow_run.conclusion }}"' }] } }
END
workflow asked <<'END'
name: Asked
on: { workflow_run: { workflows: [B], types: [requested] } }
jobs: { build: { runs-on: ubuntu-latest, steps: [{ run: ': >"$MEET/asked"; echo "asked: ${{ github.event.workflow_run.status }}${{ github.event.workflow_run.conclusion }}"' }] } }
END
commit_all

dock_run --max-jobs 4
expect_status 0
expect_text '^\[A › build\] A met B$'
expect_text '^\[B › build\] B met A$'
expect_text '^\[Deploy › deploy\] deployed after success$'
expect_text '^\[Asked › build\] asked: queued$'
expect_equal "summary" "a.yml build success, deploy.yml deploy success, b.yml build success, asked.yml build success" \
  "$(jq -r '[.jobs[] | "\(.workflow | ltrimstr(".github/workflows/")) \(.key) \(.conclusion)"] | join(", ")' "$SUMMARY")"
dock history --json
expect_equal "history" '[["A","B","Deploy","Asked"],["a.yml build","asked.yml build","b.yml build","deploy.yml deploy"]]' \
  "$(jq -c '.[0] | [[.workflows[].name], ([.jobs[] | "\(.workflow | ltrimstr(".github/workflows/")) \(.key)"] | sort)]' "$OUT")"
dock logs -j 'A › build'
expect_text 'A met B'
expect_no_text 'B met A'
dock logs -j build
expect_text 'A met B'
expect_text 'B met A'
expect_no_text 'deployed after'

# The first that fails gives the exit status; the others go on. Its workspace is its own, and is gone on with.
rm -f "$MEET"/*
dock_run --max-jobs 4 --var FAIL=B
expect_status 1
expect_equal conclusions "build=success deploy=success build=failure build=success" "$(conclusions)"
dock_run b -j build --from-step 1
expect_status 0
expect_text '^\[build\] B met A$'
expect_text '^\[build\] after B$'

# One job at a time, whoever's it is; and one workflow at a time in a group.
for name in one two; do
  for kind in plain group; do
    workflow "$kind-$name" <<END
on: { workflow_dispatch: { inputs: { kind: { required: true } } } }
concurrency: { group: "\${{ inputs.kind == 'group' && 'harbour' || github.workflow }}", queue: max }
jobs:
  build:
    if: inputs.kind == '$kind'
    runs-on: ubuntu-latest
    steps: [{ run: 'mkdir "\$MEET/alone" || exit 1; sleep 0.3; rmdir "\$MEET/alone"' }]
  more:
    needs: build
    runs-on: ubuntu-latest
    steps: [{ run: 'mkdir "\$MEET/alone" || exit 1; sleep 0.3; rmdir "\$MEET/alone"' }]
END
  done
done
commit_all
dock_run -e workflow_dispatch --input kind=plain --max-jobs 1
expect_status 0
expect_equal "jobs" 4 "$(jq '[.jobs[] | select(.conclusion == "success")] | length' "$SUMMARY")"
dock_run -e workflow_dispatch --input kind=group --max-jobs 4
expect_status 0
expect_equal "jobs" 4 "$(jq '[.jobs[] | select(.conclusion == "success")] | length' "$SUMMARY")"

# A stop reaches all of them, and nothing follows.
for name in x y; do
  workflow "stop-$name" <<END
name: Stop $name
on: pull_request
jobs: { build: { runs-on: ubuntu-latest, steps: [{ run: ': >"\$MEET/$name"; exec sleep 300' }] } }
END
done
workflow stopped <<'END'
on: { workflow_run: { workflows: ['Stop *'], types: [completed] } }
jobs: { never: { runs-on: ubuntu-latest, steps: [{ run: echo never }] } }
END
commit_all
rm -f "$MEET"/*
SUMMARY=$work/summary.json
rm -f "$SUMMARY"
(cd "$project" && exec "$drydock" run -e pull_request --isolation host --progress plain --max-jobs 2 --summary-json "$SUMMARY") >"$work/stopped" 2>&1 </dev/null &
victim=$!
for ((i = 0; i < 600; i++)); do [[ ! -e $MEET/x || ! -e $MEET/y ]] || break; sleep 0.05; done
kill -INT "$victim"
STATUS=0
wait "$victim" || STATUS=$?
cp "$work/stopped" "$work/last"
ALL=$work/last
expect_status 130
expect_equal conclusions "build=cancelled build=cancelled" "$(conclusions)"
expect_no_text never
[[ ! -e $DRYDOCK_HOME/runs/$(jq -r .run "$SUMMARY")/work ]] || fail "an empty work folder is left"
