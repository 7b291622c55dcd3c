#!/bin/bash
# What goes wrong under a job: a step killed by a signal or by the lack of memory, an action that cannot be
# fetched, a hung post step and a program that ignores its end, a runner killed in the middle, two runs at once.
. "$(dirname "$0")/../support/assert.sh"
export HOME=$work/home DRYDOCK_HOME=$work/store DRYDOCK_CONFIG=$work/drydock.yaml
unset XDG_DATA_HOME XDG_CONFIG_HOME GITHUB_ACTIONS CI
mkdir -p "$HOME" "$work/project/.github/workflows"
: >"$DRYDOCK_CONFIG"
project=$work/project
isolations=(host)
nap=98$RANDOM$RANDOM

# workflow NAME: writes the workflow from standard input, to be run from the working tree's commit.
workflow() { cat >"$project/.github/workflows/$1.yml"; }

workflow signals <<'END'
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: kill -SEGV $$
        continue-on-error: true
      - run: |
          ulimit -v 60000
          awk 'BEGIN { text = "x"; while (1) text = text text }'
        continue-on-error: true
      - run: 'bash -c "kill -TERM \$\$"'
        continue-on-error: true
      - run: echo the job went on
END
workflow greedy <<'END'
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: awk 'BEGIN { text = "x"; while (1) text = text text }'
        continue-on-error: true
      - run: echo the job went on
END
workflow fetch <<'END'
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo "must not run" >"$MARK"
      - uses: nobody-at-all/no-such-action@v1
END
workflow stubborn <<END
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: |
          trap 'echo interrupted' INT
          trap 'echo terminated' TERM
          (trap '' INT TERM; while :; do sleep $nap; done) &
          while :; do sleep 0.2 || true; done
      - run: echo the cleaner ran
        if: always()
END
workflow sleeper <<END
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: |
          setsid sleep $nap &
          exec sleep $nap
END
workflow quick <<'END'
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo "$GITHUB_RUN_ID" >mine
          sleep 0.3
          [ "$(cat mine)" = "$GITHUB_RUN_ID" ]
END
commit_project
cd "$project"
export MARK=$work/mark

# The step's own program is looked for: a file that it makes may lie in a view of its own.
wait_for_step() { for ((i = 0; i < 300; i++)); do [[ $(sleepers) == 0 ]] || return 0; sleep 0.05; done; fail "the step never ran"; }
sleepers() { pgrep -fc "sleep $nap" || true; }
expect_none_left() {
  local i
  for ((i = 0; i < 60; i++)); do [[ $(sleepers) != 0 ]] || break; sleep 0.1; done
  expect_equal "$1: processes left" 0 "$(sleepers)"
  expect_equal "$1: mounts left" "" "$(grep -F "$work" /proc/self/mounts || true)"
}

# little_memory: makes $group, a control group in which 256 MB are all there is; nothing where none can be made.
group=
little_memory() {
  local own
  own=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
  if [[ -n $own ]]; then
    group=/sys/fs/cgroup/memory$own/drydock-e2e.$$
    mkdir "$group" && echo 256M >"$group/memory.limit_in_bytes" && return
  else
    group=/sys/fs/cgroup/drydock-e2e.$$
    mkdir "$group" && echo 256M >"$group/memory.max" && return
  fi 2>/dev/null
  rmdir "$group" 2>/dev/null || true
  group=
}
little_memory
trap '[[ -z $group ]] || rmdir "$group" 2>/dev/null || true; take_down' EXIT
dock_in_group() {
  local real=$drydock
  drydock=$work/in_group
  printf '#!/bin/bash\necho $$ >"%s/cgroup.procs" && exec "%s" "$@"\n' "$group" "$(readlink -f "$real")" >"$drydock"
  chmod +x "$drydock"
  dock "$@"
  drydock=$real
}

# Another isolation than host is tried too, where it can be made.
if "$drydock" run quick.yml --isolation sandbox --progress quiet >/dev/null 2>&1; then isolations+=(sandbox); fi

for isolation in "${isolations[@]}"; do
  # Signals and memory: exit codes as a shell tells them; the job goes on.
  dock run signals.yml --isolation "$isolation" --progress plain --summary-json "$work/summary"
  expect_status 0
  expect_text 'exit code 139\.'
  expect_text 'exit code 143\.'
  expect_text 'the job went on'
  expect_equal "outcomes" '["failure","failure","failure","success"]' "$(jq -c '[.jobs[0].steps[].outcome]' "$work/summary")"

  # The machine runs out of memory: the kernel kills the greedy step, not the runner beside it.
  if [[ -n $group ]]; then
    dock_in_group run greedy.yml --isolation "$isolation" --progress plain --summary-json "$work/summary"
    expect_status 0
    expect_text 'exit code 137\.'
    expect_text 'the job went on'
    expect_equal "outcomes" '["failure","success"]' "$(jq -c '[.jobs[0].steps[].outcome]' "$work/summary")"
  else
    echo "no control group can be made here: a kill for lack of memory is not tried"
  fi

  # The first Ctrl-C: SIGINT, then SIGTERM, then SIGKILL for all that the step started; then what always() asks for.
  rm -f "$MARK"
  "$drydock" run stubborn.yml --isolation "$isolation" --progress plain >"$work/stubborn" 2>&1 </dev/null &
  victim=$!
  wait_for_step
  started=$(date +%s%N)
  kill -INT "$victim"
  STATUS=0
  wait "$victim" || STATUS=$?
  took=$((($(date +%s%N) - started) / 1000000))
  cp "$work/stubborn" "$work/last"
  ALL=$work/last
  expect_status 130
  expect_text '^\[build\] interrupted$'
  expect_text '^\[build\] terminated$'
  expect_text 'the cleaner ran'
  ((took > 9500 && took < 16000)) || fail "the stubborn step ended after $took ms instead of about 10 s"
  expect_none_left "after Ctrl-C under $isolation"

  # The runner is killed: what it started goes with it, and the next run is clean.
  rm -f "$MARK"
  "$drydock" run sleeper.yml --isolation "$isolation" --progress quiet </dev/null >/dev/null 2>&1 &
  victim=$!
  wait_for_step
  kill -KILL "$victim"
  wait "$victim" 2>/dev/null || true
  expect_none_left "after the runner was killed under $isolation"
  dock run quick.yml --isolation "$isolation" --progress plain
  expect_status 0
  expect_equal "work folders left" "" "$(find "$DRYDOCK_HOME/runs" -mindepth 3 -maxdepth 3 -path '*/work/*' | head -1)"

  # Two runs at once in one repository do not see each other's workspace.
  "$drydock" run quick.yml --isolation "$isolation" --progress quiet </dev/null >"$work/one" 2>&1 &
  one=$!
  "$drydock" run quick.yml --isolation "$isolation" --progress quiet </dev/null >"$work/two" 2>&1 &
  two=$!
  wait "$one" || fail "the first of two runs failed: $(cat "$work/one")"
  wait "$two" || fail "the second of two runs failed: $(cat "$work/two")"
done

# An action that cannot be had: before anything runs, or at the step; never in silence.
rm -f "$MARK"
dock run fetch.yml --isolation host --offline --progress plain
[[ $STATUS != 0 ]] || fail "an action that is not there was a success"
expect_text 'no-such-action'
[[ ! -e $MARK ]] || fail "a step ran before it was known that an action is missing"
