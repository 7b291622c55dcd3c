#!/bin/bash
# `drydock build --check`: the Dockerfile is checked, nothing is built.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"

dock build --check "$project"
expect_status 0
expect_text 'no warnings'
[[ ! -d $DRYDOCK_HOME/blobs ]] || expect_equal "blobs" "" "$(find "$DRYDOCK_HOME/blobs" -type f)"

sed -i 's/^FROM busybox AS build/from busybox AS build/' "$project/Dockerfile"
dock build --check "$project"
expect_status 1
expect_text 'Dockerfile:1'
expect_text 'ConsistentInstructionCasing'

sed -i 's/^EXPOSE/EXPSE/' "$project/Dockerfile"
line=$(grep -n EXPSE "$project/Dockerfile" | cut -d: -f1)
dock build --check "$project"
expect_status 3
expect_text "Dockerfile:$line(:[0-9]+)?: .*EXPSE"
