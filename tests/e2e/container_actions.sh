#!/bin/bash
# Container actions beside steps on the machine and beside a job container: from an image, and from a Dockerfile that
# is built here; with GitHub's paths, the job's network, arguments, outputs and a post step.
. "$(dirname "$0")/../support/assert.sh"
. "$support/containers.sh"
begin
needs_job_network
mkdir -p "$work/project/action"
cat >"$work/project/action/action.yml" <<'END'
name: Say
description: says what it sees
inputs: { what: { description: what to say, required: true } }
outputs: { said: { description: what was said } }
runs: { using: docker, image: Dockerfile, args: ["${{ inputs.what }}"] }
END
printf 'FROM busybox\nCOPY say /say\nENTRYPOINT ["/say"]\n' >"$work/project/action/Dockerfile"
cat >"$work/project/action/say" <<'END'
#!/bin/sh
set -e
test "$GITHUB_WORKSPACE" = /github/workspace -a "$HOME" = /github/home && test -f "$GITHUB_EVENT_PATH"
test -f action/action.yml && test "$(pwd)" = /github/workspace
echo "said=$1 and $INPUT_WHAT, $(wget -qO- http://web/f)" >>"$GITHUB_OUTPUT"
echo "LATER=from the action" >>"$GITHUB_ENV"
echo made >made-by-action
END
chmod 755 "$work/project/action/say"
write_workflow_file <<'END'
on: push
jobs:
  beside: &job
    runs-on: ubuntu-latest
    services:
      web:
        image: busybox
        command: sh -c "mkdir /srv && echo ahoy >/srv/f && exec httpd -f -p 80 -h /srv"
        options: --health-cmd "wget -qO- http://localhost/f" --health-interval 1s
    outputs:
      said: ${{ steps.say.outputs.said }}
    steps:
      - uses: actions/checkout@v4
      - id: say
        uses: ./action
        with: { what: hello }
      - run: test "$LATER" = "from the action" && test "$(cat made-by-action)" = made
      - uses: docker://busybox
        with: { entrypoint: /bin/sh, args: -c "test -f made-by-action && wget -qO- http://web/f" }
      - id: fails
        continue-on-error: true
        uses: docker://busybox
        with: { entrypoint: /bin/sh, args: -c "exit 5" }
      - run: test ${{ steps.fails.outcome }} = failure
  contained:
    <<: *job
    container: busybox
END
sed -i 's/^    <<: \*job$//' "$project/.github/workflows/ci.yml"
awk '/^  beside: &job/ { take = 1; next } /^  contained:/ { take = 0 } take' "$project/.github/workflows/ci.yml" >>"$project/.github/workflows/ci.yml"
sed -i 's/beside: &job/beside:/' "$project/.github/workflows/ci.yml"
commit_project "Use actions"
for_user
run_jobs
expect_status 0
for job in beside contained; do
  expect_equal "said $job" "hello and hello, ahoy" "$(job_output $job said)"
done
expect_equal "what remains" "" "$(remains "$store")"
