#!/bin/bash
# What this machine can build, found out by trying.
. "$(dirname "$0")/../support/assert.sh"
begin
log_in
dock doctor
expect_status 0
expect_text 'linux/amd64'
expect_text 'linux/arm64'
expect_text 'runc|crun'

# Nothing is found by name alone: without a runtime, it says what to do.
real=$drydock
without_runtimes() {
  unshare --user --map-root-user --mount bash -c '
    for name in runc crun; do
      for path in {/usr,}/{sbin,bin}/$name; do [[ ! -e $path ]] || mount --bind /dev/null "$path"; done
    done
    exec "$@"' - "$real" "$@"
}
drydock=without_runtimes
DRYDOCK_HOME=$work/other-store dock doctor
expect_status 4
expect_text 'apt|install'
