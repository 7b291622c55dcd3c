#!/bin/bash
# A runner that is killed takes its sandbox with it: programs and mounts at once, files with the next run.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"
nap=95$RANDOM$RANDOM
cat >"$project/.github/workflows/publish.yml" <<END
on: push
jobs:
  long:
    runs-on: ubuntu-latest
    steps:
      - run: (setsid sleep $nap >/dev/null 2>&1 &) && touch /var/tmp/drydock-$nap && sleep $nap
END
commit_project "Sleep long"
sleepers() { pgrep -fc "^sleep $nap" || true; }

cd "$project"
"$drydock" run --isolation sandbox >"$work/killed" 2>&1 </dev/null &
victim=$!
for ((i = 0; i < 100; i++)); do
  [[ $(sleepers) -lt 2 ]] || break
  sleep 0.1
done
expect_equal "programs that run" 2 "$(sleepers)"
kill -KILL "$victim"
wait "$victim" || true
for ((i = 0; i < 50; i++)); do
  [[ $(sleepers) != 0 ]] || break
  sleep 0.1
done
expect_equal "programs that outlived the runner" 0 "$(sleepers)"
expect_equal "mounts left behind" "" "$(grep -F "$work" /proc/self/mounts || true)"
[[ -n $(find "$DRYDOCK_HOME" -name '*.view') ]] || fail "the test saw no changes on disk"

sed -i "s/(setsid.*/true/" .github/workflows/publish.yml
commit_project "Sleep no more"
dock run --isolation sandbox
expect_status 0
expect_equal "changes left behind" "" "$(find "$DRYDOCK_HOME" -name '*.view')"
[[ ! -e /var/tmp/drydock-$nap ]] || fail "a change reached the machine"
