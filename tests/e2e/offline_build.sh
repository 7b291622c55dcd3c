#!/bin/bash
# --offline: what is at hand is used, the network is not asked, and what is missing is told.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"

DRYDOCK_HOME=$work/empty-store dock build --offline "$project"
expect_status 5
expect_text busybox
expect_text 'offline'

dock build --platform "$platforms" -o "type=oci,dest=$work/first.tar" "$project"
expect_status 0
registry_stop_all
dock build --platform "$platforms" --offline --progress json -o "type=oci,dest=$work/second.tar" "$project"
expect_status 0
expect_equal "nothing was run or fetched" '[]' \
  "$(jq -sc '[.[] | select(.kind == "vertex_finished" and .cache != "hit" and (.name | test("^\\[|pull"))).name]' "$OUT" "$ERR")"
layers() { skopeo inspect --override-os linux --override-arch "$2" "oci-archive:$1" | jq -c .Layers; }
for arch in amd64 arm64; do
  expect_equal "layers of $arch" "$(layers "$work/first.tar" "$arch")" "$(layers "$work/second.tar" "$arch")"
done

# A changed file is built offline too: nothing of it comes from elsewhere.
echo avast >"$project/greeting"
dock build --platform "$platforms" --offline -o "type=local,dest=$work/files" "$project"
expect_status 0
expect_equal "the changed file" $'avast\naarch64' "$(<"$work/files/linux_arm64/result")"
