# What tests of containers need beside assert.sh. Source it after that.

# needs_job_network: a bridge and slirp4netns work here.
needs_job_network() {
  command -v slirp4netns ip nsenter >/dev/null || skip "slirp4netns and iproute2 are missing: run ./dev setup"
  unshare --net ip link add probe type bridge 2>/dev/null || [[ $(id -u) != 0 ]] || skip "no bridges in this kernel"
}

# for_user: with as_user=yes everything from here on runs as an ordinary user. $store is the store then used. Where udev
# is, ordinary users may open /dev/net/tun; where it is not, they are lent one.
for_user() {
  store=$DRYDOCK_HOME
  [[ ${as_user:-no} == yes && $(id -u) == 0 ]] || return 0
  ordinary_user
  store=$work/user/store
  mknod "$work/tun" c 10 200 && chmod 666 "$work/tun"
  if [[ -d $work/given ]]; then chown -R 61234:61234 "$work/given"; fi
}

# write_workflow_file: standard input becomes the project's only workflow.
write_workflow_file() {
  mkdir -p "$work/project/.github/workflows"
  project=$work/project
  cat >"$project/.github/workflows/ci.yml"
  commit_project
}

# run_jobs ARG...: runs the workflow; $SUMMARY has the outputs of its jobs.
run_jobs() {
  SUMMARY=$work/summary.json
  rm -f "$SUMMARY"
  cd "$project"
  dock run --progress plain --summary-json "$SUMMARY" "$@"
  cd "$work"
}

job_output() { jq -r --arg job "$1" --arg name "$2" '.jobs[] | select(.key == $job).outputs[$name]' "$SUMMARY"; }

# remains_running STORE: processes, in whatever namespaces, that come from a drydock with this store or see its mounts.
remains_running() {
  local process command
  for process in /proc/[0-9]*; do
    [[ $process != /proc/$$ && $process != /proc/$BASHPID ]] || continue
    grep -qzF "DRYDOCK_HOME=$1" "$process/environ" 2>/dev/null || grep -qF "$1/" "$process/mountinfo" 2>/dev/null || continue
    command=$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null) || continue
    [[ $command =~ (bash|docker-registry|grep|sleep 0|^$) ]] || echo "${process#/proc/}: $command"
  done
}

# remains STORE: that, and what the store keeps of running containers.
remains() {
  remains_running "$1"
  find "$1/containers/pods" "$1/containers/journal" "$1/runtime/bundles" "$1/runtime/runtime" -mindepth 1 -maxdepth 1 2>/dev/null || true
}
