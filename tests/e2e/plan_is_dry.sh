#!/bin/bash
# A plan resolves everything and does nothing.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"
cd "$project"
dock plan --json --var "REGISTRY=$registry" -s REGISTRY_USERNAME=x -s REGISTRY_PASSWORD=y
expect_status 0
jq -e . "$OUT" >/dev/null || fail "the plan is not JSON"
expect_text 'publish'
dock plan --var "REGISTRY=$registry" -s REGISTRY_USERNAME=x -s REGISTRY_PASSWORD=y
expect_status 0
expect_text 'linux/arm64'
expect_equal "nothing is pushed" none "$(tag_digest "$image:latest")"
