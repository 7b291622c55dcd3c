#!/bin/bash
# `drydock build` with the flags of people's habits.
. "$(dirname "$0")/../support/assert.sh"
begin
log_in
write_project "$work/project"

dock build --platform "$platforms" --push -t "$image:1" -t "$image:one" --build-arg VERSION=42 \
  --metadata-file "$work/metadata.json" --iidfile "$work/iid" "$project"
expect_status 0
expect_equal "platforms" "linux/amd64 linux/arm64" "$(image_platforms "$image:one")"
expect_equal "metadata names the digest" "sha256:$(tag_digest "$image:1")" "$(jq -r '.["containerimage.digest"]' "$work/metadata.json")"
expect_equal "iidfile" "sha256:$(tag_digest "$image:1")" "$(<"$work/iid")"
expect_equal "build argument" true "$(image_config "$image:1" amd64 | jq '.config.Env | any(. == "APP_VERSION=42")')"

# A layout that other tools read.
dock build --platform "$platforms" -o "type=oci,dest=$work/image.tar" "$project"
expect_status 0
expect_equal "layout" arm64 "$(skopeo inspect --override-os linux --override-arch arm64 "oci-archive:$work/image.tar" | jq -r .Architecture)"

# A stage's files on disk.
dock build --target build -o "type=local,dest=$work/files" "$project"
expect_status 0
expect_equal "local files" ahoy "$(<"$work/files/src/greeting")"

# Flags that are not there are refused by name.
dock build --frobnicate "$project"
expect_status 2
expect_text frobnicate
