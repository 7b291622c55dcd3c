# Keeps filled registry storages between runs, to be served read-only as mirrors of docker.io. Source it after
# registry.sh.

DEMO_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/drydock-demo
SUPPORT=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# mirror_storage NAME COMMAND REPOSITORY:TAG: sets MIRROR_STORAGE to a storage that holds what COMMAND LAYOUT
# writes under REPOSITORY:TAG's last part. Made once; safe against a kill and against others doing the same.
mirror_storage() {
  local name=$1 command=$2 reference=$3 work
  MIRROR_STORAGE=$DEMO_CACHE/$name
  [[ -d $MIRROR_STORAGE ]] && return 0
  mkdir -p "$DEMO_CACHE"
  exec {mirror_lock}>"$DEMO_CACHE/$name.lock"
  flock "$mirror_lock"
  if [[ ! -d $MIRROR_STORAGE ]]; then
    work=$(mktemp -d "$DEMO_CACHE/$name.XXXXXX")
    if "$command" "$work/layout" && registry_fill "$work/storage" "$work/layout" "${reference##*/}" "$reference"; then
      mv "$work/storage" "$MIRROR_STORAGE"
    fi
    rm -rf "$work"
  fi
  exec {mirror_lock}>&-
  [[ -d $MIRROR_STORAGE ]]
}

node_mirror() { mirror_storage node-22 "$SUPPORT/node-image" library/node:22-slim; }
busybox_mirror() { mirror_storage busybox "$SUPPORT/busybox-image" library/busybox:latest; }
