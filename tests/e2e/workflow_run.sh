#!/bin/bash
# covers: event workflow_run, on.workflow_run.workflows, on.workflow_run.types, on.workflow_run.branches, on.workflow_run.branches-ignore
# A build starts its deploy: workflows that follow others by workflow_run, with their conclusions, for no more than three
# after the first.
. "$(dirname "$0")/../support/assert.sh"
begin_jobs

workflow build <<'END'
name: Build
run-name: build of ${{ github.ref_name }}
on: push
jobs:
  make:
    runs-on: ubuntu-latest
    steps: [{ run: 'test "${{ vars.FAIL }}" != yes' }]
END
workflow deploy <<'END'
name: Deploy
on: { workflow_run: { workflows: [Build], types: [completed], branches: [topic] } }
jobs:
  go:
    if: github.event.workflow_run.conclusion == 'success'
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo "deploy ${{ github.event.workflow_run.display_title }} of ${{ github.event.workflow_run.event }} by $GITHUB_EVENT_NAME"
          echo "head ${{ github.event.workflow_run.head_branch }} ${{ github.event.workflow_run.head_sha }} on $GITHUB_REF $GITHUB_SHA"
          test "${{ github.event.workflow_run.id }}" = "$GITHUB_RUN_ID"
  sorry:
    if: github.event.workflow_run.conclusion == 'failure'
    runs-on: ubuntu-latest
    steps: [{ run: echo "no deploy" }]
END
workflow main_only <<'END'
on: { workflow_run: { workflows: [Build], types: [completed], branches: [main] } }
jobs: { no: { runs-on: ubuntu-latest, steps: [{ run: echo never }] } }
END
workflow not_of_topic <<'END'
on: { workflow_run: { workflows: [Build], types: [completed], branches-ignore: ['to*'] } }
jobs: { no: { runs-on: ubuntu-latest, steps: [{ run: echo never }] } }
END
workflow not_of_main <<'END'
on: { workflow_run: { workflows: [Build], types: [requested], branches-ignore: [main] } }
jobs: { yes: { runs-on: ubuntu-latest, steps: [{ run: echo not of main }] } }
END
workflow begun <<'END'
on: { workflow_run: { workflows: [Bu*], types: [requested] } }
jobs: { asked: { runs-on: ubuntu-latest, steps: [{ run: 'echo "asked: ${{ github.event.workflow_run.status }}"' }] } }
END
previous=Deploy
for name in Third Fourth Fifth; do
  workflow $name <<END
name: $name
on: { workflow_run: { workflows: [$previous], types: [completed] } }
jobs: { $name: { runs-on: ubuntu-latest, steps: [{ run: "echo this is $name after \${{ github.event.workflow_run.name }}" }] } }
END
  previous=$name
done
commit_all
main=$(git -C "$project" rev-parse HEAD)
git -C "$project" checkout -q -b topic
commit_all "On the topic"
topic=$(git -C "$project" rev-parse HEAD)

dock_run build
expect_status 0
expect_text '^\[go\] deploy build of topic of push by workflow_run$'
expect_text "^\[go\] head topic $topic on refs/heads/main $main\$"
expect_text '^\[asked\] asked: queued$'
expect_text '^\[Third\] this is Third after Deploy$'
expect_text '^\[Fourth\] this is Fourth after Third$'
expect_text 'Fifth.yml is not run: workflow_run goes on for no more than 3 workflows'
expect_no_text 'this is Fifth'
expect_no_text never
expect_equal conclusions "make=success asked=success yes=success go=success sorry=skipped Third=success Fourth=success" "$(conclusions)"

# A failed build is followed too; the exit status is the build's.
dock_run build --var FAIL=yes
expect_status 1
expect_text '^\[sorry\] no deploy$'
expect_no_text '\] deploy build'

# All workflows of the repository: the event is push, so the build runs once and the others only follow.
dock_run
expect_status 0
expect_equal "builds" 1 "$(jq '[.jobs[] | select(.key == "make")] | length' "$SUMMARY")"
expect_equal "deploys" 1 "$(jq '[.jobs[] | select(.key == "go")] | length' "$SUMMARY")"

# Some jobs of a build are no build.
dock_run build -j make
expect_status 0
expect_no_text '\] deploy build'
