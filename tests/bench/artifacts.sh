#!/bin/bash
# What handing over artifacts costs: one file of 1 GiB and 10,000 small files, uploaded by one job and downloaded by the
# next, at the usual compression and without any; beside it, for scale, cp of the same files and zip and unzip where they
# are installed. Seconds, medians of the rounds; all durable.
# artifacts.sh [DRYDOCK [ROUNDS]]; SIZE_MIB and FILES choose other sizes.
set -euo pipefail
drydock=$(readlink -f "${1:-build/release/bin/drydock}")
rounds=${2:-3}
size=${SIZE_MIB:-1024} files=${FILES:-10000}
work=$(mktemp -d "${TMPDIR:-/tmp}/drydock-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
export HOME=$work DRYDOCK_HOME=$work/store DRYDOCK_CONFIG=$work/drydock.yaml
touch "$DRYDOCK_CONFIG"

# Half of it compresses well, as builds do.
mkdir -p "$work/data/large" "$work/data/small"
for ((i = 0; i < size / 2; i++)); do head -c 1M /dev/urandom; head -c 1M /dev/zero; done >"$work/data/large/file"
for ((i = 0; i < files; i++)); do
  mkdir -p "$work/data/small/$((i / 100))"
  { head -c 2K /dev/urandom; head -c 2K /dev/zero; } >"$work/data/small/$((i / 100))/$i"
done

mkdir -p "$work/project/.github/workflows"
cd "$work/project"
cat >.github/workflows/bench.yml <<'END'
on: push
jobs:
  up:
    runs-on: ubuntu-latest
    steps:
      - run: ln -s ${{ vars.DATA }} data
      - {name: large-6, uses: actions/upload-artifact@v4, with: {name: large-6, path: data/large}}
      - {name: large-0, uses: actions/upload-artifact@v4, with: {name: large-0, path: data/large, compression-level: 0}}
      - {name: small-6, uses: actions/upload-artifact@v4, with: {name: small-6, path: data/small}}
      - {name: small-0, uses: actions/upload-artifact@v4, with: {name: small-0, path: data/small, compression-level: 0}}
  down:
    needs: up
    runs-on: ubuntu-latest
    steps:
      - {name: large-6, uses: actions/download-artifact@v5, with: {name: large-6, path: large-6}}
      - {name: large-0, uses: actions/download-artifact@v5, with: {name: large-0, path: large-0}}
      - {name: small-6, uses: actions/download-artifact@v5, with: {name: small-6, path: small-6}}
      - {name: small-0, uses: actions/download-artifact@v5, with: {name: small-0, path: small-0}}
      - run: cmp large-6/file ${{ vars.DATA }}/large/file && diff -r small-6 ${{ vars.DATA }}/small
END
git init --quiet --initial-branch main
git add --all
git -c user.name=Captain -c user.email=captain@example.org commit --quiet --message bench

seconds() {  # NAME COMMAND...: appends how long the command takes
  local name=$1 start
  shift
  start=$(date +%s%N)
  "$@" >/dev/null
  echo "$name $(($(date +%s%N) - start))" >>"$work/times"
}
copy() { rm -rf "$work/copy"; cp -r "$work/data/$1" "$work/copy"; sync -f "$work/copy"; }
pack() { rm -f "$work/packed.zip"; (cd "$work/data" && zip -q -r "-$2" "$work/packed.zip" "$1"); sync "$work/packed.zip"; }
unpack() { rm -rf "$work/unpacked"; unzip -q "$work/packed.zip" -d "$work/unpacked"; }

for ((round = 0; round < rounds; round++)); do
  "$drydock" run -e push --isolation host --var "DATA=$work/data" --progress quiet --summary-json "$work/summary.json"
  jq -r '.jobs[] | .key as $job | .steps[] | select(.name | test("-[06]$")) |
    "\(if $job == "up" then "upload" else "download" end)-\(.name) \(.elapsed_ms * 1000000)"' "$work/summary.json" >>"$work/times"
  rm -rf "$DRYDOCK_HOME/runs" "$DRYDOCK_HOME/services"
  for kind in large small; do
    seconds "cp-$kind" copy "$kind"
    if command -v zip unzip >/dev/null; then
      for level in 6 0; do
        seconds "zip-$kind-$level" pack "$kind" "$level"
        seconds "unzip-$kind-$level" unpack
      done
    fi
  done
done
sort "$work/times" | awk '
  $1 != name { flush(); name = $1; n = 0 }
  { value[n++] = $2 }
  END { flush() }
  function flush(i, j, t) {
    if (!n) return
    for (i = 1; i < n; i++) for (j = i; j > 0 && value[j] < value[j-1]; j--) { t = value[j]; value[j] = value[j-1]; value[j-1] = t }
    printf "%-20s %8.2f s\n", name, value[int(n / 2)] / 1e9
  }'
