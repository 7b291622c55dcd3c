#!/bin/bash
# What running jobs costs, beside what the jobs do: medians of whole processes, in milliseconds.
#   empty       an empty job on the host, from command to exit
#   steps       a job of 200 run: steps; and what one costs beyond the shell's own time
#   matrix      100 jobs of a matrix; and what one costs beyond the shell's own time
#   memory      resident at most, in MB, of drydock itself in each of them
# run_jobs.sh [DRYDOCK [ROUNDS]]
set -euo pipefail
drydock=$(readlink -f "${1:-build/release/bin/drydock}")
rounds=${2:-9}
steps=200 jobs=100
work=$(mktemp -d "${TMPDIR:-/tmp}/drydock-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
export HOME=$work DRYDOCK_HOME=$work/store DRYDOCK_CONFIG=$work/drydock.yaml
touch "$DRYDOCK_CONFIG"
mkdir -p "$work/project/.github/workflows"
cd "$work/project"
head='on: push\njobs:\n  job:\n    runs-on: ubuntu-latest\n'
printf "$head"'    steps: [{ run: ":" }]\n' >.github/workflows/empty.yml
{
  printf "$head"'    steps:\n'
  for ((i = 0; i < steps; i++)); do printf '      - run: ":"\n'; done
} >.github/workflows/steps.yml
{
  printf "$head"'    strategy: { matrix: { n: ['
  for ((i = 1; i < jobs; i++)); do printf '%d, ' "$i"; done
  printf '%d] } }\n    steps: [{ run: ":" }]\n' "$jobs"
} >.github/workflows/matrix.yml
git init --quiet --initial-branch main
git add --all
git -c user.name=Captain -c user.email=captain@example.org commit --quiet --message bench

# milliseconds COMMAND...: how long it takes.
milliseconds() {
  local start=$EPOCHREALTIME
  "$@" >/dev/null
  awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f\n", (b - a) * 1000 }'
}
# median COMMAND...: of all rounds.
median() {
  local i
  "$@" >/dev/null
  for ((i = 0; i < rounds; i++)); do milliseconds "$@"; done | sort -n | sed -n "$(((rounds + 1) / 2))p"
}
run() { "$drydock" run "$1" --isolation host --progress quiet; }
echo : >"$work/script.sh"
shells() {
  local i
  for ((i = 0; i < $1; i++)); do bash -e "$work/script.sh"; done
}
resident() { /usr/bin/time -f %M -o "$work/resident" "$drydock" run "$1" --isolation host --progress quiet && awk '{ printf "%.1f", $1 / 1024 }' "$work/resident"; }

empty=$(median run empty)
many=$(median run steps)
matrix=$(median run matrix)
shell_steps=$(median shells "$steps")
shell_jobs=$(median shells "$jobs")
each() { awk -v all="$1" -v one="$empty" -v shells="$2" -v n="$3" 'BEGIN { printf "%.2f", (all - one - shells) / (n - 1) }'; }
printf '%-8s %8s ms  %6s MB\n' empty "$empty" "$(resident empty)"
printf '%-8s %8s ms  %6s MB  %s ms a step beyond the shell\n' steps "$many" "$(resident steps)" "$(each "$many" "$shell_steps" "$steps")"
printf '%-8s %8s ms  %6s MB  %s ms a job beyond the shell\n' matrix "$matrix" "$(resident matrix)" "$(each "$matrix" "$shell_jobs" "$jobs")"
