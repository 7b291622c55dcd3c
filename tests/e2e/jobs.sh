#!/bin/bash
# Jobs as a person sees them: matrices from outputs, fail-fast, continue-on-error and time limits of jobs, environments
# with their URLs, labels of this machine, the name of a run.
. "$(dirname "$0")/../support/assert.sh"
begin_jobs

workflow matrix <<'END'
name: Matrix
run-name: matrix of ${{ github.ref_name }}
on: push
jobs:
  plan:
    runs-on: [self-hosted, big-disk]
    outputs: { legs: "${{ steps.l.outputs.legs }}" }
    steps: [{ id: l, run: 'echo legs=[1,2,3] >>$GITHUB_OUTPUT' }]
  each:
    needs: plan
    runs-on: ubuntu-latest
    continue-on-error: ${{ matrix.n == 1 }}
    strategy: { max-parallel: 1, matrix: { n: "${{ fromJSON(needs.plan.outputs.legs) }}" } }
    outputs: { last: "${{ steps.o.outputs.last }}", one: "${{ matrix.n == 2 && 'two' || '' }}" }
    steps:
      - { id: o, run: 'echo last=${{ matrix.n }} >>$GITHUB_OUTPUT; test ${{ matrix.n }} != 1' }
  end:
    needs: each
    runs-on: ubuntu-latest
    environment: { name: "site-${{ needs.each.outputs.last }}", url: "https://${{ steps.u.outputs.host }}/" }
    steps: [{ id: u, run: 'echo "end ${{ needs.each.result }} ${{ needs.each.outputs.one }}"; echo host=a.example >>$GITHUB_OUTPUT' }]
END
workflow stops <<'END'
on: push
jobs:
  fast:
    runs-on: ubuntu-latest
    strategy: { matrix: { n: [1, 2] } }
    steps: [{ run: 'test ${{ matrix.n }} = 2 || exit 1; sleep 60' }]
  slow:
    runs-on: ubuntu-latest
    timeout-minutes: 0.01
    steps: [{ run: sleep 60 }, { if: always(), run: echo cleaned slow }]
  told:
    needs: [fast, slow]
    if: ${{ !cancelled() }}
    runs-on: ubuntu-latest
    steps: [{ run: 'echo "told ${{ needs.fast.result }} ${{ needs.slow.result }}"' }]
END
commit_all

dock_run matrix --max-jobs 3
expect_status 3
expect_text "runs-on 'big-disk' is no label of this machine"
dock_run matrix --max-jobs 3 --label big-disk
expect_status 0
expect_equal conclusions "plan=success each (1)=failure each (2)=success each (3)=success end=success" "$(conclusions)"
expect_text '^matrix of main$'
expect_text '^\[end\] end success two$'
expect_text "environment 'site-3': its protection rules"
expect_text '^\[end\] notice: environment site-3: https://a.example/$'
expect_equal "environments" '[{"name":"site-3","url":"https://a.example/"}]' "$(jq -c '[.jobs[].environment | select(.)]' "$SUMMARY")"
dock_run matrix --label big-disk --matrix n:3
expect_status 0
expect_equal conclusions "plan=success each (3)=success end=success" "$(conclusions)"

dock_run stops --max-jobs 3
expect_status 1
expect_equal conclusions "fast (1)=failure fast (2)=cancelled slow=cancelled told=success" "$(conclusions)"
expect_text 'The job has exceeded the maximum execution time of 0.01 minutes'
expect_text '^\[slow\] cleaned slow$'
expect_text '^\[told\] told failure cancelled$'
