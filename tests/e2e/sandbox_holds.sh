#!/bin/bash
# Steps of a sandboxed job that try to get out: by mounts, links, /proc, signals, tracing, raw devices, the kernel's
# settings. Each attempt fails, or reaches the view alone; the machine is as before.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"
target=$work/outside
mkdir "$target" && echo mine >"$target/file" && chmod -R a+rwX "$target"
sleep 600 &
victim=$!
trap 'kill "$victim" 2>/dev/null; take_down' EXIT
hostname_before=$(hostname) date_before=$(date +%s)
cat >"$project/.github/workflows/publish.yml" <<END
on: push
jobs:
  escape:
    runs-on: ubuntu-latest
    outputs: { held: "\${{ steps.try.outputs.held }}" }
    steps:
      - id: try
        shell: bash {0}
        run: |
          held=0 broken=
          # must_fail NAME COMMAND...: counts what holds
          must_fail() { local name=\$1; shift; if "\$@" >/dev/null 2>&1; then broken+=" \$name"; else held=\$((held + 1)); fi; }
          # Mounts
          must_fail bind mount --bind / /mnt
          must_fail tmpfs mount -t tmpfs none /mnt
          must_fail umount umount -l /tmp
          must_fail remount mount -o remount,rw /
          must_fail overlay mount -t overlay overlay -o lowerdir=/etc:/usr /mnt
          must_fail sysfs mount -t sysfs sysfs /mnt
          must_fail cgroup mount -t cgroup2 none /mnt
          must_fail new_mounts unshare --mount true
          # Other processes: none can be seen, let alone told anything
          must_fail signal kill -TERM $victim
          must_fail see test -e /proc/$victim/cwd -a "\$(tr '\\\\0' ' ' </proc/$victim/cmdline 2>/dev/null)" = "sleep 600 "
          must_fail namespaces nsenter --target 1 --mount --pid ls /proc/$victim/fd
          must_fail memory dd if=/proc/1/mem bs=1 count=1
          must_fail environ grep -q . /proc/1/environ
          must_fail trace sh -c "cat /proc/1/syscall /proc/1/stack"
          # Devices and the kernel
          must_fail make_device mknod /tmp/own-disk b 7 0
          must_fail disk sh -c 'find /dev -type b | grep -q .'
          must_fail memory_device test -e /dev/mem
          must_fail kernel_log test -c /dev/kmsg
          must_fail sysctl sh -c 'echo 1 >/proc/sys/kernel/sysrq'
          must_fail core_pattern sh -c 'echo "|/tmp/x" >/proc/sys/kernel/core_pattern'
          must_fail sysrq sh -c 'echo h >/proc/sysrq-trigger'
          must_fail module sh -c 'insmod /dev/null || modprobe dummy'
          must_fail clock date -s '2001-01-01'
          must_fail firewall sh -c 'ip link add escape type dummy || ip link set lo down'
          must_fail cgroup_agent sh -c 'echo /tmp/x >/sys/fs/cgroup/memory/release_agent || echo /tmp/x >/sys/fs/cgroup/systemd/release_agent'
          must_fail uevent sh -c 'echo /tmp/x >/sys/kernel/uevent_helper'
          # Links lead around in the view and not out of it
          ln -s $target/file link && echo changed >link
          ln $target/file hard 2>/dev/null && echo changed >hard
          ln -s /proc/1/root/$target/file through && echo changed >through 2>/dev/null
          echo changed >$target/file 2>/dev/null; rm -f $target/file
          chroot /proc/1/root sh -c 'echo changed >$target/file' 2>/dev/null
          hostname escaped 2>/dev/null
          echo "broken:\$broken"
          echo "held=\$held\$broken" >>"\$GITHUB_OUTPUT"
END
commit_project "Try to leave"
if [[ ${as_user:-no} == yes ]]; then ordinary_user; fi
cd "$project"
dock run --isolation sandbox --progress plain --summary-json "$work/summary.json"
cd "$work"
expect_status 0
expect_equal "what held" 26 "$(jq -r '.jobs[0].outputs.held' "$work/summary.json")"
expect_equal "the file outside" mine "$(cat "$target/file")"
expect_equal "files outside" file "$(ls "$target")"
kill -0 "$victim" || fail "the process outside was ended"
expect_equal "host name" "$hostname_before" "$(hostname)"
(($(date +%s) - date_before < 600 && $(date +%s) >= date_before)) || fail "the clock was set"
