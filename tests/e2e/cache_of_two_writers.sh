#!/bin/bash
# A cache is held for each platform: whoever builds one of them leaves the other's alone.
. "$(dirname "$0")/../support/assert.sh"
begin
log_in
write_project "$work/project"
cache=type=registry,ref=$image:buildcache

for platform in linux/amd64 linux/arm64; do
  DRYDOCK_HOME=$work/store-${platform#*/} dock build --platform "$platform" --cache-to "$cache,mode=max" --push -t "$image:${platform#*/}" "$project"
  expect_status 0
done

dock build --platform "$platforms" --cache-from "$cache" --push -t "$image:both" --progress json "$project"
expect_status 0
expect_equal "RUN steps that missed" 0 "$(jq -s '[.[] | select(.kind == "vertex_finished" and (.name | test("RUN")) and .cache != "hit")] | length' "$OUT")"
