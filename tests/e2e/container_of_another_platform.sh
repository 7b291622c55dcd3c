#!/bin/bash
# A job container for arm64 on a machine that is not, with a service of the machine's own platform; asked for by
# `options:`, and by an image that has no other.
. "$(dirname "$0")/../support/assert.sh"
. "$support/containers.sh"
needs_private_emulators
[[ $(uname -m) == x86_64 ]] || skip "this machine runs arm64 itself"
begin
needs_job_network
skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false --dest-creds "$user:$password" --override-arch arm64 \
  "docker://$mirror/library/busybox" "docker://$registry/team/arm"
write_workflow_file <<END
on: push
jobs:
  asked:
    runs-on: ubuntu-latest
    container: { image: busybox, options: --platform linux/arm64 }
    services:
      web:
        image: busybox
        command: sh -c "mkdir /srv && uname -m >/srv/machine && exec httpd -f -p 80 -h /srv"
        options: --health-cmd "wget -qO- http://localhost/machine" --health-interval 1s
    outputs:
      seen: \${{ steps.look.outputs.seen }}
    steps:
      - id: look
        run: echo "seen=\$(uname -m) \$(wget -qO- http://web/machine)" >>"\$GITHUB_OUTPUT"
      - run: exit 9
        continue-on-error: true
  only:
    runs-on: ubuntu-latest
    container:
      image: $registry/team/arm
      credentials: { username: $user, password: "\${{ secrets.PASSWORD }}" }
    outputs:
      seen: \${{ steps.look.outputs.seen }}
    steps:
      - id: look
        run: echo "seen=\$(uname -m)" >>"\$GITHUB_OUTPUT"
END
PASSWORD=$password run_jobs -s PASSWORD
expect_status 0
expect_equal "asked for" "aarch64 x86_64" "$(job_output asked seen)"
expect_equal "the only one" aarch64 "$(job_output only seen)"
expect_text "has no image for linux/amd64"
expect_text "exit code 9"

write_workflow_file <<END
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    container:
      image: $registry/team/arm
      credentials: { username: $user, password: "\${{ secrets.PASSWORD }}" }
    steps: [run: "true"]
END
PASSWORD=wrong-$RANDOM run_jobs -s PASSWORD
[[ $STATUS != 0 ]] || fail "a wrong password was accepted"
expect_text "bringing image $registry/team/arm"
expect_no_text "$password"
