#!/bin/bash
# --from-step: a job goes on at one of its steps, in the workspace of an earlier run, with what the steps before it left:
# outcomes, outputs, environment, PATH, state of actions. What cannot be served is refused. And run_attempt counts up.
. "$(dirname "$0")/../support/assert.sh"
begin_jobs

mkdir -p "$project/greeter" "$project/saver"
cat >"$project/greeter/action.yml" <<'END'
name: greeter
inputs: { who: { required: true } }
outputs: { greeting: { value: '${{ steps.say.outputs.text }}' } }
runs:
  using: composite
  steps:
    - id: say
      shell: bash
      run: |
        echo "text=ahoy ${{ inputs.who }}" >>"$GITHUB_OUTPUT"
        echo "GREETED=${{ inputs.who }}" >>"$GITHUB_ENV"
END
workflow loop <<'END'
name: Loop
on: push
jobs:
  first:
    runs-on: ubuntu-latest
    outputs: { tide: '${{ steps.t.outputs.tide }}' }
    steps:
      - id: t
        run: |
          echo "first ran"
          echo "tide=low" >>"$GITHUB_OUTPUT"
  build:
    needs: first
    runs-on: ubuntu-latest
    env: { HARBOUR: north }
    steps:
      - uses: actions/checkout@v4
      - name: Prepare
        id: prepare
        run: |
          echo "prepare ran"
          mkdir -p bin && printf '#!/bin/sh\necho the tool\n' >bin/tool && chmod +x bin/tool
          echo "$PWD/bin" >>"$GITHUB_PATH"
          { echo "BERTH=seven"; echo "KEY=k-$WORD"; } >>"$GITHUB_ENV"
          { echo "note=from prepare"; echo "hidden=$WORD!"; } >>"$GITHUB_OUTPUT"
          echo "# prepared" >>"$GITHUB_STEP_SUMMARY"
        env: { WORD: '${{ secrets.WORD }}' }
      - name: Never
        if: failure()
        run: echo never
      - id: greet
        uses: ./greeter
        with: { who: '${{ needs.first.outputs.tide }} tide' }
      - name: Try ${{ env.BERTH }}
        id: try
        run: |
          echo "try in attempt $GITHUB_RUN_ATTEMPT of $GITHUB_RUN_ID"
          test "$BERTH $HARBOUR $GREETED" = "seven north low tide"
          test "$KEY" = "k-${{ secrets.WORD }}"
          test "${{ steps.prepare.outputs.note }}" = "from prepare"
          test "${{ steps.prepare.outputs.hidden }}" = "${{ secrets.WORD }}!"
          test "${{ steps.prepare.outcome }} ${{ steps.greet.conclusion }}" = "success success"
          test "${{ steps.greet.outputs.greeting }}" = "ahoy low tide"
          test "$(tool)" = "the tool"
          test -e mended
      - run: echo "the end"
END
commit_all
word=Tide-Table-$RANDOM$RANDOM
show() { dock history --json; jq -r ".[0].$1" "$OUT"; }

# A run fails, and says how to go on; what its steps left is kept, the secret only by its name.
dock_run loop -s "WORD=$word"
expect_status 1
expect_text 'to go on where job .build. failed: drydock run loop.yml -j build --from-step 5'
expect_text '^\[build\] try in attempt 1 of '
first=$(show id)
expect_equal "attempt" "1 $first" "$(show attempt) $(show run)"
! grep -rqF -- "$word" "$DRYDOCK_HOME" || fail "the store holds the secret"
workspace=$DRYDOCK_HOME/runs/$first/work/build/app/app
[[ -x $workspace/bin/tool ]] || fail "the workspace of the failed job is not there"
[[ ! -e $DRYDOCK_HOME/runs/$first/work/first ]] || fail "the workspace of a job that succeeded is still there"

# Going on does the step again and no other; it fails again, in the same place.
for step in try 5 'Try seven'; do
  dock_run loop -j build --from-step "$step" -s "WORD=$word"
  expect_status 1
  expect_text '^\[build\] try in attempt [2-4] of '"$first"
  expect_text 'success  Prepare  0.0s  taken from run '
  expect_no_text 'first ran'
  expect_no_text 'prepare ran'
  expect_no_text '] the end'
  expect_equal "steps" "success success skipped success failure skipped success" \
    "$(jq -r '[.jobs[] | select(.key == "build") | .steps[].conclusion] | join(" ")' "$SUMMARY")"
done
expect_equal "attempt" "4 $first" "$(show attempt) $(show run)"
! grep -rqF -- "$word" "$DRYDOCK_HOME" || fail "the store holds the secret"

# Mended by hand, it goes on to the end; then nothing is kept any more.
: >"$workspace/mended"
dock_run loop -j build --from-step try -s "WORD=$word"
expect_status 0
expect_text '^\[build\] the end$'
expect_text '# prepared'
[[ ! -e $workspace ]] || fail "the workspace of a job that succeeded is still there"
dock_run loop -j build --from-step try -s "WORD=$word"
expect_status 1
expect_text 'no run of .github/workflows/loop.yml has the workspace'

# The whole run goes on with what all attempts have done: there is nothing left to run.
dock_run loop -s "WORD=$word" --resume "$first"
expect_status 0
expect_no_text 'try in attempt'
expect_equal conclusions "first=success build=success" "$(conclusions)"
expect_equal "attempt" "6 $first" "$(show attempt) $(show run)"

# --keep-workspace keeps that of a job that succeeded, whatever runs after it.
dock_run loop -s "WORD=$word"
last=$(show id)
: >"$DRYDOCK_HOME/runs/$last/work/build/app/app/mended"
dock_run loop -j build --from-step 5 -s "WORD=$word" --keep-workspace
expect_status 0
dock_run loop -j first
expect_status 0
dock_run loop -j build --from-step 6 -s "WORD=$word"
expect_status 0
expect_no_text 'try in attempt'
expect_text '^\[build\] the end$'

# A new run of the workflow takes the place of what failed before.
dock_run loop -s "WORD=$word"
failed=$(show id)
dock_run loop -s "WORD=$word"
standing=$(show id)
[[ ! -e $DRYDOCK_HOME/runs/$failed/work ]] || fail "the workspace of an older failed run is still there"

# Refusals, with their mend.
refused() { # STATUS TEXT ARG...
  local status=$1 text=$2
  shift 2
  dock_run loop "$@"
  expect_status "$status"
  expect_text "$text"
  expect_no_text 'try in attempt'
}
refused 2 'is about one job' --from-step 5 -s "WORD=$word"
refused 3 "has no step 'Nowhere'" -j build --from-step Nowhere -s "WORD=$word"
refused 3 'holds the secret .WORD., which is not given' -j build --from-step 5
refused 1 "there is no run '12345'" -j build --from-step 5 --resume 12345 -s "WORD=$word"
refused 2 'goes on with one job' -j build --from-step 5 --rerun-failed -s "WORD=$word"
sed -i 's/echo "prepare ran"/echo "prepare is another"/' "$project/.github/workflows/loop.yml"
refused 3 'step 2 of job .build. is not what it was' -j build --from-step 5 -s "WORD=$word"
expect_text 'begin with --from-step 2, or before'
sed -i 's/echo "prepare is another"/echo "prepare ran"/' "$project/.github/workflows/loop.yml"
sed -i 's/      - run: echo "the end"/      - run: echo "another end"/' "$project/.github/workflows/loop.yml"
: >"$DRYDOCK_HOME/runs/$standing/work/build/app/app/mended"
dock_run loop -j build --from-step try -s "WORD=$word"
expect_status 0
expect_text '^\[build\] another end$'

# Values that a step masked are not kept, nor what holds them.
workflow masks <<'END'
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo "::add-mask::sealed-orders"
          echo "ORDERS=sealed-orders" >>"$GITHUB_ENV"
      - run: exit 1
  background:
    runs-on: ubuntu-latest
    steps:
      - { id: late, background: true, run: 'echo "a=1" >>"$GITHUB_OUTPUT"' }
      - run: echo meanwhile
      - wait: late
      - run: 'echo "a is ${{ steps.late.outputs.a }}"; exit 1'
END
dock_run masks
expect_status 1
dock_run masks -j one --from-step 2
expect_status 3
expect_text 'step 1 of job .one. masked values that are not kept'
dock_run masks -j background --from-step 2
expect_status 3
expect_text 'runs in the background beyond the step to begin with'
dock_run masks -j background --from-step 4
expect_status 1
expect_text '^\[background\] a is 1$'

# Legs of a matrix are chosen.
workflow legs <<'END'
on: push
jobs:
  leg:
    runs-on: ubuntu-latest
    strategy: { fail-fast: false, matrix: { side: [port, starboard] } }
    steps:
      - run: echo "SIDE=${{ matrix.side }}" >>"$GITHUB_ENV"
      - run: 'echo "on $SIDE"; exit 1'
END
dock_run legs
dock_run legs --from-step 2
expect_status 3
expect_text 'choose it with --matrix'
dock_run legs --from-step 2 --matrix side:starboard
expect_status 1
expect_text '^\[leg \(starboard\)\] on starboard$'
expect_no_text 'on port'

# A word behind --rerun-failed is a run, or the workflow.
dock_run --rerun-failed legs.yml
expect_status 1
expect_text '^\[leg \(port\)\] on port$'
dock_run legs --rerun-failed "$(show id)"
expect_status 1
dock_run legs --rerun-failed other
expect_status 2
expect_text 'names no run'

# In a sandbox, what steps changed outside of the workspace is there again, and the machine is as before.
workflow boxed <<'END'
on: push
jobs:
  box:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo "made by step 1" >"$HOME/made"
          rm -f "$HOME/old"
          [ "$(id -u)" != 0 ] || echo "as root" >/usr/local/drydock-e2e-made
      - run: |
          cat "$HOME/made"
          [ ! -e "$HOME/old" ]
          [ "$(id -u)" != 0 ] || cat /usr/local/drydock-e2e-made
          exit 1
END
echo old >"$HOME/old"
dock_run boxed --isolation sandbox
if [[ $STATUS == 4 ]]; then
  echo "the sandbox is left out: none can be made here"
else
  expect_status 1
  expect_text '^\[box\] made by step 1$'
  [[ -e $HOME/old && ! -e $HOME/made ]] || fail "the sandbox changed the machine"
  for ((i = 0; i < 2; i++)); do
    dock_run boxed --isolation sandbox --from-step 2
    if grep -q 'changed outside of its workspace ended with its sandbox' "$ALL"; then
      echo "going on in a sandbox is left out: this file system keeps no changes of one"
      break
    fi
    expect_status 1
    expect_text '^\[box\] made by step 1$'
    [[ $(id -u) != 0 ]] || expect_text '^\[box\] as root$'
  done
  [[ -e $HOME/old && ! -e $HOME/made && ! -e /usr/local/drydock-e2e-made ]] || fail "the sandbox changed the machine"
  dock_run boxed --isolation host --from-step 2
  expect_status 3
  expect_text "ran in isolation 'sandbox'"
fi

# Actions of the repository itself are there, too.
workflow own <<'END'
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - { id: greet, uses: $/greeter, with: { who: crew } }
      - { uses: $/greeter, with: { who: '${{ steps.greet.outputs.greeting }}' } }
      - run: 'echo "$GREETED"; exit 1'
END
commit_all
dock_run own
expect_text '^\[one\] ahoy crew$'
for step in 2 3; do
  dock_run own --from-step $step
  expect_status 1
  expect_text '^\[one\] ahoy crew$'
done
