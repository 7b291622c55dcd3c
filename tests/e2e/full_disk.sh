#!/bin/bash
# A full disk: the step that fills it fails and says why, steps that clean up still run; with no room for a run at all
# there is an error that names it. When there is room again, everything works.
. "$(dirname "$0")/../support/assert.sh"
begin_jobs
[[ $(id -u) == 0 ]] || skip "not root: no small file system can be mounted"
disk=$work/disk
mkdir -p "$disk"
mount -t tmpfs -o size=6m tmpfs "$disk" 2>/dev/null || skip "no tmpfs can be mounted here"
trap 'umount -l "$disk" 2>/dev/null || true; take_down' EXIT
export DRYDOCK_HOME=$disk/store

workflow fill <<'END'
on: push
jobs:
  fill:
    runs-on: ubuntu-latest
    steps:
      - run: head -c 20M /dev/zero >filling
      - run: rm -f filling && echo "room again"
        if: always()
      - run: echo "the last one ran"
        if: failure()
END
workflow stuff <<'END'
on: push
jobs: { stuff: { runs-on: ubuntu-latest, steps: [{ run: head -c 20M /dev/zero >filling }] } }
END
workflow tiny <<'END'
on: push
jobs:
  tiny:
    runs-on: ubuntu-latest
    outputs: { word: "${{ steps.say.outputs.word }}" }
    steps:
      - id: say
        run: echo word=ahoy >>"$GITHUB_OUTPUT"
END
commit_all

dock_run fill
expect_status 1
expect_text 'No space left on device'
expect_text 'the last one ran'
expect_equal conclusions "fill=failure" "$(conclusions)"

# What a failed job has left is not kept where it takes the last room.
dock_run stuff
expect_status 1
expect_text "the workspace of job 'stuff' is not kept: the disk is nearly full"
expect_equal conclusions "stuff=failure" "$(conclusions)"

head -c 20M /dev/zero >"$disk/ballast" 2>/dev/null || true
dock_run tiny
[[ $STATUS != 0 ]] || fail "a run on a full disk has succeeded"
expect_text 'No space left on device'

rm "$disk/ballast"
dock_run tiny
expect_status 0
expect_equal outputs ahoy "$(jq -r '.jobs[0].outputs.word' "$SUMMARY")"
# That of the failed job is kept, to go on with.
expect_equal "work folders left" fill "$(find "$DRYDOCK_HOME/runs" -mindepth 3 -maxdepth 3 -path '*/work/*' -printf '%f')"
