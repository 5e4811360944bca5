// An organisation goes into files and comes back from them: the same files, no secret in them, nothing half done.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCore } from '../../src/cli/core.ts';
import { dataPaths } from '../../src/cli/data-dir.ts';
import { OrgError } from '../../src/domain/errors.ts';
import type { Command } from '../../src/domain/org.ts';
import { cli, connectOwner, startTestDaemon, temporaryDirectory } from '../support/daemon.ts';
import { filesIn } from '../support/files.ts';
import { beginnings, wish } from '../support/random-commands.ts';
import { noTerminal, openTerminal } from '../support/terminal.ts';

const quiet = (dir: string, ...argv: string[]) => cli([...argv, '--data-dir', dir, '--quiet']);

async function emptyOrg(): Promise<string> {
  const dir = join(temporaryDirectory(), 'org');
  expect(await quiet(dir, 'bootstrap')).toMatchObject({ code: 0 });
  return dir;
}

async function exported(dir: string): Promise<string> {
  const folder = join(temporaryDirectory(), 'export');
  expect(await quiet(dir, 'export', folder)).toMatchObject({ code: 0 });
  return folder;
}

async function call(dir: string, tool: string, args: object): Promise<void> {
  const { code, stderr } = await quiet(dir, 'call', tool, JSON.stringify(args));
  expect(stderr).toBe('');
  expect(code).toBe(0);
}

/** Some of everything. */
async function firm(): Promise<string> {
  const dir = await emptyOrg();
  await call(dir, 'create_role', { id: 'r-clerk', content: '# Clerk\n\nAnswer.\n' });
  await call(dir, 'create_position', { id: 'p-b', roleId: 'r-clerk', parentId: 'p-root' });
  await call(dir, 'create_position', { id: 'p-a', roleId: 'r-clerk', parentId: 'p-b' });
  await call(dir, 'create_stream', {
    id: 's-in',
    name: 'in: "it"',
    description: 'Two\nlines',
    transport: { kind: 'webhook', config: { secret: true } },
    private: true,
  });
  await call(dir, 'create_stream', {
    id: 's-mail',
    name: 'mail',
    transport: { kind: 'email', config: { alias: 'hi' } },
  });
  await call(dir, 'hire_worker', {
    id: 'w-ann',
    positionId: 'p-a',
    kind: 'ai',
    identityContent: '---\nAnn.\n---\n',
    grants: ['publish', 'agent:Bash(gh *)'],
    streams: ['s-mail'],
    agent: { kind: 'codex', model: 'o9' },
  });
  await call(dir, 'hire_worker', {
    id: 'w-eve',
    positionId: 'p-b',
    kind: 'human',
    identityContent: 'Eve.',
    grants: [],
    email: 'eve@example.com',
  });
  await call(dir, 'move_worker', { workerId: 'w-eve', positions: ['p-b', 'p-a'] });
  await call(dir, 'invite_workers', {
    streamId: 's-in',
    workerIds: ['w-ann', 'w-eve'],
    filter: { from: ['bob', 'a*'] },
  });
  return dir;
}

const edit = (file: string, from: string | RegExp, to: string) => {
  const before = readFileSync(file, 'utf8');
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  writeFileSync(file, after);
};

describe('an export', () => {
  it('reads well, is the same byte for byte each time, and makes the same org elsewhere', async () => {
    const dir = await firm();
    const folder = await exported(dir);
    const files = filesIn(folder);
    expect(Object.keys(files)).toEqual([
      'helix-org.yaml',
      'positions.yaml',
      'roles/r-clerk.md',
      'roles/r-owner.md',
      'streams/s-in.yaml',
      'streams/s-mail.yaml',
      'streams/s-notices.yaml',
      'workers/w-ann.md',
      'workers/w-eve.md',
      'workers/w-owner.md',
    ]);
    expect(files['workers/w-ann.md']).toBe(
      [
        '---',
        'kind: ai',
        'positions:',
        '  - p-a',
        'agent:',
        '  kind: codex',
        '  model: o9',
        'grants:',
        '  - agent:Bash(gh *)',
        '  - publish',
        'subscriptions:',
        '  s-in:',
        '    from:',
        '      - bob',
        '      - a*',
        '  s-mail: {}',
        '---',
        '',
        '---\nAnn.\n---\n\n',
      ].join('\n'),
    );
    expect(filesIn(await exported(dir))).toEqual(files);

    const other = await emptyOrg();
    const applied = await quiet(other, 'apply', folder, '--yes');
    expect(applied).toMatchObject({ code: 0, stderr: '' });
    expect(applied.stdout).toMatch(/s-in: signing secret, shown this once: \S{20}/);
    expect(filesIn(await exported(other))).toEqual(files);
    expect((await quiet(other, 'apply', folder, '--yes')).stdout).toBe(
      'Nothing to do: the org is as the folder says.\n',
    );
  });

  it('through a running daemon, too; in the folder of an earlier one it replaces, and leaves what is not its own', async () => {
    const folder = await exported(await firm());
    const daemon = await startTestDaemon();
    expect(await quiet(daemon.dir, 'apply', folder, '--yes')).toMatchObject({ code: 0, stderr: '' });
    const again = await exported(daemon.dir);
    expect(filesIn(again)).toEqual(filesIn(folder));

    await (await connectOwner(daemon)).call('fire_worker', { workerId: 'w-eve' });
    writeFileSync(join(again, 'README.md'), 'mine');
    expect(await quiet(daemon.dir, 'export', again)).toMatchObject({ code: 0 });
    expect(readdirSync(join(again, 'workers'))).toEqual(['w-ann.md', 'w-owner.md']);
    expect(readFileSync(join(again, 'README.md'), 'utf8')).toBe('mine');
    const full = temporaryDirectory();
    writeFileSync(join(full, 'thesis.md'), 'x');
    expect(await quiet(daemon.dir, 'export', full)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not empty'),
    });
    expect(readdirSync(full)).toEqual(['thesis.md']);
  });

  it('holds no secret: not of settings, not of Streams, not one that stands in a text', async () => {
    const dir = await firm();
    const canaries = ['canary-postmark-5f1c', 'canary-github-9a2b', 'canary-inbound-77d0'];
    const [postmark, github, inbound] = canaries;
    const mail = {
      token: postmark,
      inbound: 'a@in.example',
      from: 'a@example.com',
      inbound_user: 'u',
      inbound_password: inbound,
    };
    for (const [key, value] of [
      ['transport.postmark', mail],
      ['transport.github', { webhook_secret: github }],
    ] as const)
      expect(await quiet(dir, 'config', 'set', key, JSON.stringify(value))).toMatchObject({ code: 0 });
    const rotated = JSON.parse((await quiet(dir, 'call', 'rotate_secret', '{"streamId":"s-in"}')).stdout);
    await call(dir, 'update_role', { roleId: 'r-clerk', content: `Use ${postmark} and ${rotated.secret}.` });
    const token = readFileSync(join(dir, 'owner-token'), 'utf8').trim();
    const folder = join(temporaryDirectory(), 'export');
    const said = await quiet(dir, 'export', folder);
    expect(said.stderr).toContain('r-clerk');
    const all = JSON.stringify([filesIn(folder), said]);
    for (const secret of [...canaries, rotated.secret, token]) expect(all).not.toContain(secret);
    // What is masked is no change.
    expect((await quiet(dir, 'apply', folder, '--dry-run')).stdout).toContain('Nothing to do');
  });

  it('of any org makes the same org', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(wish, { maxLength: 60 }), async (wishes) => {
        const dir = await emptyOrg();
        await grow(
          dir,
          wishes.flatMap((each) => (each.kind === 'command' ? [{ actor: each.actor, command: each.command }] : [])),
        );
        const files = filesIn(await exported(dir));
        const folder = await exported(dir);
        const other = await emptyOrg();
        expect(await quiet(other, 'apply', folder, '--yes')).toMatchObject({ code: 0, stderr: '' });
        expect(filesIn(await exported(other))).toEqual(files);
        expect((await quiet(other, 'apply', folder, '--yes')).stdout).toContain('Nothing to do: ');
      }),
      { numRuns: 20 },
    );
  }, 120_000);
});

/** What the tools would refuse, or what a new org has by itself, is left out. */
async function grow(dir: string, asked: { actor: string; command: Command }[]): Promise<void> {
  const core = openCore({ paths: dataPaths({ dataDir: dir }, {}), url: () => '', publicUrl: () => '' });
  try {
    for (const { actor, command } of [...beginnings, ...asked]) {
      if (command.type === 'Unsubscribe' && command.streamId === 's-notices') continue;
      const fit =
        command.type === 'CreateStream' ? { ...command, transport: { ...command.transport, config: {} } } : command;
      await core.journal.commit(actor, fit).catch((error: unknown) => {
        if (!(error instanceof OrgError)) throw error;
      });
    }
  } finally {
    core.close();
  }
}

describe('applying a folder', () => {
  it('changes what differs, reports what it leaves, and can be looked at before', async () => {
    const dir = await firm();
    const folder = await exported(dir);
    edit(join(folder, 'roles/r-clerk.md'), 'Answer.', 'Answer politely.');
    edit(join(folder, 'positions.yaml'), 'parent: p-b', 'parent: p-root');
    edit(join(folder, 'workers/w-ann.md'), /agent:\n {2}kind: codex\n {2}model: o9/, 'agent:\n  runSeconds: 60');
    edit(join(folder, 'workers/w-ann.md'), '  - publish', '  - read_events');
    edit(join(folder, 'workers/w-ann.md'), /s-in:\n.*\n.*\n.*\n/, 's-in: {}\n');
    edit(join(folder, 'workers/w-ann.md'), '  s-mail: {}\n', '');
    edit(join(folder, 'streams/s-mail.yaml'), 'alias: hi', 'alias: hello');
    rmSync(join(folder, 'workers/w-eve.md'));
    const before = filesIn(await exported(dir));
    const planned = await quiet(dir, 'apply', folder, '--dry-run');
    expect(planned.code).toBe(0);
    expect(planned.stdout.split('\n')).toEqual([
      '6 changes to make:',
      '  role r-clerk: text  (update_role)',
      '  position p-a: r-clerk below p-b → r-clerk below p-root  (update_position)',
      '  stream s-mail: transport  (update_stream)',
      '  worker w-ann: agent kind as set for all, model as set for all, runSeconds 60  (update_agent)',
      '  worker w-ann: may use read_events  (grant_tool)',
      '  worker w-ann: listens to s-in  (invite_workers)',
      'Not in the folder, and left as it is; to remove it, use the tools:',
      "  w-ann's grant of publish",
      "  w-ann's subscription to s-mail",
      '  worker w-eve',
      '',
    ]);
    expect(filesIn(await exported(dir))).toEqual(before);
    expect(await quiet(dir, 'apply', folder, '--yes', '--json')).toMatchObject({ code: 0 });
    const after = filesIn(await exported(dir));
    expect(after['workers/w-ann.md']).toContain('agent:\n  runSeconds: 60\n');
    expect(after['workers/w-ann.md']).toContain('  - publish\n  - read_events\n');
    expect(after['workers/w-ann.md']).toContain('  s-in: {}\n  s-mail: {}\n');
    expect(after['workers/w-eve.md']).toBe(before['workers/w-eve.md']);
    expect((await quiet(dir, 'apply', folder, '--yes')).stdout).toMatch(/^Nothing to do/);
  });

  it('asks a person, and where none is there says what to give', async () => {
    const folder = await exported(await firm());
    const other = await emptyOrg();
    const before = filesIn(await exported(other));
    expect(await quiet(other, 'apply', folder)).toMatchObject({ code: 1, stderr: expect.stringContaining('--yes') });
    expect(filesIn(await exported(other))).toEqual(before);
  });

  it.skipIf(noTerminal)('asks on a terminal, and takes anything but yes for no', async () => {
    const folder = await exported(await firm());
    const dir = await emptyOrg();
    const before = filesIn(await exported(dir));
    const answer = async (line: string) => {
      const terminal = openTerminal({});
      const command = terminal.start(['apply', folder, '--data-dir', dir]);
      await terminal.shows('Make these changes? [y/N]');
      terminal.type(line);
      return (await command.ended()).code;
    };
    expect(await answer('')).toBe(1);
    expect(filesIn(await exported(dir))).toEqual(before);
    expect(await answer('yes')).toBe(0);
    expect(filesIn(await exported(dir))).toEqual(filesIn(folder));
  });

  it('of hundreds of changes makes all of them through a daemon; no limit is in its way', async () => {
    const folder = await exported(await emptyOrg());
    for (let n = 0; n < 300; n++) writeFileSync(join(folder, `roles/r-${n}.md`), `# Role ${n}\n`);
    const { dir } = await startTestDaemon();
    expect(await quiet(dir, 'apply', folder, '--yes')).toMatchObject({ code: 0, stderr: '' });
    expect(filesIn(await exported(dir))).toEqual(filesIn(folder));
  }, 120_000);

  it.each<[what: string, change: (folder: string) => void, says: RegExp]>([
    [
      'YAML that is none',
      (f) => edit(join(f, 'streams/s-in.yaml'), 'batch: stream', 'batch: [stream'),
      /streams\/s-in\.yaml:\d+: /,
    ],
    [
      'an unknown key',
      (f) => edit(join(f, 'streams/s-mail.yaml'), 'batch:', 'colour: red\nbatch:'),
      /streams\/s-mail\.yaml:6: unknown key colour/,
    ],
    [
      'an unknown key in a head',
      (f) => edit(join(f, 'workers/w-ann.md'), 'kind: ai', 'kind: ai\nage: 7'),
      /workers\/w-ann\.md:3: unknown key age/,
    ],
    [
      'a value of another type',
      (f) => edit(join(f, 'streams/s-in.yaml'), 'private: true', 'private: maybe'),
      /streams\/s-in\.yaml:\d+: private: /,
    ],
    ['a Role that is not there', (f) => rmSync(join(f, 'roles/r-clerk.md')), /positions\.yaml:\d+: No Role r-clerk/],
    [
      'a Position that is not there',
      (f) => edit(join(f, 'workers/w-ann.md'), '- p-a', '- p-z'),
      /workers\/w-ann\.md:\d+: .*p-z/,
    ],
    ['a Stream that is not there', (f) => rmSync(join(f, 'streams/s-mail.yaml')), /workers\/w-ann\.md:\d+: .*s-mail/],
    [
      'a tool that is not there',
      (f) => edit(join(f, 'workers/w-ann.md'), '- publish', '- publsh'),
      /w-ann\.md:\d+: .*did you mean publish/,
    ],
    [
      'Positions below each other',
      (f) => edit(join(f, 'positions.yaml'), 'parent: p-root', 'parent: p-a'),
      /positions\.yaml:\d+: parent: These Positions are below each other: /,
    ],
    [
      'a field of a filter',
      (f) => edit(join(f, 'workers/w-ann.md'), 'from:', 'form:'),
      /workers\/w-ann\.md:\d+: unknown key subscriptions\.s-in\.form/,
    ],
    [
      'config of another transport',
      (f) => edit(join(f, 'streams/s-mail.yaml'), 'alias: hi', 'alias: HI!'),
      /streams\/s-mail\.yaml:\d+: transport: .*alias/,
    ],
    [
      'a name that is no id',
      (f) => writeFileSync(join(f, 'roles/Chef.md'), 'x'),
      /roles\/Chef\.md: "Chef" is not a Role id/,
    ],
    [
      'an empty text',
      (f) => writeFileSync(join(f, 'roles/r-clerk.md'), '\n'),
      /roles\/r-clerk\.md: role content is empty/,
    ],
    ['a file that is a folder', (f) => mkdirSync(join(f, 'roles/r-x.md')), /roles\/r-x\.md: this is no plain file/],
    [
      'no UTF-8',
      (f) => writeFileSync(join(f, 'roles/r-clerk.md'), Buffer.from([0xff])),
      /roles\/r-clerk\.md: this is no UTF-8/,
    ],
    ['a Worker without a head', (f) => writeFileSync(join(f, 'workers/w-eve.md'), 'Eve.'), /workers\/w-eve\.md:1: /],
    [
      'a key twice',
      (f) => edit(join(f, 'streams/s-in.yaml'), 'private: true', 'private: true\nprivate: true'),
      /streams\/s-in\.yaml:\d+: .*unique/,
    ],
    [
      'another form',
      (f) => writeFileSync(join(f, 'helix-org.yaml'), 'format: 2\n'),
      /helix-org\.yaml: this version reads "format: 1"/,
    ],
    ['no export', (f) => rmSync(join(f, 'helix-org.yaml')), /is no export/],
  ])('is refused before the first change for %s, with file and line', async (_what, change, says) => {
    const folder = await exported(await firm());
    change(folder);
    const other = await emptyOrg();
    const before = filesIn(await exported(other));
    const refused = await quiet(other, 'apply', folder, '--yes');
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(says) });
    expect(filesIn(await exported(other))).toEqual(before);
  });

  it('refuses another kind for a Worker there is, and an id that was given before', async () => {
    const dir = await firm();
    const folder = await exported(dir);
    edit(join(folder, 'workers/w-eve.md'), 'kind: human', 'kind: ai');
    expect((await quiet(dir, 'apply', folder, '--yes')).stderr).toMatch(/w-eve\.md:2: kind: w-eve is human, and/);
    const again = await exported(dir);
    await call(dir, 'fire_worker', { workerId: 'w-eve' });
    expect((await quiet(dir, 'apply', again, '--yes')).stderr).toMatch(/w-eve\.md.*fired on/);
  });
});
