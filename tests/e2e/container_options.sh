#!/bin/bash
# What `options:` of a job's container and of a service say holds inside: limits where control groups can be made, and a
# warning where they cannot; --privileged; ports of UDP, and of IPv6.
. "$(dirname "$0")/../support/assert.sh"
. "$support/containers.sh"
begin
needs_job_network
limits=yes
if [[ ${as_user:-no} == yes || $(id -u) != 0 ]] || ! grep -qE ' /sys/fs/cgroup[^ ]* cgroup2? rw' /proc/mounts; then limits=no; fi
write_workflow_file <<'END'
on: push
jobs:
  contained:
    runs-on: ubuntu-latest
    container:
      image: busybox
      options: >-
        --memory 48m --cpus 0.5 --shm-size 3m --tmpfs /small:size=2m --tmpfs /programs:exec,mode=755 --read-only
        --ulimit nofile=123:456 --cap-drop ALL --cap-add CHOWN --add-host pier:192.0.2.7 --dns 192.0.2.53
        --dns-search harbour.example --name flagship --network-alias admiral -e MINE=1 --label a=b --init
        -it --group-add 33 --sysctl net.core.somaxconn=77 --security-opt no-new-privileges --pids-limit 50
        --mount type=volume,source=data,target=/data --mount type=tmpfs,target=/more,tmpfs-size=1m
    outputs: { limits: "${{ steps.limits.outputs.seen }}" }
    steps:
      - run: |
          test "$(df -k /dev/shm | awk 'END { print $2 }')" = 3072
          test "$(df -k /small | awk 'END { print $2 }')" = 2048
          refused() { if "$@" 2>/dev/null; then echo "not refused: $*"; exit 1; fi; }
          cp /bin/busybox /small/own && refused /small/own true
          cp /bin/busybox /programs/own && /programs/own true && test "$(stat -c %a /programs)" = 755
          refused touch /etc/new
          touch "$GITHUB_WORKSPACE/new" /small/new
          test "$(ulimit -Sn) $(ulimit -Hn)" = "123 456"
          test "$(awk '/^CapEff/ { print $2 }' /proc/self/status)" = 0000000000000001
          grep -q '192.0.2.7.pier' /etc/hosts && grep -q flagship /etc/hosts && grep -q admiral /etc/hosts
          grep -q 'nameserver 192.0.2.53' /etc/resolv.conf && grep -q 'search harbour.example' /etc/resolv.conf
          test "$MINE" = 1
          id -G | grep -qw 33 && test "$(cat /proc/sys/net/core/somaxconn)" = 77
          test "$(awk '/^NoNewPrivs/ { print $2 }' /proc/self/status)" = 1
          touch /data/new && test "$(df -k /more | awk 'END { print $2 }')" = 1024
      - id: limits
        run: |
          groups=/sys/fs/cgroup
          memory=$(cat $groups/memory/memory.limit_in_bytes 2>/dev/null || cat $groups/memory.max 2>/dev/null || echo none)
          time=$(cat $groups/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d' ' -f1 $groups/cpu.max 2>/dev/null || echo none)
          many=$(cat $groups/pids/pids.max 2>/dev/null || cat $groups/pids.max 2>/dev/null || echo none)
          if touch $groups/memory/memory.limit_in_bytes 2>/dev/null; then exit 1; fi
          dd if=/dev/zero of=/dev/null bs=120M count=1 2>/dev/null && big=fits || big=killed
          echo "seen=$memory $time $many $big" >>"$GITHUB_OUTPUT"
  beside:
    runs-on: ubuntu-latest
    services:
      # Healthy as soon as it had to wait for its next share.
      busy:
        image: busybox
        command: sh -c "while true; do true; done"
        options: >-
          --cpus 0.05 --health-interval 200ms --health-retries 200 --health-cmd "${{ vars.HEALTH }}"
      # The machine's own perl, for want of a server of datagrams in busybox.
      echo:
        image: busybox
        volumes: ["/usr:/usr:ro", "/lib:/lib:ro", "/lib64:/lib64:ro"]
        ports: ["7/udp", "127.0.0.1::9/udp", 80]
        command: >-
          sh -c "httpd -p 80 -h /etc && exec perl -MIO::Socket::INET -e '
            $s = IO::Socket::INET->new(Proto => q(udp), LocalPort => 7) or die; while (defined $s->recv($m, 9000)) { $s->send(q(echo ) . $m) }'"
    outputs: { seen: "${{ steps.ask.outputs.seen }}" }
    steps:
      - id: ask
        env: { PORT: "${{ job.services.echo.ports['7'] }}", WEB: "${{ job.services.echo.ports['80'] }}" }
        run: |
          cat >"$RUNNER_TEMP/ask.pl" <<'PERL'
          use Socket; use IO::Socket;
          my ($family, $host, $port, $text) = @ARGV;
          my $to = $family == 4 ? pack_sockaddr_in($port, inet_aton($host)) : pack_sockaddr_in6($port, Socket::inet_pton(AF_INET6, $host));
          socket(my $socket, $family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0) or die;
          for (1 .. 50) {
            send($socket, $text, 0, $to);
            my $ready = ''; vec($ready, fileno($socket), 1) = 1;
            next unless select($ready, undef, undef, 0.5);
            recv($socket, my $answer, 9000, 0); print $answer; exit 0;
          }
          exit 1;
          PERL
          seen="$(perl "$RUNNER_TEMP/ask.pl" 4 127.0.0.1 "$PORT" ahoy), $(perl "$RUNNER_TEMP/ask.pl" 4 127.0.0.1 "$PORT" "$(head -c 6000 /dev/zero | tr '\0' a)" | wc -c)"
          if ip -6 addr show dev lo | grep -q '::1/128'; then
            seen+=", $(perl "$RUNNER_TEMP/ask.pl" 6 ::1 "$PORT" six), $(curl -sg "http://[::1]:$WEB/passwd" | head -1 | cut -d: -f1)"
          else
            seen+=", echo six, root"
          fi
          echo "seen=$seen" >>"$GITHUB_OUTPUT"
END
for_user
health=true
if [[ $limits == yes ]]; then health='grep -qs nr_throttled.[1-9] /sys/fs/cgroup/cpu/cpu.stat /sys/fs/cgroup/cpu.stat'; fi
run_jobs --var "HEALTH=$health"
expect_status 0
if [[ $limits == yes ]]; then
  expect_equal "memory, time, processes, what is too big" "50331648 50000 50 killed" "$(job_output contained limits)"
  expect_no_text "have no effect"
else
  expect_equal "memory, time, processes, what is too big" "none none none fits" "$(job_output contained limits)"
  expect_text "container: --memory, --cpus and --pids-limit have no effect"
  expect_text "busy: --memory, --cpus and --pids-limit have no effect"
fi
expect_equal "datagrams and IPv6" "echo ahoy, 6005, echo six, root" "$(job_output beside seen)"
expect_equal "what remains" "" "$(remains "$store")"

write_workflow_file <<'END'
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    container: { image: busybox, options: --privileged --cap-drop NET_RAW }
    outputs: { seen: "${{ steps.look.outputs.seen }}" }
    steps:
      - id: look
        run: |
          mkdir -p /a /b /both && mount -t tmpfs none /a && mkdir /a/up /a/work /a/low && echo 1 >/a/low/one
          mount -t overlay -o lowerdir=/a/low,upperdir=/a/up,workdir=/a/work none /both && test "$(cat /both/one)" = 1
          mount --bind /both /b && umount /b
          test -c /dev/net/tun
          hostname elsewhere
          awk '/^(CapEff|Seccomp):/ { all = all " " $2 } END { print "seen=" all }' /proc/self/status >>"$GITHUB_OUTPUT"
END
run_jobs --isolation host
expect_status 0
expect_text "container is privileged"
read -r capabilities seccomp <<<"$(job_output job seen)"
((0x$capabilities >> 21 & 1)) || fail "CAP_SYS_ADMIN is not in $capabilities"
expect_equal "filter of system calls" 0 "$seccomp"

write_workflow_file <<'END'
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    container:
      image: busybox
      options: --device /dev/net/tun:/dev/other --cap-add SYS_ADMIN --security-opt seccomp=unconfined
    steps:
      - run: |
          mount -t tmpfs none /srv && : <>/dev/other
          if test -e /dev/net/tun; then exit 1; fi
END
run_jobs --isolation host
expect_status 0
expect_equal "what remains" "" "$(remains "$store")"
