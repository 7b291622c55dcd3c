#!/bin/bash
# A post step that never ends, and ignores every signal: its time limit ends it, or the time that a cancelled job has.
# The post steps of other actions run after the one, and do not begin after the other; nothing stays behind.
. "$(dirname "$0")/../support/assert.sh"
command -v node >/dev/null || skip "no node"
begin_jobs
nap=97$RANDOM$RANDOM

action() { # NAME SCRIPT: an action whose post stage is this script
  mkdir -p "$project/$1"
  printf 'name: %s\nruns: { using: node20, main: main.js, post: post.js }\n' "$1" >"$project/$1/action.yml"
  echo "console.log('main of $1')" >"$project/$1/main.js"
  echo "$2" >"$project/$1/post.js"
}
action tidy "console.log('tidied up')"
action hang "
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => console.log('got ' + signal));
require('child_process').spawn('sh', ['-c', \"trap '' INT TERM; while :; do sleep $nap; done\"], { stdio: 'ignore' });
console.log('the post step hangs');
setInterval(() => {}, 1000);"

for limit in step job; do
  workflow "$limit" <<END
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    cancel-timeout-minutes: 0.05
    steps:
      - uses: actions/checkout@v4
      - uses: ./tidy
      - uses: ./hang
        timeout-minutes: $([[ $limit == step ]] && echo 0.1 || echo 60)
END
done
commit_all
sleepers() { pgrep -fc "sleep $nap" || true; }
expect_none_left() {
  local i
  for ((i = 0; i < 100; i++)); do [[ $(sleepers) != 0 ]] || break; sleep 0.1; done
  expect_equal "$1: processes left" 0 "$(sleepers)"
}
posts() { jq -r '[.jobs[0].steps[] | select(.position | endswith(".post")) | "\(.name)=\(.conclusion)"] | join(", ")' "$SUMMARY"; }

isolations=(host)
cd "$project"
"$drydock" run step.yml --isolation sandbox --progress plain >"$work/tried" 2>&1 || true
if grep -q 'the post step hangs' "$work/tried"; then isolations+=(sandbox); fi
cd "$work"
for isolation in "${isolations[@]}"; do
  dock_run step --isolation "$isolation"
  expect_status 1
  expect_text 'the post step hangs'
  expect_text "The action 'Post Run ./hang' has timed out after 0.1 minutes"
  expect_text '^\[build\] tidied up$'
  expect_equal "post steps" "Post Run ./hang=failure, Post Run ./tidy=success, Post Run actions/checkout@v4=success" "$(posts)"
  expect_none_left "after the time limit under $isolation"

  SUMMARY=$work/summary.json
  rm -f "$SUMMARY" "$work/hung"
  (cd "$project" && exec "$drydock" run job.yml --isolation "$isolation" --progress plain --summary-json "$SUMMARY") \
    >"$work/hung" 2>&1 </dev/null &
  victim=$!
  for ((i = 0; i < 600; i++)); do ! grep -q 'the post step hangs' "$work/hung" || break; sleep 0.05; done
  kill -INT "$victim"
  STATUS=0
  wait "$victim" || STATUS=$?
  cp "$work/hung" "$work/last"
  ALL=$work/last
  expect_status 130
  expect_text '^\[build\] got SIGINT$'
  expect_no_text 'tidied up'
  expect_equal "post steps" "Post Run ./hang=cancelled, Post Run ./tidy=cancelled, Post Run actions/checkout@v4=cancelled" "$(posts)"
  expect_none_left "after Ctrl-C under $isolation"
done
