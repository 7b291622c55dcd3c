#!/bin/bash
# What is not there is refused by name: commands, flags, keys of the settings, actions of the unknown kind.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"

for command in "workers ls" "worker --stdio" "frobnicate"; do
  dock $command
  [[ $STATUS == 2 ]] || fail "drydock $command: exit status $STATUS instead of 2"
  expect_text "${command%% *}"
done

configure 'build:' '  host-trustt: true'
cd "$project"
dock plan --var "REGISTRY=$registry"
[[ $STATUS == 2 || $STATUS == 3 ]] || fail "a wrong setting gave exit status $STATUS"
expect_text 'drydock\.yaml:[0-9]+'
expect_text 'host-trustt'

# A repository's own settings can name neither mirrors nor trust.
configure
printf 'build:\n  host-trust: true\n' >"$project/drydock.yaml"
dock plan --var "REGISTRY=$registry"
expect_text 'host-trust'
expect_text 'repository|not allowed|only .*user'
