#!/bin/bash
# A RUN that fails on one of the platforms: nothing is published, and the message says which one and where.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"
old_tag
sed -i 's/^RUN id -u.*/RUN echo "on $(uname -m)" \&\& test "$(uname -m)" = x86_64/' "$project/Dockerfile"
commit_project "Fail on arm64"
line=$(grep -n '^RUN echo' "$project/Dockerfile" | cut -d: -f1)

run_workflow
expect_status 1
expect_text 'linux/arm64'
expect_text "Dockerfile:$line"
expect_text 'exit code 1; the last it said:'
expect_text '^    on aarch64'
expect_old_tag

# Mended, both platforms are published.
sed -i 's/ = x86_64/ != pdp11/' "$project/Dockerfile"
commit_project "Mend it"
run_workflow
expect_status 0
expect_equal "platforms" "linux/amd64 linux/arm64" "$(image_platforms "$image:latest")"
