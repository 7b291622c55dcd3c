// Random events and inputs for docker/metadata-action, the same for the same seed.

const versions = ['v1.2.3', '1.2.3', 'v2.0.0-rc.1', '0.1.0+build.5', 'v1.2', '1.2.3.4', '1.0rc2', '1!2.0', 'p/v1.2.3', 'v10.20.30-alpha--x',
  '2024.01', '1.0.post3', 'release', 'V3', '1.0.dev1', 'v01.2.3'];
const branches = ['main', 'dev', 'feature/Some_Thing', 'fix#12', 'a&b', "it's", 'release/1.x'];
const events = ['push', 'push', 'pull_request', 'pull_request_target', 'schedule', 'workflow_dispatch', 'release', 'create', 'issues'];
const formats = ['YYYYMMDD', 'YYYY-MM-DD-HHmmss', 'dddd Do MMMM YY', 'GGGG-[W]WW', 'gggg.ww.e.E', 'h:mm:ss A z', 'X', 'DDDD Q kk', 'LLL', 'SSS ZZ', 'MMM ddd dd d', 'wo Wo Qo DDDo'];
const zones = ['', " tz='UTC'", " tz='Asia/Tokyo'", " tz='America/New_York'", " tz='Europe/Rome'", " tz='Australia/Lord_Howe'", " zone='x'"];

export function makeGenerator(seed) {
  let state = seed >>> 0 || 1;
  const next = () => {  // xorshift
    state ^= state << 13; state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5; state >>>= 0;
    return state / 4294967296;
  };
  const pick = list => list[Math.floor(next() * list.length)];
  const chance = probability => next() < probability;
  const several = (most, make) => Array.from({length: Math.floor(next() * (most + 1))}, make);
  const sha = () => Array.from({length: 40}, () => pick([...'0123456789abcdef'])).join('');

  const date = () => `{{${pick(['date', 'commit_date'])} '${pick(formats)}'${pick(zones)}}}`;
  const expression = () => pick(['{{branch}}', '{{tag}}', '{{sha}}', '{{base_ref}}', '{{is_default_branch}}', '{{is_not_default_branch}}',
    date(), 'x', 'Plain.1', '{{#if tag}}t{{else}}n{{/if}}', '{{nosuch}}', '{{{branch}}}', 'a b']);
  const text = () => several(2, expression).join('-') || expression();
  const pattern = () => pick(['{{version}}', '{{major}}', '{{major}}.{{minor}}', '{{raw}}', 'v{{major}}', '{{major}}.{{minor}}.{{patch}}',
    '{{prerelease}}', '{{#if prerelease}}pre{{/if}}{{version}}']);

  const attributes = () => {
    const out = [];
    if (chance(.2)) out.push(`prefix=${pick(['', 'p-', '{{branch}}-'])}`);
    if (chance(.2)) out.push(`suffix=${pick(['', '-s', '-{{sha}}'])}`);
    if (chance(.2)) out.push(`priority=${pick(['1', '500', '1001', ''])}`);
    if (chance(.3)) out.push(`enable=${pick(['true', 'false', '{{is_default_branch}}', '{{is_not_default_branch}}', chance(.2) ? 'no' : 'true'])}`);
    return out;
  };
  const tag = () => {
    const own = pick([
      () => [`type=schedule`, ...(chance(.7) ? [`pattern=${pick(['nightly', date(), 'n-{{date \'YYYYMMDD\'}}'])}`] : [])],
      () => [`type=semver`, `pattern=${pattern()}`, ...(chance(.4) ? [`value=${pick(versions)}`] : []), ...(chance(.2) ? ['match=v(.*)'] : [])],
      () => [`type=pep440`, `pattern=${pattern()}`, ...(chance(.5) ? [`value=${pick(versions)}`] : [])],
      () => [`type=match`, `pattern=${pick(['v(\\d+)', '/V(\\d)\\.?/i', '\\d.\\d', '(.*)', '/\\d/g', '(?<n>\\d)\\.(\\d)', '^release$'])}`,
        ...(chance(.5) ? [`group=${pick(['0', '1', '2', '01', chance(.2) ? 'x' : '1'])}`] : []), ...(chance(.3) ? [`value=${pick(versions)}`] : [])],
      () => [`type=edge`, ...(chance(.5) ? [`branch=${pick(branches)}`] : [])],
      () => [`type=ref`, `event=${pick(['branch', 'tag', 'pr', chance(.1) ? 'x' : 'tag'])}`],
      () => [pick(['type=raw,value=', 'type=raw,value=', 'value=']) + text()],
      () => [text().replace(/=/g, '')],
      () => ['type=sha', ...(chance(.4) ? [`format=${pick(['short', 'long'])}`] : [])],
      () => chance(.1) ? [pick(['type=nosuch', 'type=semver', '', '"open'])] : ['latest'],
    ])();
    return [...own, ...attributes()].join(',');
  };
  const label = () => pick(['maintainer=me', 'org.opencontainers.image.title=Mine', 'z=a=b', 'A_b=1', 'a-b=2', 'a.b=3', '7=seven', '10=ten',
    'novalue', `when=${date()}`, 'ref={{branch}}', 'Zed=é', 'zed=y', 'org.opencontainers.image.version=']);

  const flavor = () => pick(['latest=true', 'latest=false', 'latest=auto', 'prefix=f-', 'prefix=f-,onlatest=true', 'suffix=-{{sha}}', 'suffix=-g,onlatest=true',
    chance(.2) ? 'latest=x' : 'latest=auto']);

  return () => {
    const event = pick(events);
    const id = sha();
    let ref = chance(.5) ? `refs/tags/${pick(versions)}` : `refs/heads/${pick(branches)}`;
    if (event.startsWith('pull_request')) ref = 'refs/pull/42/merge';
    const payload = {
      repository: {name: 'app', full_name: 'Org/app', html_url: 'https://example.org/Org/app', description: pick(['Text = & more', null]),
        default_branch: pick(['main', 'dev']), license: pick([null, {spdx_id: 'MIT'}])},
    };
    if (event === 'push') Object.assign(payload, {base_ref: pick([null, 'refs/heads/main']), head_commit: {id, timestamp: '2023-11-05T01:30:00-04:00'}});
    if (event.startsWith('pull_request')) Object.assign(payload, {number: 42, pull_request: {head: {sha: sha()}, base: {ref: 'trunk'}}});
    const inputs = {
      images: several(2, () => pick(['Org/App', 'ghcr.io/o/a', 'name=reg:5000/x', 'name=off,enable=false', chance(.1) ? 'size=1' : 'one'])).join('\n'),
      tags: several(5, tag).join('\n'),
      flavor: several(2, flavor).join('\n'),
      labels: several(4, label).join('\n'),
      annotations: several(3, label).join('\n'),
      'sep-tags': pick(['', '', ',', ' ']), 'sep-labels': pick(['', '|']), 'sep-annotations': pick(['', ',']),
      'bake-target': pick(['', 'mine']), context: 'workflow',
    };
    const environment = {};
    if (chance(.2)) environment.DOCKER_METADATA_ANNOTATIONS_LEVELS = 'manifest,index';
    if (chance(.2)) environment.DOCKER_METADATA_SHORT_SHA_LENGTH = pick(['12', '100', '4', 'x']);
    if (chance(.2)) environment.DOCKER_METADATA_PR_HEAD_SHA = 'true';
    if (chance(.1)) environment.DOCKER_METADATA_SET_OUTPUT_ENV = pick(['false', '1', 'maybe']);
    return {event, ref, sha: id, payload, inputs, environment, now: pick([1709211909042, 1735689599999, 1609675200000, 1720000000123])};
  };
}
