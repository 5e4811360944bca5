// Every credential there is, made recognisable, and then looked for wherever it has no business to be.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AUTH_VARIABLE } from '../../src/agents/codex-login.ts';
import { openCore } from '../../src/cli/core.ts';
import { dataPaths } from '../../src/cli/data-dir.ts';
import { createMask, MASKED, maskAll, maskTokens } from '../../src/store/mask.ts';
import { connectOwner, runCli, spawnDaemon, temporaryDirectory, waitFor } from '../support/daemon.ts';
import { openTestDaemon } from '../support/http.ts';

const CANARIES = {
  github: 'canary-github-token-0001',
  githubHook: 'canary-github-hook-0002',
  postmark: 'canary-postmark-token-0003',
  inbound: 'canary-inbound-password-0004',
  smtp: 'canary-smtp-password-0005',
  claude: 'canary-claude-login-0006',
  codexAccess: 'canary-codex-access-0007',
  codexRefresh: 'canary-codex-refresh-0008',
};

/** Tells everything it was given, in every way it can, and leaves a copy where only the test looks. */
const AGENT = `
import { writeFileSync } from 'node:fs';
const said = JSON.stringify(process.env);
writeFileSync(process.argv[2] + '/' + process.env.HELIX_WORKER_ID + '.json', said);
console.log(said);
console.error('stderr ' + process.env.HELIX_MCP_TOKEN + ' ' + process.env.GH_TOKEN);
for (const [name, value] of Object.entries(process.env)) console.log(name + '=' + value);
`;

test('no credential is found in arguments, environments of others, logs, pages, feeds, transcripts, errors, the database, an export or a backup', async () => {
  const dir = temporaryDirectory();
  const told = temporaryDirectory();
  const paths = dataPaths({ dataDir: dir }, {});
  const core = openCore({ paths, url: () => 'http://x', publicUrl: () => 'http://x' });
  core.settings.set('transport.github', { token: CANARIES.github, webhook_secret: CANARIES.githubHook });
  core.settings.set('transport.postmark', {
    token: CANARIES.postmark,
    inbound_user: 'postmark',
    inbound_password: CANARIES.inbound,
    inbound: 'org@in.example.com',
    from: 'org@example.com',
    smtp: { host: '127.0.0.1', port: 2525, user: 'org', pass: CANARIES.smtp },
  });
  core.settings.setSecret('login.claude', JSON.stringify({ CLAUDE_CODE_OAUTH_TOKEN: CANARIES.claude }));
  const auth = { tokens: { access_token: CANARIES.codexAccess, refresh_token: CANARIES.codexRefresh } };
  core.settings.setSecret('login.codex', JSON.stringify({ [AUTH_VARIABLE]: JSON.stringify(auth) }));
  expect(JSON.stringify(core.settings.list({ revealSecrets: true }))).toContain(CANARIES.smtp);
  core.close();
  const script = join(told, 'agent.mjs');
  writeFileSync(script, AGENT);
  const daemon = await spawnDaemon({ dir, agent: [process.execPath, script, told], args: ['--log-json'] });
  const owner = await connectOwner(daemon);
  for (const name of ['gh', 'plain']) {
    await owner.call('create_role', { id: `r-${name}`, content: `# ${name}` });
    await owner.call('create_position', { id: `p-${name}`, roleId: `r-${name}`, parentId: 'p-root' });
    const grants = name === 'gh' ? ['agent:Bash', 'publish'] : ['publish'];
    await owner.call('hire_worker', {
      id: `w-${name}`,
      positionId: `p-${name}`,
      kind: 'ai',
      identityContent: name,
      grants,
    });
  }
  const { secret: signing } = await owner.call('create_stream', {
    id: 's-signed',
    name: 'signed',
    transport: { kind: 'webhook', config: { secret: true } },
  });
  const { secret: rotated } = await owner.call('rotate_secret', { streamId: 's-signed' });
  const made = await runCli(['token', 'create', '--worker', 'w-plain', '--label', 'laptop', '-q', '--data-dir', dir]);
  const login = (await daemon.control('token.login')) as { url: string };
  const code = new URL(login.url).searchParams.get('code') ?? '';
  const signedIn = await fetch(`${daemon.url}/login`, {
    method: 'POST',
    body: new URLSearchParams({ code }),
    headers: { origin: daemon.url },
    redirect: 'manual',
  });
  const session = /helix_session=([^;]+)/.exec(signedIn.headers.get('set-cookie') ?? '')?.[1] ?? '';

  const environmentOf = (workerId: string): Record<string, string> =>
    JSON.parse(readFileSync(join(told, `${workerId}.json`), 'utf8'));
  const runs = async (): Promise<{ id: string; state: string }[]> => {
    const lists = await Promise.all(
      ['w-gh', 'w-plain'].map(async (workerId) => owner.call('list_activations', { workerId })),
    );
    return lists.flatMap(({ activations }) => activations as { id: string; state: string }[]);
  };
  await waitFor('both have run', async () => {
    const all = await runs();
    return all.length >= 2 && all.every(({ state }) => state === 'done');
  });
  const [gh, plain] = [environmentOf('w-gh'), environmentOf('w-plain')];
  const secrets = {
    ...CANARIES,
    ownerToken: daemon.token,
    workerToken: made.stdout.trim(),
    session,
    code,
    signing: String(signing),
    rotated: String(rotated),
    key: readFileSync(paths.keyFile, 'utf8').trim(),
    runOfGh: gh.HELIX_MCP_TOKEN ?? '',
    runOfPlain: plain.HELIX_MCP_TOKEN ?? '',
  };
  for (const [name, value] of Object.entries(secrets)) expect(value.length, name).toBeGreaterThan(15);
  const expectNone = (where: string, text: string | Buffer, but: string[] = []) => {
    for (const [name, value] of Object.entries(secrets))
      if (!but.includes(name)) expect(text.includes(value), `${name} in ${where}`).toBe(false);
  };

  // Each has what it is to have, so the search is not for nothing.
  expect(gh.GH_TOKEN).toBe(CANARIES.github);
  expectNone('the environment of w-gh', JSON.stringify(gh), ['github', 'runOfGh']);
  expectNone('the environment of w-plain', JSON.stringify(plain), ['runOfPlain']);

  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      expectNone(`arguments of ${pid}`, readFileSync(`/proc/${pid}/cmdline`));
      if (Number(pid) === daemon.pid) expectNone('the environment of the daemon', readFileSync(`/proc/${pid}/environ`));
    } catch (error) {
      if (!['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }

  const transcript = JSON.stringify(await owner.call('worker_log', { workerId: 'w-gh' }));
  expect(transcript).toContain(MASKED);
  expect(transcript).toContain('HELIX_MCP_TOKEN');
  expectNone('the transcript', transcript);
  for (const tool of ['list_streams', 'list_workers', 'read_events'])
    expectNone(tool, JSON.stringify(await owner.call(tool)));
  expectNone('get_stream', JSON.stringify(await owner.call('get_stream', { id: 's-signed' })));
  expectNone('an error', await owner.refusal('get_role', { id: secrets.signing.slice(0, 4) }));

  const activations = await runs();
  const pages = [
    ...['org', 'streams', 'streams?id=s-signed', 'activations', 'attention', 'journal', 'settings', 'org/workers/w-gh'],
    ...activations.map(({ id }) => `activations/${id}`),
  ];
  for (const page of pages) {
    const response = await fetch(`${daemon.url}/ui/${page}`, { headers: { cookie: `helix_session=${session}` } });
    expect(response.status, page).toBe(200);
    expectNone(`/ui/${page}`, await response.text());
  }

  const leave = new AbortController();
  const feed = await fetch(`${daemon.url}/events?since=0&transcripts=1`, {
    headers: { authorization: `Bearer ${daemon.token}` },
    signal: leave.signal,
  });
  let heard = '';
  const decoder = new TextDecoder();
  for await (const chunk of feed.body ?? []) {
    heard += decoder.decode(chunk, { stream: true });
    if ((heard.match(/=== exit: /g) ?? []).length >= 2) break;
  }
  leave.abort();
  expect(heard).toContain(MASKED);
  expectNone('the feed', heard);

  const listed = await runCli(['config', 'list', '--json', '--data-dir', dir]);
  expect(listed.code).toBe(0);
  expectNone('config list', listed.stdout + listed.stderr);
  const tokens = await runCli(['token', 'list', '--json', '--data-dir', dir]);
  expectNone('token list', tokens.stdout + tokens.stderr);
  for (const command of [['doctor'], ['doctor', '--json'], ['login', '--status'], ['login', '--status', '--json']]) {
    const said = await runCli([...command, '--data-dir', dir]);
    expect(said.stdout, command.join(' ')).toMatch(/claude|agent/);
    expectNone(command.join(' '), said.stdout + said.stderr);
  }
  for (const { id } of activations) {
    const traced = await runCli(['trace', id, '--json', '--data-dir', dir]);
    expect(traced.code).toBe(0);
    expectNone(`trace ${id}`, traced.stdout + traced.stderr);
  }
  const folder = join(told, 'export');
  const exported = await runCli(['export', folder, '--json', '--data-dir', dir]);
  expect(exported).toMatchObject({ code: 0, stderr: '' });
  const { files } = JSON.parse(exported.stdout) as { files: string[] };
  expect(files).toEqual(expect.arrayContaining(['streams/s-signed.yaml', 'workers/w-gh.md']));
  for (const file of files) expectNone(`${file} of the export`, readFileSync(join(folder, file)));
  const planned = await runCli(['apply', folder, '--dry-run', '--data-dir', dir]);
  expect(planned.stdout).toContain('Nothing to do');
  expectNone('apply', planned.stdout + planned.stderr);
  const archive = join(told, 'backup.tar');
  expect((await runCli(['backup', archive, '--data-dir', dir])).code).toBe(0);
  await daemon.kill('SIGTERM');
  // The greeting holds a link to sign in, which is another than ours.
  expectNone('what the daemon said', daemon.output.stdout + daemon.output.stderr);
  for (const end of ['', '-wal', '-shm']) {
    const bytes = readdirSync(dir).includes(`org.db${end}`) ? readFileSync(`${paths.db}${end}`) : Buffer.alloc(0);
    expectNone(`org.db${end}`, bytes);
  }
  expectNone('the backup', readFileSync(archive));
  const stopped = await runCli(['doctor', '--json', '--data-dir', dir]);
  expect(stopped.stdout).toContain('"check": "mail"');
  expectNone('doctor beside no daemon', stopped.stdout + stopped.stderr);
  // Where they do belong, they are for nobody else to read.
  expect(readFileSync(paths.ownerTokenFile, 'utf8').trim()).toBe(daemon.token);
}, 180_000);

test('text is masked by the form of tokens and by what is secret now, also where JSON wrote it', async () => {
  const daemon = await openTestDaemon();
  try {
    const { settings } = daemon.core;
    const mask = createMask(settings);
    const token = daemon.token();
    expect(mask(`a ${token} b`)).toBe(`a ${MASKED} b`);
    expect(maskTokens(`${token}${token}`)).toBe(MASKED + MASKED);
    expect(mask('s3cret-"quoted"')).toBe('s3cret-"quoted"');
    settings.set('transport.github', { token: 's3cret-"quoted"' });
    settings.setSecret('stream.s-a', 'whsec_first-of-two');
    settings.setSecret('stream.s-a.previous', '2026-01-01T00:00:00.000Z whsec_before-that');
    expect(mask('x s3cret-"quoted" y')).toBe(`x ${MASKED} y`);
    expect(mask(JSON.stringify({ said: 's3cret-"quoted"' }))).toBe(`{"said":"${MASKED}"}`);
    expect(mask('whsec_first-of-two whsec_before-that')).toBe(`${MASKED} ${MASKED}`);
    expect(maskAll(mask, { a: [token, 1, null], b: { c: 'fine' } })).toEqual({
      a: [MASKED, 1, null],
      b: { c: 'fine' },
    });
    settings.deleteSecret('stream.s-a');
    expect(mask('whsec_first-of-two')).toBe('whsec_first-of-two');
  } finally {
    await daemon.close();
  }
});
