#!/bin/bash
# --from-step as an ordinary user, in a sandbox: what steps wrote into home and temporary folders is there again.
. "$(dirname "$0")/../support/assert.sh"
begin_jobs
workflow boxed <<'END'
on: push
jobs:
  box:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo "made by step 1" >"$HOME/made"
          mkdir /tmp/made-too
          rm "$HOME/old"
      - run: |
          cat "$HOME/made"
          [ -d /tmp/made-too ]
          [ ! -e "$HOME/old" ]
          exit 1
END
commit_all
ordinary_user
home=$([[ $(id -u) == 0 ]] && echo "$work/user" || echo "$HOME")
echo old >"$home/old"
if [[ $(id -u) == 0 ]]; then chown 61234:61234 "$home/old"; fi
dock_run boxed --isolation sandbox
if grep -q "gives no view of itself" "$ALL"; then skip "$(grep -m1 "gives no view of itself" "$ALL")"; fi
expect_status 1
expect_text '^\[box\] made by step 1$'
dock_run boxed --isolation sandbox --from-step 2
if grep -q 'changed outside of its workspace ended with its sandbox' "$ALL"; then skip "this file system keeps no changes of a sandbox"; fi
expect_status 1
expect_text '^\[box\] made by step 1$'
[[ -e $home/old && ! -e $home/made && ! -e /tmp/made-too ]] || fail "the sandbox changed the machine"
# The next run takes all of it away.
dock_run boxed --isolation sandbox
expect_equal "views that are left" 1 "$(find "$home" -name _temp.view -type d | wc -l)"
