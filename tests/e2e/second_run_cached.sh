#!/bin/bash
# A second run is served from the local store, a third on an empty store from the registry's cache.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"

run_workflow
expect_status 0
[[ $(steps_run) -gt 0 ]] || fail "the first run ran nothing"
for arch in amd64 arm64; do image_layers "$image:latest" "$arch" >"$work/first.$arch"; done

expect_same_layers() {
  local arch
  for arch in amd64 arm64; do
    expect_equal "$1: layers of $arch" "$(<"$work/first.$arch")" "$(image_layers "$image:latest" "$arch")"
  done
}

run_workflow
expect_status 0
expect_equal "steps of the second run" 0 "$(steps_run)"
expect_same_layers "second run"

DRYDOCK_HOME=$work/other-store run_workflow
expect_status 0
expect_equal "steps of the run on an empty store" 0 "$(steps_run)"
expect_same_layers "third run"
DRYDOCK_HOME=$work/store

# A changed input runs what depends on it, and nothing else.
echo 'avast' >"$project/greeting"
commit_project
run_workflow
expect_status 0
expect_equal "changed greeting" $'avast\naarch64' "$(image_file "$image:latest" arm64 /result)"
[[ $(steps_run) -gt 0 ]] || fail "a changed file ran nothing"
