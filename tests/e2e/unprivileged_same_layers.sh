#!/bin/bash
# An ordinary user gets the very bytes that root gets, QEMU included.
. "$(dirname "$0")/../support/assert.sh"
[[ $(id -u) == 0 ]] || skip "root compares itself with an ordinary user"
needs_private_emulators
begin
log_in
write_project "$work/project"
# Every time is set by hand, so that bytes can be compared.
cat >"$project/Dockerfile" <<'END'
FROM busybox
COPY --chown=12:34 greeting /greeting
RUN uname -m >/machine && mkdir -p /deep/er && ln -s er /deep/link && ln /machine /hard && chmod 4755 /machine \
 && chown 65534:65534 /greeting && rm -r /var \
 && touch -h -d @1000000000 /machine /hard /greeting /deep/link /deep/er /deep
RUN rm -r /deep && mkdir /deep && echo new >/deep/file && touch -d @1000000001 /deep /deep/file
END
dock build --platform "$platforms" --push -t "$image:root" "$project"
expect_status 0

ordinary_user
dock build --platform "$platforms" --push -t "$image:user" "$project"
expect_status 0
expect_equal "platforms" "linux/amd64 linux/arm64" "$(image_platforms "$image:user")"

for arch in amd64 arm64; do
  expect_equal "layers of $arch" "$(image_layers "$image:root" "$arch")" "$(image_layers "$image:user" "$arch")"
done
[[ ! -e /proc/sys/fs/binfmt_misc/register ]] || ! ls /proc/sys/fs/binfmt_misc | grep -q drydock || fail "something was registered on the host"
