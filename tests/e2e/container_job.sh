#!/bin/bash
# A job in a container of busybox: its steps see the image's files, the job's workspace at the same path as outside,
# what `env:`, `options:` and `volumes:` say; exit codes and files of commands come back; nothing of it remains.
. "$(dirname "$0")/../support/assert.sh"
. "$support/containers.sh"
begin
needs_job_network
mkdir "$work/given" && echo from the machine >"$work/given/file"
write_workflow_file <<END
on: push
jobs:
  contained:
    runs-on: ubuntu-latest
    container:
      image: busybox
      env: { GREETING: ahoy }
      volumes: ["$work/given:/given", "kept:/kept"]
      options: --hostname harbour --env MORE=yes --tmpfs /scratch --cap-drop NET_RAW --workdir /srv
    outputs:
      seen: \${{ steps.look.outputs.seen }}
      host: \${{ steps.look.outputs.host }}
      job: \${{ steps.look.outputs.job }}
    steps:
      - uses: actions/checkout@v4
      - id: look
        run: |
          test "\$GREETING \$MORE" = "ahoy yes"
          test "\$(pwd)" = "\$GITHUB_WORKSPACE"
          test -f .github/workflows/ci.yml
          test ! -e /etc/debian_version
          test "\$(cat /given/file)" = "from the machine" && echo changed >/given/file
          echo 1 >/kept/one && echo 2 >/scratch/two && echo 3 >"\$HOME/three" && echo 4 >"\$RUNNER_TEMP/four"
          echo "seen=\$(busybox | head -1 | cut -d' ' -f1)" >>"\$GITHUB_OUTPUT"
          echo "host=\$(hostname) \$(ip addr | grep -c eth0)" >>"\$GITHUB_OUTPUT"
          echo "job=\${{ job.container.id != '' && job.container.network != '' }}" >>"\$GITHUB_OUTPUT"
          echo "ADDED=later" >>"\$GITHUB_ENV"
          mkdir -p "\$RUNNER_TEMP/bin" && printf '#!/bin/sh\necho found\n' >"\$RUNNER_TEMP/bin/own" && chmod +x "\$RUNNER_TEMP/bin/own"
          echo "\$RUNNER_TEMP/bin" >>"\$GITHUB_PATH"
      - run: test "\$ADDED \$(own) \$(cat /kept/one)" = "later found 1" && test "\$(cat ~/three)" = 3
      - id: fails
        continue-on-error: true
        run: exit 7
      - run: kill -9 \$\$
        id: killed
        continue-on-error: true
      - run: test \${{ steps.fails.outcome }}\${{ steps.killed.outcome }} = failurefailure
        working-directory: /tmp
END
for_user
run_jobs
expect_status 0
expect_equal "the image's program" BusyBox "$(job_output contained seen)"
expect_equal "host name and network" "harbour 2" "$(job_output contained host)"
expect_equal "the job context" true "$(job_output contained job)"
expect_text "exit code 7"
expect_text "exit code 137"
expect_equal "the machine's file" "from the machine" "$(cat "$work/given/file")"
expect_equal "what remains" "" "$(remains "$store")"

run_jobs --isolation host
expect_status 0
expect_equal "the machine's file, trusted" changed "$(cat "$work/given/file")"
