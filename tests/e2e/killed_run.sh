#!/bin/bash
# A kill at any instant: what ran is gone with its runner, the next run clears up and finishes, and nothing finished
# is done again.
. "$(dirname "$0")/../support/assert.sh"
begin
log_in
write_project "$work/project"
nap=97$RANDOM$RANDOM
cat >"$project/Dockerfile" <<END
FROM busybox
RUN echo "first on \$(uname -m)" >/first
RUN test -e /first && sleep $nap
END

"$drydock" build --platform "$platforms" --progress plain "$project" >"$work/killed" 2>&1 &
victim=$!
for ((i = 0; i < 150; i++)); do
  [[ $(pgrep -fc "sleep $nap") -lt 2 ]] || break
  sleep 0.1
done
sleep 0.3
pgrep -f "sleep $nap" >/dev/null || fail "the second step never ran"
kill -KILL "$victim"
wait "$victim" || true
for ((i = 0; i < 50; i++)); do
  pgrep -f "sleep $nap" >/dev/null || break
  sleep 0.1
done
! pgrep -f "sleep $nap" >/dev/null || fail "the step outlived its runner"

sed -i '$d' "$project/Dockerfile"
dock build --platform "$platforms" --progress json --push -t "$image:mended" "$project"
expect_status 0
expect_equal "platforms" "linux/amd64 linux/arm64" "$(image_platforms "$image:mended")"
expect_equal "the finished step comes from the store" '["hit","hit"]' \
  "$(jq -sc '[.[] | select(.kind == "vertex_finished" and (.name | test("^\\[.* RUN "))).cache]' "$OUT")"
expect_equal "mounts left behind" "" "$(grep -F "$work" /proc/self/mounts || true)"
