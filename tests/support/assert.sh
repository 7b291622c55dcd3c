# What every end-to-end script starts from: a folder, a home, a store and registries of its own, a small project,
# and assertions that say what they saw. Source it first; everything is taken down at exit.
#
# $drydock, $work, $registry (host:port, wants $user and $password), $image ($registry/team/app), $project.
# The drydock under test is $DRYDOCK, the built one without it.

set -euo pipefail
shopt -s inherit_errexit
support=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source_root=$(dirname "$(dirname "$support")")
drydock=${DRYDOCK:-$source_root/build/release/bin/drydock}
. "$support/registry.sh"
. "$support/mirror.sh"
. "$support/project.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/drydock-e2e.XXXXXX")
user=captain
password=Tide-and-Harbour-$RANDOM$RANDOM
platforms=linux/amd64,linux/arm64

take_down() {
  local status=$?
  if ((status != 0 && status != 77)) && [[ -e $work/last ]]; then
    echo "--- last: drydock $(cat "$work/last.command") -> $STATUS"
    tail -40 "$work/last"
  fi
  registry_stop_all
  # A script that fails in the middle leaves no runner behind: what it started ends with it.
  local left
  left=$(jobs -pr)
  if [[ -n $left ]]; then kill -KILL $left 2>/dev/null || true; fi
  if [[ $(id -u) == 0 ]]; then rm -rf "$work"; else unshare --user --map-root-user --map-auto rm -rf "$work"; fi
}
trap take_down EXIT
trap 'exit 130' INT TERM
trap 'echo "FAILED: ${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND" >&2' ERR

skip() {
  echo "SKIPPED: $*"
  exit 77
}
# fail TEXT...: at the line of the script, however deep in this file it was called.
fail() {
  local frame=1
  while [[ ${BASH_SOURCE[frame]##*/} == assert.sh ]]; do frame=$((frame + 1)); done
  echo "FAILED: ${BASH_SOURCE[frame]##*/}:${BASH_LINENO[frame - 1]}: $*" >&2
  exit 1
}

needs_private_emulators() {
  local kernel
  kernel=$(uname -r)
  [[ $(printf '%s\n' 6.7 "$kernel" | sort -V | head -1) == 6.7 ]] || skip "Linux $kernel: emulators for one user need 6.7"
}

# ordinary_user: from now on `dock` runs as an ordinary user, with a home and a store of its own. Root makes up a user
# in files that only the mount namespace of that drydock sees. Call it when the project is written.
ordinary_user() {
  [[ $(id -u) == 0 ]] || return 0
  mkdir "$work/etc" "$work/user"
  { cat /etc/passwd; echo "drydocke2e:x:61234:61234::$work/user:/bin/bash"; } >"$work/etc/passwd"
  { cat /etc/group; echo 'drydocke2e:x:61234:'; } >"$work/etc/group"
  echo 'drydocke2e:1000000:65536' | tee "$work/etc/subuid" >"$work/etc/subgid"
  chmod 755 "$work" "$work/etc"
  chmod -R a+rX "$work/docker" "$DRYDOCK_CONFIG"
  chown 61234:61234 "$work"
  chown -R 61234:61234 "$work/user" "$project"
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
  real_drydock=$drydock
  drydock=drydock_as_user
}
drydock_as_user() {
  unshare --mount --propagation private bash -c '
    for file in passwd group subuid subgid; do mount --bind "$0/etc/$file" "/etc/$file"; done
    if [[ -e $0/tun ]]; then mount --bind "$0/tun" /dev/net/tun; fi
    HOME=$0/user DRYDOCK_HOME=$0/user/store exec setpriv --reuid 61234 --regid 61234 --init-groups --inh-caps=-all "$@"' \
    "$work" "$real_drydock" "$@"
}

# begin: the usual surroundings; nothing of the caller's home is seen.
begin() {
  [[ -x $drydock ]] || fail "no drydock at $drydock"
  command -v docker-registry skopeo runc jq htpasswd >/dev/null || skip "tools missing: run ./dev setup"
  busybox_mirror || fail "cannot make the busybox images"
  registry_start "$MIRROR_STORAGE" readonly
  mirror=$REGISTRY_HOST
  registry_start "$work/registry" "$user" "$password"
  registry=$REGISTRY_HOST
  registry_pid=$REGISTRY_PID
  image=$registry/team/app
  export HOME=$work/home DOCKER_CONFIG=$work/docker DRYDOCK_HOME=$work/store DRYDOCK_CONFIG=$work/drydock.yaml
  unset XDG_DATA_HOME XDG_CONFIG_HOME XDG_CACHE_HOME GITHUB_ACTIONS CI
  mkdir -p "$HOME" "$DOCKER_CONFIG"
  configure
}

# begin_jobs: for scripts of jobs alone, which need no registry: a repository in $project, made by `repository`.
begin_jobs() {
  [[ -x $drydock ]] || fail "no drydock at $drydock"
  command -v git jq >/dev/null || skip "tools missing: run ./dev setup"
  export HOME=$work/home DOCKER_CONFIG=$work/docker DRYDOCK_HOME=$work/store DRYDOCK_CONFIG=$work/drydock.yaml
  unset XDG_DATA_HOME XDG_CONFIG_HOME XDG_CACHE_HOME GITHUB_ACTIONS CI
  mkdir -p "$HOME" "$DOCKER_CONFIG"
  : >"$DRYDOCK_CONFIG"
  project=$work/project
  mkdir -p "$project/.github/workflows"
  git -C "$project" init -q -b main
  git -C "$project" config user.name captain
  git -C "$project" config user.email captain@example.org
  git -C "$project" remote add origin https://github.com/team/app.git
}
# workflow NAME: a workflow file of $project, from standard input.
workflow() { cat >"$project/.github/workflows/$1.yml"; }
commit_all() { git -C "$project" add -A && git -C "$project" commit -q --allow-empty -m "${1:-Change}"; }
# dock_run ARG...: `drydock run` in $project on this machine itself; $SUMMARY has the jobs.
dock_run() {
  SUMMARY=$work/summary.json
  rm -f "$SUMMARY"
  cd "$project"
  dock run --isolation host --progress plain --summary-json "$SUMMARY" "$@"
  cd "$work"
}
# conclusions: "build=success call / a=failure", in the order of the summary.
conclusions() { jq -r '[.jobs[] | "\(.key)=\(.conclusion)"] | join(" ")' "$SUMMARY"; }

# configure [LINE...]: writes drydock.yaml: the mirror, and these lines.
configure() {
  printf 'registries:\n  docker.io: { mirrors: ["http://%s"] }\n' "$mirror" >"$DRYDOCK_CONFIG"
  if (($#)); then printf '%s\n' "$@" >>"$DRYDOCK_CONFIG"; fi
}

# log_in: gives the command line the password, as `docker login` does.
log_in() {
  jq -n --arg host "$registry" --arg auth "$(printf '%s' "$user:$password" | base64 -w0)" \
    '{auths: {($host): {auth: $auth}}}' >"$DOCKER_CONFIG/config.json"
}

# dock ARG...: runs drydock; STATUS is its exit status, OUT and ERR name files, ALL both together.
dock() {
  OUT=$work/out ERR=$work/err ALL=$work/last
  printf '%q ' "$@" >"$work/last.command"
  STATUS=0
  "$drydock" "$@" >"$OUT" 2>"$ERR" </dev/null || STATUS=$?
  cat "$OUT" "$ERR" >"$ALL"
}

# run_workflow ARG...: runs the project's workflow with its secrets; $SUMMARY has the counters. $progress: plain.
run_workflow() {
  SUMMARY=$work/summary.json
  rm -f "$SUMMARY"
  cd "$project"
  REGISTRY_USERNAME=$user REGISTRY_PASSWORD=$password dock run -s REGISTRY_USERNAME -s REGISTRY_PASSWORD \
    --var "REGISTRY=$registry" --summary-json "$SUMMARY" --progress "${progress:-plain}" "$@"
  cd "$work"
}

steps_run() { jq '[.builds[].legs[].steps_run] | add' "$SUMMARY"; }

expect_status() { [[ $STATUS == "$1" ]] || fail "exit status $STATUS instead of $1"; }
expect_equal() { [[ $2 == "$3" ]] || fail "$1: '$3' instead of '$2'"; }
expect_text() { grep -qE -- "$1" "$ALL" || fail "the output does not say /$1/"; }
expect_no_text() { ! grep -qF -- "$1" "$ALL" || fail "the output contains '$1'"; }

registry_inspect() { skopeo inspect --tls-verify=false --creds "$user:$password" "$@"; }

# tag_digest REF: the digest a tag answers with, "none" when there is no such tag.
tag_digest() {
  local text
  if text=$(registry_inspect --raw "docker://$1" 2>/dev/null; echo x); then
    [[ $text == x ]] && echo none || printf '%s' "${text%x}" | sha256sum | cut -d' ' -f1
  fi
}

# image_platforms REF: "linux/amd64 linux/arm64", attestations left out.
image_platforms() {
  registry_inspect --raw "docker://$1" | jq -r '[.manifests[].platform | select(.os != "unknown") | "\(.os)/\(.architecture)"] | sort | join(" ")'
}

# image_config REF ARCH: the image's config as JSON.
image_config() { registry_inspect --override-os linux --override-arch "$2" --config --raw "docker://$1"; }

# image_layers REF ARCH: layer digests, one a line.
image_layers() { registry_inspect --override-os linux --override-arch "$2" "docker://$1" | jq -r '.Layers[]'; }

# image_file REF ARCH PATH: the content of a file in an image, from the last layer that has it.
image_file() {
  local layout=$work/pulled.$2 blob found=
  rm -rf "$layout"
  skopeo --insecure-policy --override-os linux --override-arch "$2" copy --quiet --src-tls-verify=false \
    --src-creds "$user:$password" "docker://$1" "dir:$layout"
  for blob in $(jq -r '.layers[].digest' "$layout/manifest.json"); do
    if tar -tf "$layout/${blob#sha256:}" | grep -qxE "(\./)?${3#/}"; then found=$blob; fi
  done
  [[ -n $found ]] || fail "$1 for $2 has no $3"
  tar -xOf "$layout/${found#sha256:}" --wildcards --no-anchored "${3#/}"
}

# old_tag: gives the tags an older image, made by another tool; expect_old_tag: they still answer as before.
old_tag() {
  local tag
  for tag in latest main; do
    skopeo --insecure-policy copy --quiet --all --src-tls-verify=false --dest-tls-verify=false \
      --dest-creds "$user:$password" "docker://$mirror/library/busybox:latest" "docker://$image:$tag"
  done
  old_digest=$(tag_digest "$image:latest")
}
expect_old_tag() {
  expect_equal "the old tag" "$old_digest" "$(tag_digest "$image:latest")"
  expect_equal "the old tag" "$old_digest" "$(tag_digest "$image:main")"
}

# change SED_SCRIPT: changes the project's workflow and commits it.
change() {
  sed -i "$1" "$project/.github/workflows/publish.yml"
  commit_project "Change the workflow"
}
