#!/bin/bash
# A plan resolves everything and does nothing.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"
cd "$project"
dock plan --json --var "REGISTRY=$registry" -s REGISTRY_USERNAME=x -s REGISTRY_PASSWORD=y
expect_status 0
jq -e . "$OUT" >/dev/null || fail "the plan is not JSON"
expect_text 'publish'
dock plan --var "REGISTRY=$registry" -s REGISTRY_USERNAME=x -s REGISTRY_PASSWORD=y
expect_status 0
expect_text 'linux/arm64'
expect_equal "nothing is pushed" none "$(tag_digest "$image:latest")"

# Containers are shown, and none is brought or started: there is no such registry.
cat >.github/workflows/contained.yml <<'END'
on: push
jobs:
  first:
    runs-on: ubuntu-latest
    outputs: { tag: "${{ steps.pick.outputs.tag }}" }
    steps: [{ id: pick, run: "echo tag=7 >>$GITHUB_OUTPUT" }]
  contained:
    needs: first
    runs-on: ubuntu-latest
    container: { image: "nowhere.invalid/node:22", credentials: { username: captain, password: "${{ secrets.REGISTRY_PASSWORD }}" } }
    services:
      cache: { image: "redis:${{ needs.first.outputs.tag }}", ports: [6379] }
    steps: [{ run: "touch ran" }]
END
git add -A
dock plan --json .github/workflows/contained.yml -s REGISTRY_PASSWORD=y
expect_status 0
expect_equal "containers" "nowhere.invalid/node:22 given null needs.first.outputs.tag none 6379" "$(jq -r '
  [.workflows[].jobs[] | select(.id == "contained").legs[].containers[] | .image.value, .image.unknown[0]?, .credentials.value, .ports[].value]
  | "\(.[0]) \(.[2]) \(.[3]) \(.[4]) \(.[5]) \(.[6])"' "$OUT")"
dock plan .github/workflows/contained.yml -s REGISTRY_PASSWORD=y
expect_text 'service cache: unknown until the run: needs.first.outputs.tag'
[[ ! -e ran ]] || fail "a step ran"
