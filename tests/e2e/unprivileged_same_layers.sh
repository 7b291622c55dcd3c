#!/bin/bash
# An ordinary user gets the very bytes that root gets, QEMU included.
. "$(dirname "$0")/../support/assert.sh"
[[ $(id -u) == 0 ]] || skip "root compares itself with an ordinary user"
kernel=$(uname -r)
[[ $(printf '%s\n' 6.7 "$kernel" | sort -V | head -1) == 6.7 ]] || skip "Linux $kernel: emulators for one user need 6.7"
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

# A user of this script alone, in files that only its mount namespace sees.
mkdir "$work/etc" "$work/user"
{ cat /etc/passwd; echo "drydocke2e:x:61234:61234::$work/user:/bin/bash"; } >"$work/etc/passwd"
{ cat /etc/group; echo 'drydocke2e:x:61234:'; } >"$work/etc/group"
echo 'drydocke2e:1000000:65536' | tee "$work/etc/subuid" >"$work/etc/subgid"
chmod 755 "$work" "$work/etc"
chmod -R a+rX "$work/project" "$work/docker" "$DRYDOCK_CONFIG"
chown -R 61234:61234 "$work/user"
real=$drydock
as_user() {
  unshare --mount --propagation private bash -c '
    for file in passwd group subuid subgid; do mount --bind "$0/etc/$file" "/etc/$file"; done
    HOME=$0/user DRYDOCK_HOME=$0/user/store exec setpriv --reuid 61234 --regid 61234 --init-groups --inh-caps=-all "$@"' \
    "$work" "$real" "$@"
}
drydock=as_user
dock build --platform "$platforms" --push -t "$image:user" "$project"
expect_status 0
expect_equal "platforms" "linux/amd64 linux/arm64" "$(image_platforms "$image:user")"

for arch in amd64 arm64; do
  expect_equal "layers of $arch" "$(image_layers "$image:root" "$arch")" "$(image_layers "$image:user" "$arch")"
done
[[ ! -e /proc/sys/fs/binfmt_misc/register ]] || ! ls /proc/sys/fs/binfmt_misc | grep -q drydock || fail "something was registered on the host"
