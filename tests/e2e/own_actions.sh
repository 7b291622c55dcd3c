#!/bin/bash
# covers: action self repository ($/)
# Actions of the repository itself, `$/path`: the files of the commit that runs, without a checkout and without what is
# not committed, which is said; one that is not there fails its job before a step runs.
. "$(dirname "$0")/../support/assert.sh"
begin_jobs
say() { # say TEXT: the action says it
  mkdir -p "$project/tools/say"
  printf 'runs: { using: composite, steps: [{ shell: sh, run: "echo %s from $(basename $GITHUB_ACTION_PATH), $(ls | wc -l) files" }] }\n' \
    "$1" >"$project/tools/say/action.yml"
}
workflow use <<'END'
on: push
jobs: { use: { runs-on: ubuntu-latest, steps: [{ uses: $/tools/say }] } }
END
workflow missing <<'END'
on: push
jobs:
  use:
    runs-on: ubuntu-latest
    steps:
      - run: echo never
      - uses: $/tools/none
END
say first
commit_all
dock_run use
expect_status 0
expect_text '^\[use\] first from say, 0 files$'
expect_no_text 'uncommitted'

say second
dock_run use
expect_status 0
expect_text '^\[use\] first from say, 0 files$'
commit=$(git -C "$project" rev-parse --short=7 HEAD)
expect_text "notice: actions at .*/ are those of commit $commit, without 1 uncommitted change\(s\) \(tools/say/action.yml\)"
expect_equal "the user's file" 1 "$(grep -c second "$project/tools/say/action.yml")"

commit_all
dock_run use
expect_text '^\[use\] second from say, 0 files$'

# An older commit, in which it said something else, and whose files are not those of the working tree.
git -C "$project" checkout -q HEAD~1
dock_run use
expect_text '^\[use\] first from say, 0 files$'

dock_run missing
expect_status 1
expect_text "missing.yml:7:15: .*Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '.*/tools/none'"
expect_no_text '] never'
