#!/bin/bash
# covers: function cancelled
# Stopping a run on this machine itself. The first signal: SIGINT to the step, SIGTERM after 7.5 s, SIGKILL after 2.5 s
# more, while always() steps and jobs still run. The second one, or a kill: nothing of it is left running.
. "$(dirname "$0")/../support/assert.sh"
begin_jobs
nap=95$RANDOM$RANDOM
workflow polite <<END
on: push
jobs:
  work:
    runs-on: ubuntu-latest
    steps:
      - run: trap 'echo got INT; exit 3' INT; echo ready; sleep $nap >/dev/null 2>&1 & wait
      - { if: always(), run: echo cleaned the job }
      - run: echo never
  after: { needs: work, if: always(), runs-on: ubuntu-latest, steps: [{ run: 'echo cleaned the run after \${{ needs.work.result }}' }] }
  next: { needs: work, runs-on: ubuntu-latest, steps: [{ run: echo never }] }
END
workflow stubborn <<END
on: push
jobs:
  work:
    runs-on: ubuntu-latest
    steps:
      - run: |
          trap 'echo "got INT"' INT
          trap 'echo "got TERM"' TERM
          echo ready
          while true; do sleep $nap >/dev/null 2>&1 & wait || true; done
      - { if: cancelled(), run: echo cleaned the job }
END
workflow hard <<END
on: push
jobs:
  work:
    runs-on: ubuntu-latest
    steps:
      - run: trap '' INT TERM; setsid sleep $nap & (trap '' INT TERM; sleep $nap; true) & echo ready; sleep $nap; sleep $nap
END
commit_all

# begin_run NAME: in the background, until its step is ready.
begin_run() {
  local i
  : >"$work/last"
  (cd "$project" && exec "$drydock" run --isolation host --progress plain "$1") >"$work/last" 2>&1 </dev/null &
  victim=$!
  echo "run $1" >"$work/last.command"
  ALL=$work/last
  for ((i = 0; i < 200; i++)); do
    if grep -q '\] ready$' "$ALL"; then return 0; fi
    sleep 0.05
  done
  fail "the step never ran"
}
ended() {
  STATUS=0
  wait "$victim" || STATUS=$?
}
# none_left: no process of the steps, after the moment that the kernel needs.
none_left() {
  local i
  for ((i = 0; i < 60; i++)); do
    if ! pgrep -f "sleep $nap" >/dev/null; then return 0; fi
    sleep 0.05
  done
  fail "left running: $(pgrep -af "sleep $nap")"
}

for signal in INT TERM; do
  begin_run polite
  kill "-$signal" "$victim"
  ended
  expect_status 130
  expect_text '\] got INT$'
  expect_text '\] cleaned the job$'
  expect_text '\] cleaned the run after cancelled$'
  expect_no_text '] never'
  none_left
done

begin_run stubborn
kill -INT "$victim"
started=$EPOCHREALTIME
ended
took=$(awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { print int((b - a) * 10) }')
((took >= 99 && took < 150)) || fail "it took $took tenths of a second instead of 10 s"
expect_status 130
expect_text '\] got INT$'
expect_text '\] got TERM$'
expect_text '\] cleaned the job$'
none_left

begin_run hard
kill -INT "$victim"
sleep 0.3
kill -INT "$victim"
ended
expect_status 130
none_left

begin_run hard
kill -KILL "$victim"
ended
none_left
expect_equal "mounts left behind" "" "$(grep -F "$work" /proc/self/mounts || true)"

# The next run starts clean.
sed -i "s/sleep $nap/true/g" "$project/.github/workflows/hard.yml"
commit_all
dock_run hard
expect_status 0
