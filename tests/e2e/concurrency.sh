#!/bin/bash
# Concurrency groups between processes: of workflows and of jobs. Who waits gives way to the newest, who runs is
# cancelled when asked, a killed run holds nothing, and one job that is cancelled leaves the other jobs of its run alone.
. "$(dirname "$0")/../support/assert.sh"
begin_jobs

workflow plain <<'END'
on: push
concurrency: "deploy-${{ github.ref_name }}"
jobs:
  go:
    runs-on: ubuntu-latest
    steps: [{ run: 'echo "go ${{ vars.N }}"; touch $DIR/began-${{ vars.N }}; while test ! -e $DIR/end-${{ vars.N }}; do sleep 0.05; done' }]
END
workflow cancel <<'END'
on: push
concurrency: { group: "Deploy-MAIN", cancel-in-progress: "${{ vars.CANCEL == 'yes' }}" }
jobs:
  go:
    runs-on: ubuntu-latest
    steps: [{ run: 'echo "went ${{ vars.N }}"' }]
END
workflow job <<'END'
on: push
jobs:
  deploy:
    runs-on: ubuntu-latest
    concurrency: { group: site, cancel-in-progress: true }
    steps:
      - run: touch $DIR/began-${{ vars.N }}; while test ! -e $DIR/end-${{ vars.N }}; do sleep 0.05; done
      - { if: cancelled(), run: 'echo "cleaned ${{ vars.N }}"' }
  other:
    runs-on: ubuntu-latest
    steps: [{ run: 'while test ! -e $DIR/end-other; do sleep 0.05; done' }]
END
commit_all
export DIR=$work/signals
mkdir "$DIR"

# begin_run N ARG...: a run in the background; its process is ${pid[N]}, its output $work/run-N.
declare -A pid
begin_run() {
  local n=$1
  shift
  (cd "$project" && exec "$drydock" run --isolation host --progress plain --max-jobs 2 --summary-json "$work/summary-$n" --var "N=$n" "$@") \
    >"$work/run-$n" 2>&1 </dev/null &
  pid[$n]=$!
}
# wait_for TEST...: until it holds.
wait_for() {
  local i
  for ((i = 0; i < 400; i++)); do
    if "$@" 2>/dev/null; then return 0; fi
    sleep 0.05
  done
  fail "never: $*: $(tail -n 20 "$work"/run-*)"
}
says() { grep -qE -- "$2" "$work/run-$1"; }
# ends N STATUS: waits for the run.
ends() {
  local status=0
  wait "${pid[$1]}" || status=$?
  [[ $status == "$2" ]] || fail "run $1: exit status $status instead of $2: $(cat "$work/run-$1")"
}

# One runs, the second waits, the third takes the second's place.
begin_run 1 plain
wait_for test -e "$DIR/began-1"
begin_run 2 plain
wait_for says 2 'is held by another run'
begin_run 3 plain
ends 2 130
says 2 "Canceling since a higher priority waiting request for 'deploy-main' exists" || fail "the second run does not say why"
[[ ! -e $DIR/began-2 && ! -e $DIR/began-3 ]] || fail "two runs at once in one group"
touch "$DIR/end-1"
ends 1 0
wait_for test -e "$DIR/began-3"
# Another workflow in the same group, its name written in another case: without cancel-in-progress it waits, with it not.
begin_run 4 cancel
wait_for says 4 'is held by another run'
begin_run 5 cancel --var CANCEL=yes
ends 4 130
ends 3 130
ends 5 0
says 5 'went 5' || fail "the newest run did not run"

# A killed run holds nothing.
begin_run 6 plain
wait_for test -e "$DIR/began-6"
kill -KILL "${pid[6]}"
wait "${pid[6]}" || true
begin_run 7 cancel
ends 7 0

# Groups of jobs: only the job is cancelled.
begin_run 8 job
wait_for test -e "$DIR/began-8"
begin_run 9 job
wait_for test -e "$DIR/began-9"
says 8 'cleaned 8' || fail "the cancelled job did not clean up"
kill -0 "${pid[8]}" || fail "the whole run was cancelled"
touch "$DIR/end-9" "$DIR/end-other"
ends 8 130
ends 9 0
expect_equal "the first run" "deploy=cancelled other=success" "$(SUMMARY=$work/summary-8 conclusions)"
expect_equal "the second run" "deploy=success other=success" "$(SUMMARY=$work/summary-9 conclusions)"
