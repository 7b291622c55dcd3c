#!/bin/bash
# Each kind of output, read by a tool that is not ours.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"

# OCI layouts: an archive, unpacked, a stream; with every platform.
dock build --platform "$platforms" -o type=oci,dest=- "$project"
expect_status 0
cp "$OUT" "$work/stream.tar"
dock build --platform "$platforms" -o "type=oci,dest=$work/oci.tar" "$project"
expect_status 0
mkdir "$work/oci"
tar -xf "$work/oci.tar" -C "$work/oci"
for layout in "oci-archive:$work/oci.tar" "oci:$work/oci" "oci-archive:$work/stream.tar"; do
  for arch in amd64 arm64; do
    expect_equal "$layout" "$arch" "$(skopeo inspect --override-os linux --override-arch "$arch" "$layout" | jq -r .Architecture)"
  done
done
for blob in "$work"/oci/blobs/sha256/*; do
  expect_equal "a blob is named by its digest" "${blob##*/}" "$(sha256sum "$blob" | cut -d' ' -f1)"
done

# Docker's archive: one platform, and its name.
dock build --platform linux/arm64 -t team/app:1 -o "type=docker,dest=$work/docker.tar" "$project"
expect_status 0
expect_equal "docker archive" arm64 "$(skopeo inspect "docker-archive:$work/docker.tar" | jq -r .Architecture)"
expect_equal "its name" team/app:1 "$(skopeo list-tags "docker-archive:$work/docker.tar" | jq -r '.Tags[0]')"
dock build --platform "$platforms" -t team/app:1 -o "type=docker,dest=$work/two.tar" "$project"
[[ $STATUS == 2 || $STATUS == 3 ]] || fail "exit status $STATUS: docker's archive holds one platform"
[[ ! -e $work/two.tar ]] || fail "an archive that cannot be was written"

# Files: a folder, one for each platform when there are several; a tar.
dock build --platform linux/amd64 -o "$work/files" "$project"
expect_status 0
expect_equal "a file" $'ahoy\nx86_64' "$(<"$work/files/result")"
dock build --platform "$platforms" -o "type=local,dest=$work/each" "$project"
expect_status 0
expect_equal "amd64's file" $'ahoy\nx86_64' "$(<"$work/each/linux_amd64/result")"
expect_equal "arm64's file" $'ahoy\naarch64' "$(<"$work/each/linux_arm64/result")"
dock build --platform linux/arm64 -o - "$project"
expect_status 0
expect_equal "a file in the tar" $'ahoy\naarch64' "$(tar -xOf "$OUT" result)"

# What is not there is refused by name.
for output in "type=parcel,dest=$work/parcel" "type=oci,dest=$work/parcel,tar=false" "type=oci,dest=$work/parcel,wrapping=red"; do
  dock build -o "$output" "$project"
  [[ $STATUS == 2 || $STATUS == 3 ]] || fail "exit status $STATUS for $output"
  expect_text 'parcel|tar=false|wrapping'
  [[ ! -e $work/parcel ]] || fail "$output was written"
done
