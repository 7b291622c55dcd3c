#!/bin/bash
# A platform that nothing here can run is refused before the first step, whatever the other platforms could do.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"
old_tag
change 's#linux/amd64,linux/arm64#linux/amd64,windows/amd64#'

run_workflow
expect_status 4
expect_text 'windows/amd64'
expect_old_tag

# One that is no platform at all is the workflow's mistake.
change 's#linux/amd64,windows/amd64#linux/amd64,pancake#'
run_workflow
[[ $STATUS == 1 || $STATUS == 3 ]] || fail "exit status $STATUS instead of 1 or 3"
expect_text 'pancake'
expect_old_tag

# One that the base image lacks: those present are listed.
change 's#linux/amd64,pancake#linux/amd64,linux/riscv64#'
run_workflow
[[ $STATUS != 0 ]] || fail "a platform that the base image lacks was built"
expect_text 'linux/riscv64'
expect_text 'linux/arm64'
expect_old_tag
