// Does everything that @actions/core and its kin offer; the outcome is compared by `run`.
const core = require('@actions/core');
const exec = require('@actions/exec');
const github = require('@actions/github');
const io = require('@actions/io');

async function main() {
  core.saveState('saved', { deep: [1, 2] });
  core.setSecret('hush-hush');
  core.info('a secret: hush-hush');
  core.exportVariable('EXPORTED', { a: 'line\nline' });
  core.addPath(process.env.RUNNER_TEMP + '/added');
  await io.mkdirP(process.env.RUNNER_TEMP + '/added');
  core.warning('careful', { title: 'T', file: 'a.c', startLine: 3 });
  await core.group('a group', async () => core.info('inside'));
  let said = '';
  const code = await exec.exec('sh', ['-c', 'printf "%s" "$INPUT_TEXT"; exit 3'],
    { silent: true, ignoreReturnCode: true, listeners: { stdout: data => { said += data; } } });
  await core.summary.addHeading('Summary').addTable([[{ data: 'k', header: true }], ['v']]).write();
  const { context } = github;
  core.setOutput('json', {
    text: core.getInput('text', { required: true }), flag: core.getBooleanInput('flag'), lines: core.getMultilineInput('lines'),
    code, said, event: context.eventName, repository: context.repo, ref: context.ref, job: context.job, server: context.serverUrl,
    which: (await io.which('sh', true)).endsWith('/sh'),
  });
  try {
    core.getInput('absent', { required: true });
  } catch (problem) {
    core.error(problem.message);
  }
}

if (core.getState('saved')) core.info('post ' + core.getState('saved'));
else main().catch(problem => core.setFailed(problem));
