#!/bin/bash
# covers: event branch_protection_rule, event check_run, event check_suite, event create, event delete, event deployment, event deployment_status, event discussion, event discussion_comment, event fork, event gollum, event image_version, event issue_comment, event issues, event label, event merge_group, event milestone, event page_build, event project, event project_card, event project_column, event public, event pull_request, event pull_request_comment, event pull_request_review, event pull_request_review_comment, event pull_request_target, event push, event registry_package, event release, event repository_dispatch, event schedule, event status, event watch, event workflow_dispatch
# Every event that the language knows starts what is `on` it, alone, in a list and as a key, and nothing else; the
# payload that is given is what the job sees.
. "$(dirname "$0")/../support/assert.sh"
begin_jobs
# What follows another workflow, and what is called, has tests of its own.
events=($(sed -n '/^event-name = /,/;$/p' "$source_root/parser/workflow/schema_tables.cpp" | grep -o "'[a-z_]*'" | tr -d "'" |
  grep -vxE 'workflow_call|workflow_run'))
((${#events[@]} > 30)) || fail "the events are not found: ${events[*]}"
expect_equal "the events named above" "$(printf 'event %s\n' "${events[@]}" | sort)" \
  "$(sed -n 's/^# covers: //p' "$0" | sed 's/, /\n/g' | sort)"

for event in "${events[@]}"; do
  key="  $event:"
  [[ $event != schedule ]] || key="  schedule: [{ cron: '5 4 * * *' }]"
  for form in "$event" "[$event, workflow_call]" $'\n'"$key"; do
    [[ $event/$form != schedule/schedule ]] || continue
    printf 'on: %s\njobs: { seen: { runs-on: ubuntu-latest, steps: [{ run: "test $GITHUB_EVENT_NAME = %s && test ${{ github.event.mark }} = %s" }] } }\n' \
      "$form" "$event" "$event" >"$project/.github/workflows/$event-${#form}.yml"
  done
done
commit_all
for event in "${events[@]}"; do
  echo "{ \"mark\": \"$event\", \"schedule\": \"5 4 * * *\" }" >"$work/payload.json"
  dock_run -e "$event" --event-path "$work/payload.json"
  expect_status 0
  expect_equal "jobs of $event" "$(ls "$project/.github/workflows" | grep -c "^$event-")" "$(jq '[.jobs[] | select(.conclusion == "success")] | length' "$SUMMARY")"
done

# On another branch than the default one, where GitHub would not run them.
git -C "$project" checkout -q -b topic
dock_run issues-6.yml -e issues --event-path "$work/payload.json"
expect_text 'GitHub runs issues on the default branch, main; this run is on topic'
dock_run push-4.yml -e push --event-path "$work/payload.json"
expect_no_text 'on the default branch'
