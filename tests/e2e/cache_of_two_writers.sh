#!/bin/bash
# A cache is held for each platform: whoever builds one of them leaves the other's alone.
. "$(dirname "$0")/../support/assert.sh"
begin
log_in
write_project "$work/project"
cache=type=registry,ref=$image:buildcache

for platform in linux/amd64 linux/arm64; do
  DRYDOCK_HOME=$work/store-${platform#*/} dock build --platform "$platform" \
    --cache-to "$cache,mode=max" --push -t "$image:${platform#*/}" "$project"
  expect_status 0
done

dock build --platform "$platforms" --cache-from "$cache" --push -t "$image:both" --progress json "$project"
expect_status 0
expect_equal "platforms" "linux/amd64 linux/arm64" "$(image_platforms "$image:both")"
expect_runs_cached() {
  local run_steps
  run_steps=$(jq -sc '[.[] | select(.kind == "vertex_finished" and (.name | test("^\\[.* RUN ")))]' "$OUT")
  expect_equal "RUN steps looked up" "$1" "$(jq length <<<"$run_steps")"
  expect_equal "all from the cache" true "$(jq 'all(.cache == "hit")' <<<"$run_steps")"
}
# One for each platform: what a hit was copied from need not be looked at.
expect_runs_cached 2

# mode=max holds the stages in between too.
DRYDOCK_HOME=$work/third-store dock build --platform "$platforms" --cache-from "$cache" --target build --progress json "$project"
expect_status 0
expect_runs_cached 2
