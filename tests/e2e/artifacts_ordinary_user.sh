#!/bin/bash
# An ordinary user's artifacts and caches from inside a sandbox, whose home and temporary folder are its own.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"
cat >"$project/.github/workflows/publish.yml" <<'END'
on: push
jobs:
  pack:
    runs-on: ubuntu-latest
    steps:
      - run: mkdir -p ~/.store dist && echo cargo >~/.store/cargo && echo note >/tmp/drydock-user-note && echo app >dist/app
      - uses: actions/upload-artifact@v4
        with: {name: all, path: "dist\n/tmp/drydock-user-note\n~/.store"}
      - uses: actions/cache/save@v4
        with: {path: ~/.store, key: store}
  unpack:
    needs: pack
    runs-on: ubuntu-latest
    outputs:
      seen: ${{ steps.look.outputs.seen }}
    steps:
      - uses: actions/cache/restore@v4
        with: {path: ~/.store, key: store, fail-on-cache-miss: true}
      - uses: actions/download-artifact@v5
        with: {name: all, path: ~/box}
      - id: look
        run: echo "seen=$(cat ~/.store/cargo $(find ~/box -name drydock-user-note) $(find ~/box -name app) | xargs)" >>"$GITHUB_OUTPUT"
END
commit_project "Pack and unpack"
ordinary_user
if [[ $(id -u) == 0 ]]; then home=$work/user; else home=$HOME; fi
cd "$project"
dock run --isolation sandbox --progress plain --summary-json "$home/summary.json"
cd "$work"
if grep -q "gives no view of itself" "$ALL"; then skip "$(grep -m1 "gives no view of itself" "$ALL")"; fi
expect_status 0
expect_equal "what the second job saw" "cargo note app" "$(jq -r '.jobs[] | select(.key == "unpack") | .outputs.seen' "$home/summary.json")"
for path in "$home/.store" "$home/box" /tmp/drydock-user-note; do
  [[ ! -e $path ]] || fail "the sandbox left $path"
done
