#!/bin/bash
# Past runs: listed, told apart from killed ones, read again by job and step, and removed; nothing of a secret in them.
. "$(dirname "$0")/../support/assert.sh"
export HOME=$work/home DRYDOCK_HOME=$work/store DRYDOCK_CONFIG=$work/drydock.yaml
unset XDG_DATA_HOME XDG_CONFIG_HOME GITHUB_ACTIONS CI
mkdir -p "$HOME" "$work/project/.github/workflows"
: >"$DRYDOCK_CONFIG"
cat >"$work/project/.github/workflows/two.yml" <<'END'
name: Two jobs
on: push
jobs:
  good:
    runs-on: ubuntu-latest
    steps:
      - name: Greet
        env:
          WORD: ${{ secrets.WORD }}
        run: |
          echo "ahoy $WORD from good"
          echo "# Log book: $WORD" >>"$GITHUB_STEP_SUMMARY"
  bad:
    runs-on: ubuntu-latest
    strategy:
      fail-fast: false
      matrix:
        side: [port, starboard]
    steps:
      - run: echo "fine on ${{ matrix.side }}"
      - name: Break
        run: |
          echo "broken on ${{ matrix.side }}"
          [ ${{ matrix.side }} = port ]
END
cat >"$work/project/.github/workflows/long.yml" <<'END'
name: Long
on: push
jobs:
  quick:
    runs-on: ubuntu-latest
    steps:
      - run: echo done
  long:
    needs: quick
    runs-on: ubuntu-latest
    steps:
      - run: echo begun; touch "$MARK"; exec sleep 300
END
project=$work/project
commit_project
cd "$project"
word=Tide-Table-$RANDOM$RANDOM

dock run two.yml -s "WORD=$word" --isolation host --progress plain
expect_status 1
expect_text 'summary of \[good\] Greet'
expect_text '# Log book: \*\*\*'
expect_no_text "$word"
first=$(dock history --json && jq -r '.[0].id' "$OUT")
dock history --json
expect_equal "the run" '["failure","push","refs/heads/main","team/app",["Two jobs"]]' \
  "$(jq -c '.[0] | [.conclusion, .event, .ref, .repository, [.workflows[].name]]' "$OUT")"
expect_equal "its jobs" '["bad (port) success","bad (starboard) failure","good success"]' \
  "$(jq -c '[.[0].jobs[] | "\(.key) \(.conclusion)"] | sort' "$OUT")"
expect_equal "times" true "$(jq '.[0] | .started < .finished and .elapsed_ms > 0' "$OUT")"

dock logs
expect_text '^\[good\] ahoy \*\*\* from good$'
expect_text '^\[bad \(starboard\)\] broken on starboard$'
expect_text '# Log book: \*\*\*'
dock logs "$first" -j bad --step 1
expect_text 'fine on port'
expect_text 'fine on starboard'
expect_no_text 'broken on'
dock logs "$first" -j 'bad (port)' --step Break
expect_text 'broken on port'
expect_no_text 'starboard'
dock logs "$first" --failed
expect_text 'broken on starboard'
expect_no_text 'broken on port'
expect_no_text 'ahoy'
dock logs "$first" --failed --json
expect_equal "events" true "$(jq -s 'all(.schema == 1) and any(.kind == "log")' "$OUT")"
dock logs "$first" -j none
expect_status 2
dock logs 12345
expect_status 1
expect_text "there is no run '12345'"
! grep -rqF -- "$word" "$DRYDOCK_HOME/runs" || fail "the history holds a secret"
expect_equal "work folders left" "$DRYDOCK_HOME/runs/$first/work/bad.1" "$(find "$DRYDOCK_HOME/runs" -mindepth 3 -maxdepth 3 -path '*/work/*')"
dock cache du
expect_text '^workspaces +1 '
expect_equal "the attempt" "1 $first" "$(dock history --json && jq -r '.[0] | "\(.attempt) \(.run)"' "$OUT")"

# A killed run is told as such, with the jobs that had ended; its work folder goes with the next run.
export MARK=$work/mark
"$drydock" run long.yml --isolation host --progress quiet &
victim=$!
for ((i = 0; i < 200; i++)); do [[ ! -e $MARK ]] || break; sleep 0.05; done
dock history --json -w Long
expect_equal "while it runs" running "$(jq -r '.[0].conclusion' "$OUT")"
kill -KILL "$victim"
wait "$victim" 2>/dev/null || true
dock history --json -w long.yml
expect_equal "killed" '["killed",null,"quick success"]' "$(jq -c '.[0] | [.conclusion, .finished, (.jobs[] | "\(.key) \(.conclusion)")]' "$OUT")"
killed=$(jq -r '.[0].id' "$OUT")
dock logs "$killed" -j long
expect_text 'begun'
[[ -d $DRYDOCK_HOME/runs/$killed/work/long ]] || fail "the killed run left no work folder, so the next check proves nothing"
dock run two.yml -s "WORD=$word" -j good --isolation host --progress quiet
expect_status 0
[[ ! -e $DRYDOCK_HOME/runs/$killed/work ]] || fail "the work folder of a killed run stays"

# A run of an hour ago goes; the others stay.
dock cache prune --unused-hours 1
expect_status 0
expect_equal "runs kept" 3 "$(dock history --json && jq length "$OUT")"
old=$((first - 7200000))
mv "$DRYDOCK_HOME/runs/$first" "$DRYDOCK_HOME/runs/$old"
jq '.finished = "2020-01-01T00:00:00.000Z" | .id = "'"$old"'"' "$DRYDOCK_HOME/runs/$old/run.json" >"$work/changed"
mv "$work/changed" "$DRYDOCK_HOME/runs/$old/run.json"
dock cache prune --unused-hours 1
expect_text ' 1 runs'
expect_equal "runs kept" 2 "$(dock history --json && jq length "$OUT")"
