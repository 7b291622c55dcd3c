#!/bin/bash
# What a sandbox costs: a job of 200 steps that do nothing, on the host and in a view of it.
# sandbox_steps.sh [DRYDOCK [STEPS]]
set -euo pipefail
drydock=$(readlink -f "${1:-build/release/bin/drydock}")
steps=${2:-200}
work=$(mktemp -d "${TMPDIR:-/tmp}/drydock-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
export HOME=$work DRYDOCK_HOME=$work/store DRYDOCK_CONFIG=$work/drydock.yaml
touch "$DRYDOCK_CONFIG"
mkdir -p "$work/project/.github/workflows"
cd "$work/project"
{
  printf 'on: push\njobs:\n  many:\n    runs-on: ubuntu-latest\n    steps:\n'
  for ((i = 0; i < steps; i++)); do printf '      - run: ":"\n'; done
} >.github/workflows/many.yml
git init --quiet --initial-branch main
git add --all
git -c user.name=Captain -c user.email=captain@example.org commit --quiet --message many
for round in 1 2 3; do
  for isolation in host sandbox; do
    "$drydock" run -e push --isolation "$isolation" --progress json |
      jq -r --arg isolation "$isolation" --arg steps "$steps" \
        'select(.kind == "job_finished") | "\($isolation): \(.elapsed_ms) ms, \(.elapsed_ms / ($steps | tonumber)) ms a step"'
  done
done
