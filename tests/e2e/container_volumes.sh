#!/bin/bash
# A new volume, named or not, has what the image has at its place: files, links, owners and modes. It is filled once,
# shared by the containers of the job, and not filled with `nocopy`.
. "$(dirname "$0")/../support/assert.sh"
. "$support/containers.sh"
begin
needs_job_network
write_workflow_file <<'END'
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    container:
      image: busybox
      volumes: ["programs:/programs", "temporary:/tmp", "bare:/usr:nocopy", "/home", "users:/etc", "roots:/root:ro"]
    services:
      other:
        image: busybox
        volumes: ["programs:/bin", "bare:/usr", "temporary:/shared"]
        command: sh -c "echo from the service >/shared/word && exec sleep 1000"
        options: --health-cmd "test -e /shared/word" --health-interval 100ms
    outputs: { seen: "${{ steps.look.outputs.seen }}" }
    steps:
      - id: look
        run: |
          test "$(/programs/busybox echo yes)" = yes
          test "$(readlink /programs/ls)" = busybox
          test "$(cat /tmp/word)" = "from the service"
          test -z "$(ls /home)" && touch /home/new
          grep -q '^nobody:' /etc/passwd && grep -q localhost /etc/hosts && grep -q other /etc/hosts
          if touch /root/new 2>/dev/null; then exit 1; fi
          echo "seen=$(stat -c %a /tmp) $(stat -c %u:%g /programs/busybox) $(ls -d /usr/*)" >>"$GITHUB_OUTPUT"
END
for_user
run_jobs
expect_status 0
# The job's container wanted /usr as it was, empty; the service, which comes later, fills it.
expect_equal "what the volumes have" "1777 0:0 /usr/bin" "$(job_output job seen)"
expect_equal "what remains" "" "$(remains "$store")"
