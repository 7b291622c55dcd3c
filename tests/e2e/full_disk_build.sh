#!/bin/bash
# A full disk under the store of a build: the step that fills it fails and says why, what the store writes itself is
# named where it fails, nothing half-written is used afterwards, and with room again everything works.
. "$(dirname "$0")/../support/assert.sh"
begin
[[ $(id -u) == 0 ]] || skip "not root: no small file system can be mounted"
disk=$work/disk
mkdir -p "$disk" "$work/project"
mount -t tmpfs -o size=24m tmpfs "$disk" 2>/dev/null || skip "no tmpfs can be mounted here"
trap 'umount -l "$disk" 2>/dev/null || true; take_down' EXIT
export DRYDOCK_HOME=$disk/store
log_in
build() { dock build --progress plain "$@" "$work/project"; }
head -c 3M /dev/urandom >"$work/project/data"

# A step that needs more than there is.
printf 'FROM busybox\nRUN dd if=/dev/zero of=/filling bs=1M count=40\n' >"$work/project/Dockerfile"
build
expect_status 1
expect_text 'No space left on device'

# No room for what the build itself writes: the layer's files, its blob, its records.
printf 'FROM busybox\nCOPY data /data\nRUN sha256sum /data >/sum\n' >"$work/project/Dockerfile"
failed=
for room in 0 1 2 4 6; do
  rm -f "$disk/ballast"
  head -c "$(($(df --output=avail -B1 "$disk" | tail -1) - room * 1024 * 1024))" /dev/zero >"$disk/ballast" 2>/dev/null || true
  build --push -t "$image:full"
  [[ $STATUS == 0 ]] && continue
  failed+=" $room:$STATUS"
  expect_text 'No space left on device|database or disk is full'
  ((STATUS < 128)) || fail "the build crashed"
done
[[ $failed == *0:* ]] || fail "no build has met the full disk"

rm "$disk/ballast"
build --push -t "$image:room"
expect_status 0
expect_equal "the data" "$(sha256sum <"$work/project/data")" "$(image_file "$image:room" "$(dpkg --print-architecture)" /data | sha256sum)"
expect_equal "what ran on it" "$(sha256sum <"$work/project/data" | cut -d' ' -f1)" "$(image_file "$image:room" "$(dpkg --print-architecture)" /sum | cut -d' ' -f1)"
expect_equal "mounts left behind" "$disk" "$(grep -F "$work" /proc/self/mounts | cut -d' ' -f2)"
