#!/bin/bash
# A Dockerfile that is not there, and one that is wrong.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"
old_tag

git -C "$project" rm --quiet Dockerfile
commit_project "Lose the Dockerfile"
run_workflow
expect_status 3
expect_text 'Dockerfile'
expect_text 'not (found|there)|no (such|Dockerfile)|does not exist|missing'
expect_old_tag

write_dockerfile
sed -i 's/^EXPOSE/EXPSE/' "$project/Dockerfile"
commit_project "Misspell an instruction"
line=$(grep -n EXPSE "$project/Dockerfile" | cut -d: -f1)
run_workflow
expect_status 3
expect_text "Dockerfile:$line(:[0-9]+)?: .*EXPSE"
expect_old_tag
