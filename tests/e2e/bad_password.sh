#!/bin/bash
# A registry that refuses the password: its own exit status, and no retry storm.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"
old_tag

cd "$project"
started=$SECONDS
REGISTRY_USERNAME=$user REGISTRY_PASSWORD=wrong-one dock run -s REGISTRY_USERNAME -s REGISTRY_PASSWORD --var "REGISTRY=$registry" --progress plain
expect_status 5
expect_text "$registry"
expect_text '401|[Uu]nauthorized|refuse|password'
expect_no_text wrong-one
((SECONDS - started < 15)) || fail "refusing took $((SECONDS - started)) s"
expect_old_tag

# The same without a workflow.
dock build --push -t "$image:latest" "$project"
expect_status 5
expect_text 'log ?in|credentials|password'
expect_old_tag
