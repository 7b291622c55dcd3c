#include "parser/workflow/schema_tables.h"

namespace drydock::parser::workflow {

// Facts: GitHub's documentation of workflow syntax, of events and of context availability.
const std::string_view k_workflow_table = R"(
root = { on!: on, name: string, description: string, run-name: run-name, defaults: workflow-defaults, env: workflow-env,
         permissions: permissions, concurrency: workflow-concurrency, jobs!: jobs };
run-name = string @ github inputs vars;

on = event-name+ | events;
event-name = 'branch_protection_rule' | 'check_run' | 'check_suite' | 'create' | 'delete' | 'deployment' | 'deployment_status'
  | 'discussion' | 'discussion_comment' | 'fork' | 'gollum' | 'image_version' | 'issue_comment' | 'issues' | 'label'
  | 'merge_group' | 'milestone' | 'page_build' | 'project' | 'project_card' | 'project_column' | 'public' | 'pull_request'
  | 'pull_request_comment' | 'pull_request_review' | 'pull_request_review_comment' | 'pull_request_target' | 'push'
  | 'registry_package' | 'release' | 'repository_dispatch' | 'schedule' | 'status' | 'watch' | 'workflow_call'
  | 'workflow_dispatch' | 'workflow_run';
events = {
  branch_protection_rule: null | { types: edits },
  check_run: null | { types: ('completed' | 'created' | 'rerequested' | 'requested_action')+ },
  check_suite: null | { types: 'completed'+ },
  create: null, delete: null, deployment: null, deployment_status: null, fork: null, gollum: null, page_build: null,
  public: null, status: null,
  discussion: null | { types: ('created' | 'edited' | 'deleted' | 'transferred' | 'pinned' | 'unpinned' | 'labeled'
    | 'unlabeled' | 'locked' | 'unlocked' | 'category_changed' | 'answered' | 'unanswered')+ },
  discussion_comment: null | { types: edits },
  image_version: null | { types: ('created' | 'ready' | 'deleted')+, names: texts, versions: texts },
  issue_comment: null | { types: edits },
  issues: null | { types: ('opened' | 'edited' | 'deleted' | 'transferred' | 'pinned' | 'unpinned' | 'closed' | 'reopened'
    | 'assigned' | 'unassigned' | 'labeled' | 'unlabeled' | 'locked' | 'unlocked' | 'milestoned' | 'demilestoned'
    | 'field_added' | 'field_removed' | 'typed' | 'untyped')+ },
  label: null | { types: edits },
  merge_group: null | { types: 'checks_requested'+, branches: texts, branches-ignore: texts },
  milestone: null | { types: ('created' | 'closed' | 'opened' | 'edited' | 'deleted')+ },
  project: null | { types: ('created' | 'closed' | 'reopened' | 'edited' | 'deleted')+ },
  project_card: null | { types: ('created' | 'moved' | 'converted' | 'edited' | 'deleted')+ },
  project_column: null | { types: ('created' | 'updated' | 'moved' | 'deleted')+ },
  pull_request: null | pull-request, pull_request_target: null | pull-request,
  pull_request_comment: null | { types: edits },
  pull_request_review: null | { types: ('submitted' | 'edited' | 'dismissed')+ },
  pull_request_review_comment: null | { types: edits },
  push: null | { branches: texts, branches-ignore: texts, tags: texts, tags-ignore: texts, paths: texts, paths-ignore: texts },
  registry_package: null | { types: ('published' | 'updated')+ },
  release: null | { types: ('published' | 'unpublished' | 'created' | 'edited' | 'deleted' | 'prereleased' | 'released')+ },
  repository_dispatch: null | { types: texts },
  schedule: [ { cron!: text, timezone: text } ],
  watch: null | { types: 'started'+ },
  workflow_call: null | { inputs: { *: call-input }, secrets: { *: null | { description: string, required: boolean } },
    outputs: { *: { description: string, value!: call-output } } },
  workflow_dispatch: null | { inputs: dispatch-inputs },
  workflow_run: null | { types: ('requested' | 'completed' | 'in_progress')+, workflows: texts, branches: texts,
    branches-ignore: texts } };
texts = text+;
edits = ('created' | 'edited' | 'deleted')+;
pull-request = { types: ('assigned' | 'unassigned' | 'labeled' | 'unlabeled' | 'opened' | 'edited' | 'closed' | 'reopened'
  | 'synchronize' | 'converted_to_draft' | 'locked' | 'unlocked' | 'enqueued' | 'dequeued' | 'milestoned' | 'demilestoned'
  | 'ready_for_review' | 'review_requested' | 'review_request_removed' | 'auto_merge_enabled' | 'auto_merge_disabled'
  | 'stacked')+, branches: texts, branches-ignore: texts, paths: texts, paths-ignore: texts };
call-input = { description: string, type!: 'string' | 'boolean' | 'number', required: boolean, default: call-input-default };
call-input-default = string | boolean | number @ github inputs vars;
call-output = string @ github inputs vars jobs;
dispatch-inputs = { *: null | { description: string, deprecationMessage: string, type: 'string' | 'boolean' | 'number'
  | 'environment' | 'choice', required: boolean, default: string | boolean | number, options: [ string ] } };

permissions = 'read-all' | 'write-all' | { actions: level, artifact-metadata: level, attestations: level, checks: level,
  code-quality: level, contents: level, copilot-requests: 'write' | 'none', deployments: level, discussions: level,
  drives: level, id-token: 'write' | 'none', issues: level, models: 'read' | 'none', packages: level, pages: level,
  pull-requests: level, repository-projects: level, security-events: level, statuses: level,
  vulnerability-alerts: 'read' | 'none' };
level = 'read' | 'write' | 'none';

workflow-defaults = { run: { shell: text, working-directory: text } };
workflow-env = { *: string } @ github inputs vars secrets;
workflow-concurrency = string | concurrency @ github inputs vars;
concurrency = { group!: text, cancel-in-progress: boolean, queue: 'single' | 'max' };

jobs = { *: job };
job = steps-job | call-job;
steps-job = { needs: texts, if: job-if, strategy: strategy, name: job-string, runs-on!: runs-on, timeout-minutes: job-number,
  cancel-timeout-minutes: job-number, continue-on-error: job-boolean, container: container, services: services,
  env: job-env, environment: environment, permissions: permissions, concurrency: job-concurrency, outputs: job-outputs,
  defaults: job-defaults, steps: steps, snapshot: snapshot };
call-job = { name: job-string, uses!: text, with: { *: call-value }, secrets: { *: call-secret } | 'inherit', needs: texts,
  if: job-if, permissions: permissions, concurrency: job-concurrency, strategy: strategy };
call-value = string | boolean | number @ github inputs vars needs strategy matrix;
call-secret = string | boolean | number @ github inputs vars needs secrets strategy matrix;
job-if = string @ github inputs vars needs always failure* cancelled success*;
job-string = string @ github inputs vars needs strategy matrix;
job-number = number @ github inputs vars needs strategy matrix;
job-boolean = boolean @ github inputs vars needs strategy matrix;
strategy = { fail-fast: boolean, max-parallel: number, matrix: matrix } @ github inputs vars needs;
matrix = { include: [ { *: any } ], exclude: [ { *: any } ], *: sequence };
snapshot = text | { image-name!: text, if: snapshot-if, version: text };
snapshot-if = string @ github inputs vars needs strategy matrix;
runs-on = texts | { group: text, labels: texts } @ github inputs vars needs strategy matrix;
job-env = { *: string } @ github inputs vars needs strategy matrix secrets;
job-concurrency = text | concurrency @ github inputs vars needs strategy matrix;
environment = string | { name!: string, url: environment-url, deployment: boolean } @ github inputs vars needs strategy matrix;
environment-url = string @ github inputs vars needs strategy matrix steps job runner env;
job-defaults = { run: job-defaults-run };
job-defaults-run = { shell: text, working-directory: text } @ github inputs vars strategy matrix needs env;
job-outputs = { *: runner-string };
runner-string = string @ github inputs vars needs strategy matrix secrets steps job runner env;

container = string | container-mapping @ github inputs vars needs strategy matrix;
container-mapping = { image: text, options: string, env: { *: runner-string }, ports: [ text ], volumes: [ text ],
  credentials: credentials };
services = { *: service } @ github inputs vars needs strategy matrix;
service = text | { image: text, options: string, env: { *: runner-string }, ports: [ text ], volumes: [ text ],
  credentials: credentials, entrypoint: string, command: string } @ github inputs vars needs strategy matrix;
credentials = { username: text, password: text } @ github inputs vars secrets env;

steps = [ step ];
step = run-step | uses-step | wait-step | wait-all-step | cancel-step | parallel-step;
run-step = { name: step-string, id: text, if: step-if, timeout-minutes: step-number, run!: step-string,
  continue-on-error: step-boolean, env: step-strings, working-directory: step-string, shell: text, background: boolean };
uses-step = { name: step-string, id: text, if: step-if, continue-on-error: step-boolean, timeout-minutes: step-number,
  uses!: text, with: step-strings, env: step-strings, background: boolean };
wait-step = { name: step-string, id: text, continue-on-error: step-boolean, wait!: texts };
wait-all-step = { name: step-string, id: text, continue-on-error: step-boolean, wait-all!: null | boolean };
cancel-step = { name: step-string, id: text, continue-on-error: step-boolean, cancel!: text };
parallel-step = { parallel!: [ step ] };
step-if = string @ github inputs vars needs strategy matrix steps job runner env always failure cancelled success hashFiles;
step-string = string @ github inputs vars needs strategy matrix secrets steps job runner env hashFiles;
step-strings = { *: string } @ github inputs vars needs strategy matrix secrets steps job runner env hashFiles;
step-number = number @ github inputs vars needs strategy matrix secrets steps job runner env hashFiles;
step-boolean = boolean @ github inputs vars needs strategy matrix secrets steps job runner env hashFiles;
)";

// Facts: GitHub's documentation of action metadata. Unknown keys at the root are ignored, as the runner does.
const std::string_view k_action_table = R"(
root = { name: string, author: string, description: string, inputs: { *: input }, outputs: { *: output }, runs!: runs, *: any };
input = null | { description: string, required: boolean | string, default: input-default, deprecationMessage: string, *: any };
input-default = string @ github strategy matrix job runner hashFiles;
output = null | { description: string, value: output-value, *: any };
output-value = string @ github strategy matrix steps inputs job runner env;
runs = docker-runs | node-runs | composite-runs;
docker-runs = { using!: text, image!: text, entrypoint: text, args: [ with-inputs ], env: docker-env, pre-entrypoint: text,
  pre-if: runs-if, post-entrypoint: text, post-if: runs-if };
docker-env = { *: string } @ inputs;
with-inputs = string @ inputs;
node-runs = { using!: text, main!: text, pre: text, pre-if: runs-if, post: text, post-if: runs-if };
composite-runs = { using!: text, steps!: [ step ] };
runs-if = string @ runner github job strategy matrix env inputs always success failure cancelled hashFiles;
step = run-step | uses-step;
run-step = { name: step-string, id: text, if: step-if, run!: step-string, shell!: step-string, env: step-strings,
  continue-on-error: step-boolean, working-directory: step-string };
uses-step = { name: step-string, id: text, if: step-if, uses!: text, with: step-strings, env: step-strings,
  continue-on-error: step-boolean };
step-if = string @ github inputs strategy matrix steps job runner env always failure cancelled success hashFiles;
step-string = string @ github inputs strategy matrix steps job runner env hashFiles;
step-strings = { *: string } @ github inputs strategy matrix steps job runner env hashFiles;
step-boolean = boolean @ github inputs strategy matrix steps job runner env hashFiles;
)";

}  // namespace drydock::parser::workflow
