#!/bin/bash
# A sandboxed job removes programs, edits system files, fills /tmp and installs a package; its later steps see all of
# that, the next job and the machine see nothing, compared file by file.
. "$(dirname "$0")/../support/assert.sh"
[[ $(id -u) == 0 ]] || skip "root's view; sandbox_ordinary_user has the other"
begin
write_project "$work/project"
mkdir -p "$project/package/DEBIAN" "$project/package/usr/bin"
cat >"$project/package/DEBIAN/control" <<'END'
Package: drydock-walrus
Version: 1
Architecture: all
Maintainer: Captain <captain@example.org>
Description: a program that only says ahoy
END
printf '#!/bin/sh\nset -e\nuseradd --system drydock-walrus\n' >"$project/package/DEBIAN/postinst"
printf '#!/bin/sh\necho ahoy from $(id -un drydock-walrus)\n' >"$project/package/usr/bin/walrus"
chmod 755 "$project/package/DEBIAN/postinst" "$project/package/usr/bin/walrus"
cat >"$project/.github/workflows/publish.yml" <<'END'
on: push
jobs:
  wild:
    runs-on: ubuntu-latest
    outputs:
      hosts: ${{ steps.look.outputs.hosts }}
    steps:
      - uses: actions/checkout@v4
      - run: |
          rm -rf /usr/bin/git /usr/share/doc
          echo '192.0.2.7 registry.example.org' >>/etc/hosts
          mkdir /tmp/drydock-filled && cd /tmp/drydock-filled && seq 2000 | xargs touch && head -c 64M /dev/zero >big
          chown -R daemon:daemon /opt && chmod 777 /etc
          find / -xdev -maxdepth 3 >/dev/null
      - run: dpkg-deb --root-owner-group --build package /tmp/walrus.deb && dpkg --install /tmp/walrus.deb
      - id: look
        run: |
          test ! -e /usr/bin/git && test ! -d /usr/share/doc
          test "$(ls /tmp/drydock-filled | wc -l)" = 2001
          echo "hosts=$(grep -c 192.0.2.7 /etc/hosts) $(walrus)" >>"$GITHUB_OUTPUT"
          echo kept >"$GITHUB_WORKSPACE/made" && ! type -p git
      - run: test "$(cat made)" = kept && stat -c %U:%a /opt /etc
  next:
    needs: wild
    runs-on: ubuntu-latest
    steps:
      - run: test -e /usr/bin/git && test ! -e /tmp/drydock-filled && ! grep 192.0.2.7 /etc/hosts && ! walrus
END
commit_project "Run wild"

machine() {
  find /etc /opt /usr/bin /usr/sbin /usr/share/doc /var/lib/dpkg /var/log/dpkg.log -xdev \
    -printf '%p %i %M %U %G %s %T@ %l\n' 2>/dev/null | LC_ALL=C sort
  find /etc /var/lib/dpkg -xdev -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
  ls -d /tmp/drydock-filled /tmp/walrus.deb 2>&1 || true
}
machine >"$work/before"
cd "$project"
dock run --isolation sandbox --progress plain --summary-json "$work/summary.json"
cd "$work"
machine >"$work/after"
expect_status 0
cmp "$work/before" "$work/after" || fail "the machine has changed: $(diff "$work/before" "$work/after" | head -5)"
expect_equal "what later steps saw" "1 ahoy from drydock-walrus" \
  "$(jq -r '.jobs[] | select(.key == "wild").outputs.hosts' "$work/summary.json")"
expect_equal "mounts left behind" "" "$(grep -F "$work" /proc/self/mounts || true)"
expect_equal "changes left behind" "" "$(find "$DRYDOCK_HOME" -name '*.view')"
