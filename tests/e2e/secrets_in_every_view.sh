#!/bin/bash
# A secret in all its forms, split over writes and lines, shows in no view of a run: terminal, plain, JSON, history,
# logs, summaries; neither does one that a step makes and masks itself.
. "$(dirname "$0")/../support/assert.sh"
export HOME=$work/home DRYDOCK_HOME=$work/store DRYDOCK_CONFIG=$work/drydock.yaml
unset XDG_DATA_HOME XDG_CONFIG_HOME GITHUB_ACTIONS CI
mkdir -p "$HOME" "$work/project/.github/workflows"
: >"$DRYDOCK_CONFIG"
cat >"$work/project/.github/workflows/talk.yml" <<'END'
name: Talk
on: push
jobs:
  talk:
    runs-on: ubuntu-latest
    outputs:
      leak: ${{ steps.say.outputs.word }}
    env:
      WORD: ${{ secrets.WORD }}
      KEY: ${{ secrets.KEY }}
    steps:
      - id: say
        name: Say ${{ secrets.WORD }}
        run: |
          echo "plain $WORD"
          echo "error $WORD" >&2
          echo "::error file=$WORD,title=$WORD::annotation $WORD"
          echo "::group::group $WORD"
          echo "::endgroup::"
          for ((i = 0; i < ${#WORD}; i++)); do printf '%s' "${WORD:i:1}"; sleep 0.002; done; echo
          printf 'no end: %s' "${WORD:0:7}"; sleep 0.05; printf '%s' "${WORD:7}"; echo
          echo "$KEY"
          sed -n 2p <<<"$KEY"
          jq -nc --arg word "$WORD" --arg key "$KEY" '{word: $word, key: $key}'
          for front in '' a ab; do printf '%s%s' "$front" "$WORD" | base64 -w0; echo; done
          for front in '' a ab; do printf '%s%s and more' "$front" "$WORD" | base64 -w0; echo; done
          jq -nr --arg word "$WORD" '$word | @uri'
          echo "word=$WORD" >>"$GITHUB_OUTPUT"
          echo "SAID=$WORD" >>"$GITHUB_ENV"
          echo "summary of $WORD" >>"$GITHUB_STEP_SUMMARY"
      - name: Make another
        run: |
          own=made-$(printf 'h%s' ere)-$((40 + 2))-by-the-step
          echo "::add-mask::$own"
          echo "own $own, theirs $SAID"
          echo "own $own" >>"$GITHUB_STEP_SUMMARY"
      - run: exit 3 # ${{ secrets.WORD }}
END
project=$work/project
commit_project
cd "$project"
word="Tide/and+Harbour \"$RANDOM\" & more?"
key=$'-----BEGIN BERTH KEY-----\nMIIEpAIBAAKCAQEA7line-two-of-the-key\nthird-line-of-the-key==\n-----END BERTH KEY-----'
export WORD=$word KEY=$key

# Every form that must not be seen, one a line.
forms() {
  local front encoded
  echo "$word"
  sed -n 2,3p <<<"$key"
  jq -nc --arg word "$word" '$word' | sed 's/^"//; s/"$//'
  jq -nr --arg word "$word" '$word | @uri'
  # In base64 the first and last characters depend on what stands beside: the middle does not.
  for front in '' a ab; do
    encoded=$(printf '%s%s' "$front" "$word" | base64 -w0)
    echo "${encoded:4:20}"
  done
  echo made-here-42-by-the-step
}
expect_nothing_of_it() {
  local form
  while IFS= read -r form; do
    ! grep -qF -- "$form" "${@:2}" || fail "$1 holds '$form': $(grep -hF -- "$form" "${@:2}" | head -2)"
  done < <(forms)
}

for progress in plain json tty; do
  command=("$drydock" run talk.yml -s WORD -s KEY --isolation host --progress "$progress" --summary-json "$work/summary.$progress")
  status=0
  if [[ $progress == tty ]]; then
    script -qec "$(printf '%q ' "${command[@]}")" "$work/view.tty" >/dev/null </dev/null || status=$?
  else
    "${command[@]}" >"$work/view.$progress" 2>&1 </dev/null || status=$?
  fi
  [[ $status == 1 ]] || fail "exit status $status under $progress: $(tail -5 "$work/view.$progress")"
  grep -q 'plain \*\*\*' "$work/view.$progress" || fail "the view $progress shows no masked output: $(head -20 "$work/view.$progress")"
  grep -q 'own \*\*\*, theirs \*\*\*' "$work/view.$progress" || fail "the view $progress shows nothing of the second step"
  expect_nothing_of_it "the view $progress" "$work/view.$progress"
  expect_nothing_of_it "--summary-json" "$work/summary.$progress"
done
jq -e '.jobs[0].outputs == {} and (.jobs[0].steps[0].summary | startswith("summary of ***"))' "$work/summary.json" >/dev/null ||
  fail "the summary: $(cat "$work/summary.json")"

"$drydock" logs >"$work/logs" 2>&1
"$drydock" history --json >"$work/history" 2>&1
expect_nothing_of_it "drydock logs" "$work/logs"
expect_nothing_of_it "drydock history" "$work/history"
mapfile -t kept < <(find "$DRYDOCK_HOME" -type f)
((${#kept[@]} > 3)) || fail "the store keeps nothing"
expect_nothing_of_it "the store" "${kept[@]}"
