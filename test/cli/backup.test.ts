// A backup is taken under load and restored elsewhere: nothing that was acknowledged before it is missing, nothing secret is in
// it, and what was restored waits for a person.
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tar from 'tar';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { createQueries } from '../../src/store/queries.ts';
import { dumpReadTables } from '../../src/store/rebuild.ts';
import { createSecretBox } from '../../src/store/secrets.ts';
import { unreadableSecrets } from '../../src/store/settings.ts';
import { verifyJournal } from '../../src/store/verify.ts';
import { type Acknowledged, load } from '../faults/serve.ts';
import { cli, connectOwner, startTestDaemon, temporaryDirectory, waitFor } from '../support/daemon.ts';

const quiet = (dir: string, ...argv: string[]) => cli([...argv, '--data-dir', dir, '--quiet']);

async function org() {
  const daemon = await startTestDaemon();
  const owner = await connectOwner(daemon);
  await owner.call('create_stream', { id: 's-in', name: 'in', transport: 'webhook' });
  const { secret } = await owner.call('create_stream', {
    id: 's-signed',
    name: 'signed',
    transport: { kind: 'webhook', config: { secret: true } },
  });
  return { daemon, owner, secret: secret as string };
}

describe('a backup', () => {
  it('taken under load and restored elsewhere holds all that was acknowledged before it, verifies, and is paused', async () => {
    const { daemon } = await org();
    const acknowledged: Acknowledged[] = [];
    const posting = load(daemon.url, 8, acknowledged, { prefix: 'k' });
    await waitFor('there is load', () => acknowledged.length > 300);
    const before = acknowledged.length;
    const file = join(temporaryDirectory(), 'org.tar');
    expect(await quiet(daemon.dir, 'backup', file)).toMatchObject({ code: 0, stderr: '' });
    await posting.stop();
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const elsewhere = join(temporaryDirectory(), 'new');
    const restored = await quiet(elsewhere, 'restore', file);
    expect(restored).toMatchObject({ code: 0, stderr: '' });
    expect(restored.stdout).toContain('The org is paused.');
    expect(restored.stdout).toContain('signing secret of s-signed');
    const db = openDatabase(join(elsewhere, 'org.db'));
    const queries = createQueries(db);
    expect(acknowledged.slice(0, before).filter(({ id, body }) => queries.event(id)?.body !== body)).toEqual([]);
    expect(verifyJournal(db).problems).toEqual([]);
    db.sqlite.close();

    const other = await startTestDaemon({ dir: elsewhere });
    expect(other.journal.org.paused).toBe(true);
    expect(await quiet(elsewhere, 'verify')).toMatchObject({ code: 0 });
  });

  it('without a daemon is the same org, byte by byte, with the folders', async () => {
    const { daemon, owner } = await org();
    await owner.call('hire_worker', { id: 'w-ann', positionId: 'p-root', kind: 'human', identityContent: 'Ann.' });
    // Which a restored one always is.
    await owner.call('pause_org');
    const folder = join(daemon.dir, 'workers', 'w-ann');
    mkdirSync(join(folder, 'notes'));
    writeFileSync(join(folder, 'notes', 'a.md'), 'remember');
    writeFileSync(join(folder, 'auth.json'), 'hush');
    symlinkSync('/etc/passwd', join(folder, 'link'));
    await daemon.stop();
    const file = join(temporaryDirectory(), 'org.tar');
    const made = await quiet(daemon.dir, 'backup', file);
    expect(made.stdout).toContain('w-ann/auth.json (credentials)');
    expect(made.stdout).toContain('w-ann/link (no plain file)');
    const elsewhere = join(temporaryDirectory(), 'new');
    expect(await quiet(elsewhere, 'restore', file)).toMatchObject({ code: 0 });
    expect(readFileSync(join(elsewhere, 'workers', 'w-ann', 'notes', 'a.md'), 'utf8')).toBe('remember');
    const [here, there] = [daemon.dir, elsewhere].map((dir) => {
      const db = openDatabase(join(dir, 'org.db'));
      const dump = dumpReadTables(db);
      db.sqlite.close();
      return dump;
    });
    expect(there).toBe(here);
  });

  it('holds secrets only when asked, and then goes on signing as before', async () => {
    const { daemon, secret } = await org();
    const places = [join(temporaryDirectory(), 'plain.tar'), join(temporaryDirectory(), 'secret.tar')] as const;
    await quiet(daemon.dir, 'backup', places[0]);
    await quiet(daemon.dir, 'backup', places[1], '--with-secrets');
    const key = readFileSync(join(daemon.dir, 'key'), 'utf8').trim();
    const token = readFileSync(join(daemon.dir, 'owner-token'), 'utf8').trim();
    const [plain, whole] = places.map((file) => readFileSync(file));
    for (const hidden of [key, token, secret]) expect(plain?.includes(hidden)).toBe(false);
    expect(plain?.includes('secret.stream.s-signed"')).toBe(true); // Named in the manifest.
    expect(whole?.includes(key)).toBe(true);
    const elsewhere = join(temporaryDirectory(), 'new');
    expect((await quiet(elsewhere, 'restore', places[1])).stdout).not.toContain('Set again');
    const other = await startTestDaemon({ dir: elsewhere });
    expect(other.settings.secret('stream.s-signed')).toBe(secret);
  });

  it('says where it was restored and what to type there, for whatever a person has to set again and nothing else', async () => {
    const { daemon } = await org();
    const { settings } = daemon;
    settings.set('transport.github', { token: 'hush' });
    const mine = ['login.codex', 'stream.s-signed'];
    const own = ['stream.s-signed.previous', 'provenance', 'mail.reply', 'github.hook.acme/site'];
    for (const name of [...mine, ...own]) settings.setSecret(name, 'hush');
    const file = join(temporaryDirectory(), 'org.tar');
    await quiet(daemon.dir, 'backup', file);
    const elsewhere = join(temporaryDirectory(), 'a new one');
    const { stdout } = await quiet(elsewhere, 'restore', file);
    const said = [...stdout.matchAll(/helix-org (.*) --data-dir '(.*)'$/gm)].map(([, words, dir]) => ({ words, dir }));
    expect(said.map(({ words }) => words)).toEqual([
      'serve',
      "call resume_org '{}'",
      'login codex',
      `call rotate_secret '{"streamId": "s-signed"}'`,
      'config set transport.github …',
    ]);
    for (const { dir } of said) expect(dir).toBe(elsewhere);
    expect(stdout.split('\n').filter((line) => line.startsWith('  '))).toHaveLength(5);
  });

  it('with secrets holds the key that opens them, also when the key is changed over and over meanwhile', async () => {
    const { daemon, secret } = await org();
    let isDone = false;
    let rotations = 0;
    const rotating = (async () => {
      for (; !isDone; rotations++) await daemon.control['key.rotate']({});
    })();
    const folder = temporaryDirectory();
    for (let round = 0; round < 5; round++) {
      const [file, key] = [join(folder, `${round}.db`), join(folder, `${round}.key`)];
      const before = rotations;
      await daemon.control.snapshot({ file, key });
      await waitFor('the key was changed again', () => rotations > before + 1);
      expect(statSync(key).mode & 0o777).toBe(0o600);
      const db = openDatabase(file);
      const box = createSecretBox(Buffer.from(readFileSync(key, 'utf8').trim(), 'base64'));
      expect(unreadableSecrets(db, box)).toEqual([]);
      db.sqlite.close();
    }
    const archive = join(folder, 'org.tar');
    expect(await quiet(daemon.dir, 'backup', archive, '--with-secrets')).toMatchObject({ code: 0 });
    isDone = true;
    await rotating;
    const elsewhere = join(temporaryDirectory(), 'new');
    expect(await quiet(elsewhere, 'restore', archive)).toMatchObject({ code: 0 });
    const other = await startTestDaemon({ dir: elsewhere });
    expect(other.settings.secret('stream.s-signed')).toBe(secret);
    expect(daemon.queries.events(['s-notices'], { limit: 1 })).toMatchObject([
      { message: { subject: 'The key of the secrets was changed', body: expect.stringContaining('key rotate') } },
    ]);
  }, 60_000);

  it('is refused where it would overwrite something, or has no place', async () => {
    const { daemon } = await org();
    const file = join(temporaryDirectory(), 'org.tar');
    writeFileSync(file, 'mine');
    expect(await quiet(daemon.dir, 'backup', file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('exists already'),
    });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(await quiet(daemon.dir, 'backup', '/nonexistent/org.tar')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('/nonexistent does not exist'),
    });
    expect((await quiet(daemon.dir, 'backup')).code).toBe(2);
  });
});

describe('restoring', () => {
  it('touches no organisation that is there', async () => {
    const { daemon } = await org();
    const file = join(temporaryDirectory(), 'org.tar');
    await quiet(daemon.dir, 'backup', file);
    expect(await quiet(daemon.dir, 'restore', file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('restore into an empty data directory'),
    });
  });

  it.each([
    ['no archive', async (file: string) => writeFileSync(file, 'hello'), /is no backup of helix-org/],
    [
      'an archive of something else',
      async (file: string) => {
        const folder = temporaryDirectory();
        writeFileSync(join(folder, 'other'), 'x');
        await tar.create({ file, cwd: folder }, ['other']);
      },
      /is no backup of helix-org/,
    ],
    [
      'an archive that points outside',
      async (file: string) => {
        const folder = temporaryDirectory();
        mkdirSync(join(folder, 'workers'));
        writeFileSync(join(folder, 'manifest.json'), '{}');
        symlinkSync('/etc', join(folder, 'workers', 'w-x'));
        await tar.create({ file, cwd: folder }, ['manifest.json', 'workers']);
      },
      /was made by another version/,
    ],
  ])('refuses %s, and leaves nothing behind', async (_what, make, message) => {
    const file = join(temporaryDirectory(), 'x.tar');
    await make(file);
    const dir = join(temporaryDirectory(), 'new');
    const { code, stderr } = await quiet(dir, 'restore', file);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(message) });
    expect(await quiet(dir, 'verify')).toMatchObject({ code: 1 });
  });

  it('refuses an archive whose journal was changed', async () => {
    const { daemon } = await org();
    const file = join(temporaryDirectory(), 'org.tar');
    await quiet(daemon.dir, 'backup', file);
    const folder = temporaryDirectory();
    await tar.extract({ file, cwd: folder });
    const db = openDatabase(join(folder, 'org.db'));
    db.sqlite.exec('DROP TRIGGER journal_no_delete; DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)');
    db.sqlite.close();
    const forged = join(temporaryDirectory(), 'forged.tar');
    await tar.create({ file: forged, cwd: folder }, ['manifest.json', 'org.db', 'workers']);
    const { code, stderr } = await quiet(join(temporaryDirectory(), 'new'), 'restore', forged);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/is not the one its manifest names|damaged/),
    });
  });
});
