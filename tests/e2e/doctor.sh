#!/bin/bash
# What this machine can build, found out by trying.
. "$(dirname "$0")/../support/assert.sh"
begin
log_in
dock doctor
expect_status 0
expect_text 'linux/amd64'
expect_text 'linux/arm64'
expect_text 'runc|crun'

# Nothing is found by name alone: without the tools, it says what to do.
mkdir "$work/bin"
PATH=$work/bin dock doctor
expect_status 4
expect_text 'apt|install'
