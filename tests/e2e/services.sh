#!/bin/bash
# Services beside a job on the machine and beside one in a container: two that use the same port, each reached by its
# name from a container and by its port from the host; healthy before the first step; their output at the end.
. "$(dirname "$0")/../support/assert.sh"
. "$support/containers.sh"
begin
needs_job_network
write_workflow_file <<'END'
on: push
jobs:
  contained:
    runs-on: ubuntu-latest
    container: busybox
    services: &services
      left:
        image: busybox
        command: sh -c "mkdir /srv && echo port > /srv/side && echo going up && sleep 1 && touch /up && exec httpd -f -v -p 80 -h /srv"
        ports: [80]
        options: --health-cmd "test -e /up" --health-interval 500ms --network-alias links
      right:
        image: busybox
        command: sh -c "mkdir /srv && echo starboard > /srv/side && exec httpd -f -p 80 -h /srv"
        ports: [80]
      nothing:
        image: ${{ matrix.none }}
    outputs:
      seen: ${{ steps.look.outputs.seen }}
    steps:
      - id: look
        run: |
          echo "seen=$(wget -qO- http://left/side) $(wget -qO- http://right:80/side) $(wget -qO- http://links/side)" >>"$GITHUB_OUTPUT"
  beside:
    runs-on: ubuntu-latest
    services: *services
    outputs:
      seen: ${{ steps.look.outputs.seen }}
      ports: ${{ steps.look.outputs.ports }}
    steps:
      - id: look
        env:
          LEFT: ${{ job.services.left.ports['80'] }}
          RIGHT: ${{ job.services.right.ports[80] }}
        run: |
          echo "seen=$(curl -s http://localhost:$LEFT/side) $(curl -s http://127.0.0.1:$RIGHT/side)" >>"$GITHUB_OUTPUT"
          echo "ports=$(test "$LEFT" != "$RIGHT" && echo differ)" >>"$GITHUB_OUTPUT"
          test -n "${{ job.services.left.id }}" && test -n "${{ job.services.left.network }}"
END
for_user
run_jobs
expect_status 0
expect_equal "from a container" "port starboard port" "$(job_output contained seen)"
expect_equal "from the host" "port starboard" "$(job_output beside seen)"
expect_equal "ports on the host" differ "$(job_output beside ports)"
expect_text "Service container left"
expect_text "going up"
expect_equal "what remains" "" "$(remains "$store")"

# One that never gets healthy, and one that ends: told by name, with what it printed, and no step runs.
for broken in 'sh -c "echo doomed; sleep 60"|is unhealthy: its health check failed 2 times' 'sh -c "echo doomed; exit 3"|ended with exit code 3'; do
  write_workflow_file <<END
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    services:
      broken:
        image: busybox
        command: ${broken%|*}
        options: --health-cmd false --health-interval 200ms --health-retries 2
    steps:
      - run: touch "$work/ran"
END
  run_jobs
  expect_status 1
  expect_text "broken ${broken#*|}"
  expect_text "doomed"
  [[ ! -e $work/ran ]] || fail "a step ran without its service"
  expect_equal "what remains" "" "$(remains "$store")"
done
