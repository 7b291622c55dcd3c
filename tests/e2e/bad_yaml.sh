#!/bin/bash
# A workflow that is not YAML: refused with its place, before anything happens.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"
old_tag
change '5s/.*/  branches: [main/'

run_workflow
expect_status 3
expect_text 'publish\.yml:[0-9]+:[0-9]+: '
expect_old_tag
cd "$project"
dock plan
expect_status 3
