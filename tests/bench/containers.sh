#!/bin/bash
# containers.sh [ROUNDS]: how long the containers of a job take, with everything pulled, beside podman on the same image:
#   job      a job of one step in a container, whole process; podman: `podman run --rm`, in a network of its own
#   service  the same with a service that is awaited; podman: network, service, wait, query by name, removal
#   step     each further step in the container; podman: `podman exec`
# Medians in milliseconds, and those of the same job without containers, which is what a run costs anyway.
set -euo pipefail
rounds=${1:-5}
. "$(dirname "$0")/../support/assert.sh"
. "$support/containers.sh"
command -v podman >/dev/null || skip "podman is missing: run ./dev setup bench"
begin

now() { date +%s%N; }
# median COMMAND...: of its times in ms
median() {
  local times=() start i
  for ((i = 0; i < rounds; i++)); do
    start=$(now)
    "$@" >"$work/bench.log" 2>&1 || fail "$* failed: $(tail -5 "$work/bench.log")"
    times+=($((($(now) - start) / 1000000)))
  done
  printf '%s\n' "${times[@]}" | sort -n | sed -n "$(((rounds + 1) / 2))p"
}

echo '{}' >"$DOCKER_CONFIG/config.json"
export CONTAINERS_STORAGE_CONF=$work/storage.conf
printf '[storage]\ndriver = "overlay"\nrunroot = "%s"\ngraphroot = "%s"\n' "$work/podman-run" "$work/podman" >"$CONTAINERS_STORAGE_CONF"
pod() { podman --runtime runc --cgroup-manager=cgroupfs "$@"; }
# Limits as they are: raising them needs a right that root does not have everywhere.
pod_run() { pod run --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 "$@"; }
pod pull --quiet --tls-verify=false "$mirror/library/busybox:latest" >/dev/null
there=$mirror/library/busybox:latest

steps() { for ((i = 0; i < $1; i++)); do echo '      - run: "true"'; done; }
service='    services:
      web:
        image: busybox
        command: sh -c "mkdir /srv && echo ahoy >/srv/f && exec httpd -f -p 80 -h /srv"
        options: --health-cmd "wget -qO- http://localhost/f" --health-interval 1s'
job() { printf 'on: push\njobs:\n  job:\n    runs-on: ubuntu-latest\n%s\n    steps:\n%s\n' "$1" "$2" | write_workflow_file; }
project=$work/project
run_once() { (cd "$project" && "$drydock" run --isolation host --progress plain); }

podman_service() {
  pod network create bench &&
    pod_run -d --name web --network bench "$there" sh -c 'mkdir /srv && echo ahoy >/srv/f && exec httpd -f -p 80 -h /srv' &&
    pod_run --rm --network bench "$there" sh -c 'until wget -qO- http://web/f; do sleep 0.02; done' &&
    pod rm -f -t 0 web &&
    pod network rm bench
}
podman_service_end() { pod rm -f -t 0 web || true; pod network rm -f bench || true; }
trap 'podman_service_end >/dev/null 2>&1; podman --cgroup-manager=cgroupfs rm -af -t 0 >/dev/null 2>&1; umount -l "$work/podman/overlay" 2>/dev/null || true; take_down' EXIT

row() { printf '%-10s %10s %10s %16s\n' "$@"; }
row "" drydock podman "no containers"
job '' "$(steps 1)"
run_once >/dev/null 2>&1
without=$(median run_once)
job '    container: busybox' "$(steps 1)"
run_once >/dev/null 2>&1
one=$(median run_once)
row job "$one" "$(median pod_run --rm "$there" true)" "$without"
job "    container: busybox
$service" "      - run: wget -qO- http://web/f"
row service "$(median run_once)" "$(median podman_service)" "$without"
job '    container: busybox' "$(steps 21)"
many=$(median run_once)
job '' "$(steps 21)"
plain=$(median run_once)
pod_run -d --name web "$there" sleep 600 >/dev/null
row step "$(((many - one) / 20))" "$(median pod exec web true)" "$(((plain - without) / 20))"
