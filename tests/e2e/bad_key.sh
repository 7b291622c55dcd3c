#!/bin/bash
# A key that GitHub does not know: refused by name and place.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"
old_tag
change 's/^    runs-on:/    runs-onn:/'
line=$(grep -n runs-onn "$project/.github/workflows/publish.yml" | cut -d: -f1)

run_workflow
expect_status 3
expect_text "publish\.yml:$line:5: .*runs-onn"
expect_old_tag
