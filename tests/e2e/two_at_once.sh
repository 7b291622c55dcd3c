#!/bin/bash
# Two runs share one store at the same time; both end well, and what they share is the same.
. "$(dirname "$0")/../support/assert.sh"
begin
log_in
write_project "$work/project"
sed -i 's/^RUN uname/RUN sleep 1; uname/' "$project/Dockerfile"

"$drydock" build --platform "$platforms" --push -t "$image:one" --progress plain "$project" >"$work/one" 2>&1 &
first=$!
dock build --platform "$platforms" --push -t "$image:two" --progress plain "$project"
expect_status 0
wait "$first" || fail "the other run failed: $(tail -5 "$work/one")"

for arch in amd64 arm64; do
  expect_equal "what ran for $arch" "$(image_file "$image:one" "$arch" /result)" "$(image_file "$image:two" "$arch" /result)"
done
dock build --platform "$platforms" --push -t "$image:three" --metadata-file "$work/metadata.json" "$project"
expect_status 0
expect_equal "platforms" "linux/amd64 linux/arm64" "$(image_platforms "$image:three")"
