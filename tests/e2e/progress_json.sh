#!/bin/bash
# --progress json: nothing but events on standard output, one a line, each whole; the terminal's colours are not there.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"

expect_events() {
  local number=0 line
  while IFS= read -r line; do
    number=$((number + 1))
    jq -e '.schema == 1 and (.kind | type == "string") and (.time | test("^[0-9-]+T[0-9:.]+Z$"))' <<<"$line" >/dev/null ||
      fail "line $number is no event: $line"
  done <"$OUT"
  ((number > 3)) || fail "only $number events"
  ! grep -q $'\e' "$OUT" "$ERR" || fail "escape sequences in events"
}
kinds() { jq -r .kind "$OUT" | sort -u; }

progress=json run_workflow
expect_status 0
expect_events
for kind in run_started job_started step_started vertex_started vertex_finished log leg_finished published job_finished run_finished; do
  kinds | grep -qx "$kind" || fail "no event $kind"
done
expect_equal "one end for each beginning" "$(jq -sc '[.[] | select(.kind == "vertex_started").vertex] | sort' "$OUT")" \
  "$(jq -sc '[.[] | select(.kind == "vertex_finished").vertex] | sort' "$OUT")"
expect_equal "emulated or native" '["linux/amd64 native","linux/arm64 emulated"]' \
  "$(jq -sc '[.[] | select(.kind == "leg_finished") | .leg + " " + .execution] | sort' "$OUT")"

# A failure is an event too.
log_in
sed -i 's/^RUN id -u.*/RUN exit 7/' "$project/Dockerfile"
dock build --progress json "$project"
expect_status 1
expect_events
