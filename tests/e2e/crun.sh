#!/bin/bash
# Containers of jobs with crun, where runc does not work: chosen by itself, as root and as an ordinary user, with control
# groups and where those are read-only; and the reason told where crun does not work either.
[[ $(id -u) == 0 ]] || { echo "SKIPPED: only root can take runc away"; exit 77; }
command -v crun >/dev/null || { echo "SKIPPED: crun is not installed"; exit 77; }
if [[ ${1:-} != inside ]]; then exec unshare --mount --propagation private "$0" inside; fi
. "$(dirname "$0")/../support/assert.sh"
begin
here=$(dirname "$(readlink -f "$0")")
printf '#!/bin/sh\necho "taken away" >&2\nexit 1\n' >"$work/runc"
chmod 755 "$work/runc"
mount --bind "$work/runc" "$(readlink -f "$(command -v runc)")"

# crun wants either version 1 or version 2 of control groups.
version2=/sys/fs/cgroup/unified
if [[ -r $version2/cgroup.controllers && -n $(<$version2/cgroup.controllers) ]]; then
  dock doctor
  expect_text "no OCI runtime works here \(runc.*; crun [0-9.]+: .*hybrid"
  umount "$version2"
fi
dock doctor
expect_text "crun [0-9.]+ ran a container"

# try TEST...: whole tests, with what is left of the machine.
try() {
  local test
  for test in "$@"; do
    "$here/$test.sh" >"$work/log" 2>&1 || { cat "$work/log"; fail "$test with crun, $groups"; }
  done
}
groups="with control groups"
try container_job{,_ordinary_user} services{,_ordinary_user} container_options{,_ordinary_user} container_volumes container_actions
groups="with read-only control groups"
while read -r target; do mount -o remount,bind,ro "$target"; done < <(findmnt -rno TARGET | grep '^/sys/fs/cgroup')
try container_job container_options
