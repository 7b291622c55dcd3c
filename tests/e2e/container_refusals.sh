#!/bin/bash
# What containers of jobs are not given is refused by name, with its place, before anything is made.
. "$(dirname "$0")/../support/assert.sh"
. "$support/containers.sh"
begin
needs_job_network

# refused CONTAINER-KEYS TEXT
refused() {
  write_workflow_file <<END
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    container:
      image: busybox
$1
    steps: [run: "touch $work/ran"]
END
  run_jobs
  [[ $STATUS != 0 ]] || fail "'$1' was accepted"
  expect_text "$2"
  [[ ! -e $work/ran ]] || fail "a step ran"
}
refused "      options: --cpus 1 --network host" "ci.yml:7:16: container: options: --network is not supported"
refused "      options: --gpus all" "ci.yml:7:16: container: options: --gpus is not supported"
refused "      options: --privileged" "options: --privileged is not allowed here"
if [[ $(id -u) == 0 ]]; then
  refused "      options: --cap-add NET_ADMIN --cap-add SYS_ADMIN" "options: --cap-add CAP_SYS_ADMIN is not allowed here"
  refused "      options: --cap-add ALL" "options: --cap-add ALL is not allowed here"
  refused "      options: --device /dev/zero" "options: --device /dev/zero is not allowed here"
  refused "      options: --security-opt seccomp=unconfined" "seccomp=unconfined is not allowed here"
fi
refused "      options: --privileged=yes" "'yes' is no value for --privileged"
refused "      volumes: [/var/run/docker.sock:/var/run/docker.sock]" "there is no Docker here"
refused "      ports: [nine]" "'nine' is no port"
refused "      credentials: { username: captain, password: '\${{ secrets.NONE }}' }" "empty user name or password"
refused "      options: --user nobody-at-all" "nobody-at-all.*is not in the image"

write_workflow_file <<'END'
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    steps: [run: "test ! -e /etc/debian_version"]
END
run_jobs --isolation container
expect_status 1
expect_text "job 'job' names no container to run in"
configure 'run: { image: busybox }'
run_jobs --isolation container
expect_status 0
