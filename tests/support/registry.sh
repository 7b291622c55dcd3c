# Starts and stops Debian's docker-registry. Source it; call registry_stop_all at exit.
# Each registry listens on a free loopback port that the kernel chooses.

REGISTRY_PIDS=()

# registry_start STORAGE [USER PASSWORD | readonly]: serves STORAGE; sets REGISTRY_HOST (127.0.0.1:port),
# REGISTRY_PID and REGISTRY_LOG. Without user and password, everyone may read and write.
registry_start() {
  local storage=$1 user=${2:-} password=${3:-} run config i
  mkdir -p "$storage"
  run=$(mktemp -d "${TMPDIR:-/tmp}/drydock-registry.XXXXXX")
  config=$run/config.yml
  REGISTRY_LOG=$run/log
  : >"$REGISTRY_LOG"
  cat >"$config" <<END
version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: "$storage"}
  delete: {enabled: true}
  maintenance:
    uploadpurging: {enabled: false}
    readonly: {enabled: $([[ $user == readonly ]] && echo true || echo false)}
http: {addr: "127.0.0.1:0"}
END
  if [[ -n $user && $user != readonly ]]; then
    htpasswd -Bbn "$user" "$password" >"$run/htpasswd" 2>/dev/null
    printf 'auth:\n  htpasswd: {realm: drydock, path: "%s"}\n' "$run/htpasswd" >>"$config"
  fi
  # Its own session: an interrupt from the terminal reaches the caller, which then stops it in order.
  setsid docker-registry serve "$config" >"$REGISTRY_LOG" 2>&1 </dev/null &
  REGISTRY_PID=$!
  REGISTRY_PIDS+=("$REGISTRY_PID:$run")
  for ((i = 0; i < 200; i++)); do
    REGISTRY_HOST=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$REGISTRY_LOG" | head -1)
    [[ -n $REGISTRY_HOST ]] && return 0
    kill -0 "$REGISTRY_PID" 2>/dev/null || break
    sleep 0.05
  done
  echo "registry: docker-registry did not start:" >&2
  tail -5 "$REGISTRY_LOG" >&2
  return 1
}

# registry_stop PID: stops one registry; its storage stays.
registry_stop() {
  local entry kept=()
  for entry in "${REGISTRY_PIDS[@]}"; do
    if [[ ${entry%%:*} == "$1" ]]; then
      kill "$1" 2>/dev/null || true
      wait "$1" 2>/dev/null || true
      rm -rf "${entry#*:}"
    else
      kept+=("$entry")
    fi
  done
  REGISTRY_PIDS=(${kept[@]+"${kept[@]}"})
}

registry_stop_all() {
  local entry
  for entry in ${REGISTRY_PIDS[@]+"${REGISTRY_PIDS[@]}"}; do registry_stop "${entry%%:*}"; done
}

# registry_fill STORAGE LAYOUT NAME:TAG REPOSITORY:TAG: puts an image with all its platforms into a storage.
registry_fill() {
  registry_start "$1" || return
  local pid=$REGISTRY_PID status=0
  skopeo --insecure-policy copy --quiet --all --dest-tls-verify=false \
    "oci:$2:$3" "docker://$REGISTRY_HOST/$4" || status=$?
  registry_stop "$pid"
  return "$status"
}
