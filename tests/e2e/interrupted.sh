#!/bin/bash
# An interrupt: the build or run stops soon and says so by its exit status, leaves nothing mounted or running, and
# publishes nothing; the next one works.
. "$(dirname "$0")/../support/assert.sh"
begin
log_in
write_project "$work/project"
old_tag
nap=96$RANDOM$RANDOM
sed -i "s/^RUN id -u.*/RUN echo first >\/first\nRUN sleep $nap/" "$project/Dockerfile"
commit_project "Sleep long"

sleepers() { pgrep -fc "sleep $nap" || true; }

# interrupt SIGNAL ARG...: starts drydock, sends the signal when both platforms sleep; sets STATUS.
interrupt() {
  local signal=$1 victim i started
  shift
  "$drydock" "$@" --progress plain >"$work/interrupted" 2>&1 </dev/null &
  victim=$!
  for ((i = 0; i < 300; i++)); do
    [[ $(sleepers) -lt 2 ]] || break
    kill -0 "$victim" 2>/dev/null || break
    sleep 0.1
  done
  [[ $(sleepers) -ge 2 ]] || fail "the step never ran: $(tail -5 "$work/interrupted")"
  started=$SECONDS
  kill "-$signal" "$victim"
  STATUS=0
  wait "$victim" || STATUS=$?
  ((SECONDS - started < 15)) || fail "stopping took $((SECONDS - started)) s"
  expect_status 130
  expect_equal "steps left running" 0 "$(sleepers)"
  expect_equal "mounts left behind" "" "$(grep -F "$work" /proc/self/mounts || true)"
  expect_equal "containers left behind" "" "$(find "$DRYDOCK_HOME" -path '*/runtime/*' -name state.json)"
  expect_old_tag
}

interrupt INT build --platform "$platforms" --push -t "$image:latest" "$project"
interrupt TERM build --platform "$platforms" --push -t "$image:latest" "$project"
cd "$project"
export REGISTRY_USERNAME=$user REGISTRY_PASSWORD=$password
interrupt INT run -s REGISTRY_USERNAME -s REGISTRY_PASSWORD --var "REGISTRY=$registry"
cd "$work"

sed -i "/sleep $nap/d" "$project/Dockerfile"
dock build --platform "$platforms" --progress json --push -t "$image:mended" "$project"
expect_status 0
expect_equal "platforms" "linux/amd64 linux/arm64" "$(image_platforms "$image:mended")"
expect_equal "what had finished is not done again" '["hit","hit"]' \
  "$(jq -sc '[.[] | select(.kind == "vertex_finished" and (.name | test("^\\[.* RUN echo first"))).cache]' "$OUT")"
