#!/bin/bash
# The whole workflow as an ordinary user: log in, build both platforms, push; and again from the cache.
. "$(dirname "$0")/../support/assert.sh"
needs_private_emulators
begin
write_project "$work/project"
ordinary_user

run_workflow
expect_status 0
expect_equal "platforms" "linux/amd64 linux/arm64" "$(image_platforms "$image:latest")"
expect_equal "arm64 ran on" $'ahoy\naarch64' "$(image_file "$image:latest" arm64 /result)"
expect_text "pushed=sha256:$(tag_digest "$image:latest")"
[[ $(steps_run) -gt 0 ]] || fail "the first run ran nothing"

run_workflow
expect_status 0
expect_equal "steps of the second run" 0 "$(steps_run)"
