#!/bin/bash
# --pause-on-failure: a shell in the failed step's place, with its environment and directory; the job goes on after it.
# Then what failed is run again, with the workspace kept.
. "$(dirname "$0")/../support/assert.sh"
command -v script >/dev/null || skip "no script(1), which makes the terminal"
export HOME=$work/home DRYDOCK_HOME=$work/store DRYDOCK_CONFIG=$work/drydock.yaml
unset XDG_DATA_HOME XDG_CONFIG_HOME GITHUB_ACTIONS CI
mkdir -p "$HOME" "$work/project/.github/workflows"
: >"$DRYDOCK_CONFIG"
cat >"$work/project/.github/workflows/broken.yml" <<'END'
on: push
jobs:
  first:
    runs-on: ubuntu-latest
    steps:
      - run: echo "first ran"
  second:
    needs: first
    runs-on: ubuntu-latest
    env:
      BERTH: seven
    steps:
      - run: mkdir deep && echo "left here" >deep/note
      - name: Break
        working-directory: deep
        env:
          TIDE: low
        run: "[ -e mended ]"
      - run: echo "the job went on"
        if: always()
END
project=$work/project
commit_project
cd "$project"

# With no terminal there is nobody to ask.
dock run broken.yml --isolation host --pause-on-failure
expect_status 2
expect_text 'needs a terminal'

isolations=(host)
if "$drydock" run broken.yml -j first --isolation sandbox --progress quiet >/dev/null 2>&1; then isolations+=(sandbox); fi
for isolation in "${isolations[@]}"; do
  for progress in plain tty; do
    # Someone types at the terminal, once the shell is there.
    { for ((i = 0; i < 200; i++)); do ! grep -q 'A shell in its place' "$work/seen" 2>/dev/null || break; sleep 0.1; done
      sleep 1
      printf 'echo "in $BERTH $TIDE: $(cat note) $(basename "$PWD")"\n'
      sleep 1
      printf 'exit\n'
      sleep 5; } |
      script -qefc "$(printf '%q ' "$drydock" run broken.yml --isolation "$isolation" --pause-on-failure --progress "$progress")" \
        "$work/seen" >/dev/null 2>&1 || true
    cp "$work/seen" "$work/last"
    ALL=$work/last STATUS=shown
    expect_text 'in seven low: left here deep'
    expect_text 'the job went on'
    dock history --json
    expect_equal "the run" failure "$(jq -r '.[0].conclusion' "$OUT")"
    rm -f "$work/seen"
  done
done

# What had succeeded is not run again; the workspace stays for who wants to look.
dock run broken.yml --isolation host --progress plain --rerun-failed --keep-workspace
expect_status 1
expect_no_text "first ran"
expect_text 'taken from the run resumed|taken from'
expect_equal "the workspace" "left here" "$(cat "$DRYDOCK_HOME"/runs/*/work/second/*/*/deep/note)"
dock run broken.yml -j first --isolation host --progress quiet
expect_equal "it stays until it is pruned" "left here" "$(cat "$DRYDOCK_HOME"/runs/*/work/second/*/*/deep/note)"
