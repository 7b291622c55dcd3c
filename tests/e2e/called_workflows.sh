#!/bin/bash
# Reusable workflows: of this repository and of another one, nested, over a matrix, with inputs, outputs and secrets;
# what cannot be called is refused with its place; a run that failed goes on where it was.
. "$(dirname "$0")/../support/assert.sh"
begin_jobs

workflow main <<'END'
name: Main
on: push
jobs:
  plan:
    runs-on: ubuntu-latest
    outputs: { list: '["dev","prod"]' }
    steps: [{ run: "true" }]
  deploy:
    needs: plan
    name: Deploy ${{ matrix.site }}
    strategy: { matrix: { site: "${{ fromJSON(needs.plan.outputs.list) }}" } }
    uses: ./.github/workflows/deploy.yml
    with: { site: "${{ matrix.site }}" }
    secrets: inherit
  shared:
    uses: org/shared/.github/workflows/check.yml@v2
    with: { level: 3 }
    secrets: { KEY: "${{ secrets.PASSWORD }}" }
  last:
    needs: [deploy, shared]
    runs-on: ubuntu-latest
    steps: [{ run: 'echo "last: ${{ needs.deploy.outputs.url }} ${{ needs.shared.result }} ${{ needs.shared.outputs.level }}"' }]
END
workflow deploy <<'END'
on:
  workflow_call:
    inputs: { site: { type: string, required: true } }
    outputs: { url: { value: "${{ jobs.inner.outputs.url }}" } }
jobs:
  inner:
    uses: ./.github/workflows/inner.yml
    with: { site: "${{ inputs.site }}" }
    secrets: { KEY: "${{ secrets.PASSWORD }}" }
END
workflow inner <<'END'
on:
  workflow_call:
    inputs: { site: { type: string } }
    secrets: { KEY: { required: true } }
    outputs: { url: { value: "${{ jobs.go.outputs.url }}" } }
jobs:
  go:
    runs-on: ubuntu-latest
    outputs: { url: "https://${{ inputs.site }}.example" }
    steps: [{ run: 'test "${{ secrets.KEY }}" = open-sesame && echo "go ${{ inputs.site }} $GITHUB_WORKFLOW"' }]
END
mkdir -p "$work/shared/.github/workflows"
cat >"$work/shared/.github/workflows/check.yml" <<'END'
on:
  workflow_call:
    inputs: { level: { type: number } }
    secrets: { KEY: {} }
    outputs: { level: { value: "${{ inputs.level }}" } }
jobs:
  here:
    uses: ./.github/workflows/more.yml
    secrets: inherit
END
cat >"$work/shared/.github/workflows/more.yml" <<'END'
on: workflow_call
jobs:
  one:
    runs-on: ubuntu-latest
    steps: [{ run: 'test "${{ secrets.KEY }}" = open-sesame && echo "one of ${{ job.workflow_ref }}; ${{ vars.FAIL }}" && test "${{ vars.FAIL }}" != yes' }]
END
commit_all

source=org/shared@v2=$work/shared
export PASSWORD=open-sesame
dock_run main -s PASSWORD --var FAIL=yes --action-source "$source"
expect_status 1
expect_equal conclusions "plan=success deploy (dev)=success deploy (dev) / inner=success deploy (dev) / inner / go=success deploy (prod)=success \
deploy (prod) / inner=success deploy (prod) / inner / go=success shared=failure shared / here=failure shared / here / one=failure last=skipped" "$(conclusions)"
expect_text '^\[deploy \(dev\) / inner / go\] go dev Main$'
expect_text '^\[deploy \(prod\) / inner / go\] go prod Main$'
expect_text '^\[shared / here / one\] one of org/shared/.github/workflows/more.yml@v2; yes$'
expect_no_text open-sesame

run=$(jq -r .run "$SUMMARY")
dock_run main -s PASSWORD --action-source "$source" --resume "$run"
expect_status 0
expect_no_text '] go dev'
expect_text '^\[last\] last: https://(dev|prod).example success 3$'
expect_equal "the caller's outputs" 3 "$(jq -r '.jobs[] | select(.key == "shared").outputs.level' "$SUMMARY")"

# One caller alone, with what it needs.
dock_run main -s PASSWORD -j deploy --action-source "$source"
expect_status 0
expect_equal "jobs of -j" 7 "$(jq '.jobs | length' "$SUMMARY")"

# Without the other repository, with another ref of it, with a file that is not there: nothing runs.
dock_run main -s PASSWORD --offline
expect_status 3
expect_text 'main.yml:16:11: the reusable workflow .org/shared/.github/workflows/check.yml@v2. is not here'
expect_text 'mend: .*--action-source org/shared@v2=PATH|--action-source org/shared@v2=PATH'
dock_run main -s PASSWORD --offline --action-source "org/shared@v1=$work/shared"
expect_status 3
dock_run main -s PASSWORD --action-source "org/shared=$work/nowhere"
expect_status 2

# Fetched from a forge of plain files: what a ref is, and the archive of a commit. Then without it.
command -v busybox >/dev/null || skip "no busybox: the rest is not tried"
forge=$work/forge commit=$(printf 'd%.0s' {1..40})
mkdir -p "$forge/api/repos/org/shared/commits" "$forge/org/shared/archive"
echo "$commit" >"$forge/api/repos/org/shared/commits/v2"
tar -czf "$forge/org/shared/archive/$commit.tar.gz" -C "$work" --transform "s,^shared,shared-$commit," shared
port=$((20000 + RANDOM % 20000))
busybox httpd -f -p "127.0.0.1:$port" -h "$forge" &
forge_pid=$!
trap 'kill "$forge_pid" 2>/dev/null || true; take_down' EXIT
for _ in {1..100}; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  sleep 0.05
done
echo "actions: { server: 'http://127.0.0.1:$port', api: 'http://127.0.0.1:$port/api' }" >"$DRYDOCK_CONFIG"
cd "$project"
dock plan main -s PASSWORD
cd "$work"
expect_text "the reusable workflow 'org/shared/.github/workflows/check.yml@v2' is not here"
dock_run main -s PASSWORD
expect_status 0
expect_text '^\[shared / here / one\] one of org/shared/.github/workflows/more.yml@v2; $'
kill "$forge_pid"
dock_run main -s PASSWORD --offline
expect_status 0
expect_text '^\[last\] last: '

sed -i 's/inner.yml/gone.yml/' "$project/.github/workflows/deploy.yml"
dock_run main -s PASSWORD --action-source "$source"
expect_status 3
expect_text 'deploy.yml:[0-9]+:[0-9]+: the reusable workflow .\./\.github/workflows/gone.yml. is not here'
