#!/bin/bash
# An ordinary user's sandbox: home, temporary folders and the workspace can be written and only the workspace stays;
# what needs root is refused, with the reason.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"
cat >"$project/.github/workflows/publish.yml" <<'END'
on: push
jobs:
  modest:
    runs-on: ubuntu-latest
    outputs:
      seen: ${{ steps.look.outputs.seen }}
    steps:
      - uses: actions/checkout@v4
      - run: echo changed >~/kept && echo new >~/new && echo new >/tmp/drydock-new && mkdir -p ~/.cache/tool
      - id: look
        run: echo "seen=$(cat ~/kept ~/new /tmp/drydock-new greeting | xargs) $(id -u)" >>"$GITHUB_OUTPUT"
      - run: "! echo x >/etc/drydock-new"
      - run: su -c 'touch /etc/drydock-new'
END
commit_project "Be modest"
ordinary_user
if [[ $(id -u) == 0 ]]; then home=$work/user store=$work/user/store; else home=$HOME store=$DRYDOCK_HOME; fi
echo kept >"$home/kept"
chown "$(stat -c %u:%g "$home")" "$home/kept"
cd "$project"
dock run --isolation sandbox --progress plain --summary-json "$home/summary.json"
cd "$work"
if grep -q "gives no view of itself" "$ALL"; then skip "$(grep -m1 "gives no view of itself" "$ALL")"; fi
expect_status 1
expect_text "su: refused: this step runs as an ordinary user"
expect_equal "what later steps saw" "changed new new ahoy $(stat -c %u "$home")" \
  "$(jq -r '.jobs[0].outputs.seen' "$home/summary.json")"
expect_equal "notices that say so" 1 "$(grep -c 'steps run in a read-only view' "$ALL")"
expect_equal "the home" kept "$(cat "$home/kept")"
for left in "$home/new" /tmp/drydock-new /etc/drydock-new; do
  [[ ! -e $left ]] || fail "$left is there"
done
# Those of a job that failed stay beside its workspace, for whoever goes on with it.
expect_equal "changes left behind" "" "$(find "$store" -name '*.view' -not -path '*/work/modest/_temp.view')"
