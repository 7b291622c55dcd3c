#!/bin/bash
# A secret that is not given is empty, as on GitHub, with a warning; the log-in that then fails says why.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"
old_tag

cd "$project"
REGISTRY_USERNAME=$user dock run -s REGISTRY_USERNAME --var "REGISTRY=$registry" --progress plain
expect_status 5
expect_text '[Ww]arning.*REGISTRY_PASSWORD|REGISTRY_PASSWORD.*(not (set|given|defined)|undefined|empty)'
expect_text 'publish\.yml:[0-9]+'
expect_text '[Pp]assword'
expect_old_tag
