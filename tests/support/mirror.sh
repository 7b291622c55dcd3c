# Keeps filled registry storages between runs, to be served read-only as mirrors of docker.io. Source it after
# registry.sh.

DEMO_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/drydock-demo
SUPPORT=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# mirror_storage NAME REPOSITORY:TAG COMMAND SOURCE...: sets MIRROR_STORAGE to a storage that holds what COMMAND
# LAYOUT writes. Made once for each state of COMMAND and SOURCEs; safe against a kill and against others doing the same.
mirror_storage() {
  local name=$1 reference=$2 command=$3 recipe work
  shift 2
  recipe=$(cat "$@" | sha256sum | head -c 12)
  MIRROR_STORAGE=$DEMO_CACHE/$name-$recipe
  [[ -d $MIRROR_STORAGE ]] && return 0
  mkdir -p "$DEMO_CACHE"
  exec {mirror_lock}>"$DEMO_CACHE/$name.lock"
  flock "$mirror_lock"
  if [[ ! -d $MIRROR_STORAGE ]]; then
    rm -rf "$DEMO_CACHE/$name"-*
    work=$(mktemp -d "$DEMO_CACHE/$name-new.XXXXXX")
    if "$command" "$work/layout" && registry_fill "$work/storage" "$work/layout" "${reference##*/}" "$reference"; then
      mv "$work/storage" "$MIRROR_STORAGE"
    fi
    rm -rf "$work"
  fi
  exec {mirror_lock}>&-
  [[ -d $MIRROR_STORAGE ]]
}

node_mirror() { mirror_storage node library/node:22-slim "$SUPPORT"/{node-image,debian-rootfs,oci-layout.sh}; }
busybox_mirror() { mirror_storage busybox library/busybox:latest "$SUPPORT"/{busybox-image,oci-layout.sh}; }
databases_mirror() { mirror_storage databases library/databases:latest "$SUPPORT"/{databases-image,oci-layout.sh}; }
debian_mirror() { mirror_storage debian library/debian:latest "$SUPPORT"/{debian-image,oci-layout.sh}; }
