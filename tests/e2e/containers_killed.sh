#!/bin/bash
# The runner is killed at random moments, with a job container and services: no process, mount, namespace, port or
# container outlives it, and after the next start no file and no control group either. $ROUNDS times; SEED repeats what was seen.
. "$(dirname "$0")/../support/assert.sh"
. "$support/containers.sh"
begin
needs_job_network
rounds=${ROUNDS:-10} RANDOM=${SEED:=$RANDOM}
echo "SEED=$SEED"
port=$((20000 + RANDOM % 10000))
write_workflow_file <<END
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    container: busybox
    services:
      web:
        image: busybox
        command: httpd -f -p 80
        ports: ["$port:80"]
        options: --health-cmd "echo | nc localhost 80" --health-interval 200ms
      other: { image: busybox, command: sleep 600 }
    steps:
      - run: "(setsid sleep 600 &) && sleep \${{ inputs.long || 600 }}"
END
for_user
cd "$project"
dock run --progress plain -j none-such || true  # nothing of this store is cold afterwards
for ((round = 1; round <= rounds; round++)); do
  "$drydock" run --progress plain >"$work/killed" 2>&1 </dev/null &
  victim=$!
  sleep "$((RANDOM % 2)).$((RANDOM % 10))$((RANDOM % 10))"
  runner=$victim
  # As an ordinary user it is the child of a shell.
  if [[ $drydock == drydock_as_user ]]; then runner=$(pgrep -P "$victim") || fail "round $round: the run ended by itself"; fi
  kill -KILL "$runner" 2>/dev/null || fail "round $round: the run ended by itself: $(tail -3 "$work/killed")"
  wait "$victim" 2>/dev/null || true
  grep -rhoE 'drydock-[0-9a-f]{32}' "$store/containers/journal" >>"$work/containers" 2>/dev/null || true
  for ((i = 0; i < 100; i++)); do
    left=$(remains_running "$store")
    [[ -n $left ]] || break
    sleep 0.1
  done
  [[ -z $left ]] || fail "round $round: this outlived the runner: $left"
  ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || fail "round $round: port $port is still served"
done
sed -i 's/(setsid.*/true/; s/- run: "true/- run: "true"/' .github/workflows/ci.yml
commit_project "Be short"
dock run --progress plain
expect_status 0
expect_equal "what remains" "" "$(remains "$store")"
while read -r container; do
  for group in /sys/fs/cgroup/drydock/$container /sys/fs/cgroup/*/drydock/$container; do
    [[ ! -e $group ]] || fail "$group remains"
  done
done < <(sort -u "$work/containers")
