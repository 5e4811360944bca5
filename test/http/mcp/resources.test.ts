import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestDaemon, type TestDaemon } from '../../support/http.ts';
import { clients, connectModern, type McpClient } from '../../support/mcp-clients.ts';

let daemon: TestDaemon;
let folder: string;

beforeAll(async () => {
  daemon = await openTestDaemon();
  await daemon.hire('w-reader', { grants: ['read_events', 'get_role', 'worker_log', 'publish'] });
  await daemon.hire('w-mute', { grants: ['publish'] });
  await daemon.hire('w-other', { grants: ['read_events', 'worker_log', 'dm'] });
  await daemon.call('create_stream', { id: 's-open', name: 'Open', description: 'For all.' });
  await daemon.call('create_stream', { id: 's-closed', name: 'Closed', private: true });
  for (const body of ['first', 'second']) await daemon.call('publish', { streamId: 's-open', body });
  await daemon.call('dm', { toWorkerId: 'w-mute', body: 'between us' }, 'w-other');
  folder = daemon.core.folders.pathOf('w-reader');
});
afterAll(() => daemon.close());

const endpoint = (workerId: string) => `${daemon.url}/workers/${workerId}/mcp`;
const clientOf = (workerId: string) => connectModern(endpoint(workerId), daemon.token(workerId));
const urisOf = async (client: McpClient) => (await client.resources()).resources.map(({ uri }) => uri);

describe.each(clients)('%s', (_name, connect) => {
  test('lists and reads Roles, Streams and its own files', async () => {
    writeFileSync(join(folder, 'notes.md'), '# Notes\n');
    const client = await connect(endpoint('w-reader'), daemon.token('w-reader'));
    const { resources } = await client.resources();
    expect(resources).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ uri: 'helix://folder/notes.md', mimeType: 'text/markdown', size: 8 }),
        expect.objectContaining({ uri: 'helix://roles/r-reader', title: 'reader' }),
        expect.objectContaining({ uri: 'helix://streams/s-open', title: 'Open', description: 'For all.' }),
      ]),
    );
    expect(await client.templates()).toEqual([
      'helix://roles/{roleId}',
      'helix://streams/{streamId}',
      'helix://folder/{+path}',
    ]);
    expect(await client.read('helix://folder/notes.md')).toMatchObject({ text: '# Notes\n' });
    expect(await client.read('helix://roles/r-reader')).toMatchObject({ text: '# Role: reader' });
    const stream = JSON.parse((await client.read('helix://streams/s-open')).text ?? '');
    expect(stream).toMatchObject({ id: 's-open', name: 'Open', events: [{ body: 'second' }, { body: 'first' }] });
    await client.close();
  });

  test('is refused what is not there with −32602 or −32002, as its revision says', async () => {
    const client = await connect(endpoint('w-reader'), daemon.token('w-reader'));
    for (const uri of [
      'helix://roles/r-none',
      'helix://streams/s-none',
      'helix://folder/none.md',
      'file:///etc/passwd',
    ])
      await expect(client.read(uri)).rejects.toMatchObject({ code: expect.toBeOneOf([-32602, -32002]) });
    await client.close();
  });
});

test('Streams follow the may-read rule and need a tool that reads', async () => {
  const reader = await clientOf('w-reader');
  const uris = await urisOf(reader);
  expect(uris).toContain('helix://streams/s-open');
  const dm = [...daemon.core.journal.org.streams].find(([, { purpose }]) => purpose === 'dm')?.[0];
  for (const hidden of ['s-closed', 's-notices', dm, 's-activations-w-other']) {
    expect(uris).not.toContain(`helix://streams/${hidden}`);
    await expect(reader.read(`helix://streams/${hidden}`)).rejects.toThrow('not found');
  }
  // Its own transcript is readable, though not listed.
  expect(uris).not.toContain('helix://streams/s-activations-w-reader');
  expect(JSON.parse((await reader.read('helix://streams/s-activations-w-reader')).text ?? '')).toMatchObject({
    events: [],
  });
  await reader.close();

  const other = await clientOf('w-other');
  expect(await urisOf(other)).toContain(`helix://streams/${dm}`);
  expect(JSON.parse((await other.read(`helix://streams/${dm}`)).text ?? '')).toMatchObject({
    events: [{ body: 'between us' }],
  });
  await other.close();

  // A member of the conversation, but without any tool to read with.
  const mute = await clientOf('w-mute');
  expect((await urisOf(mute)).filter((uri) => !uri.startsWith('helix://folder/'))).toEqual([]);
  expect(await mute.templates()).toEqual(['helix://folder/{+path}']);
  for (const uri of ['helix://streams/s-open', `helix://streams/${dm}`, 'helix://roles/r-mute'])
    await expect(mute.read(uri)).rejects.toThrow('not found');
  await mute.close();

  const owner = await clientOf('w-owner');
  expect(await urisOf(owner)).toEqual(expect.arrayContaining(['helix://streams/s-closed', `helix://streams/${dm}`]));
  await owner.close();
});

describe('files', () => {
  const reading = async (path: string): Promise<string> => {
    const client = await clientOf('w-reader');
    try {
      const { text, blob } = await client.read(`helix://folder/${path}`);
      return text ?? `base64:${blob}`;
    } catch (error) {
      return `refused: ${(error as Error).message}`;
    } finally {
      await client.close();
    }
  };
  const listing = async () => {
    const client = await clientOf('w-reader');
    const uris = await urisOf(client);
    await client.close();
    return uris.flatMap((uri) => (uri.startsWith('helix://folder/') ? [uri.slice('helix://folder/'.length)] : []));
  };

  test('are read wherever they lie inside, whatever their names', async () => {
    mkdirSync(join(folder, 'a b/ü'), { recursive: true });
    writeFileSync(join(folder, 'a b/ü/c#d?.txt'), 'deep');
    writeFileSync(join(folder, 'bytes.bin'), Buffer.from([0xff, 0xfe, 0]));
    expect(await listing()).toContain('a%20b/%C3%BC/c%23d%3F.txt');
    expect(await reading('a%20b/%C3%BC/c%23d%3F.txt')).toBe('deep');
    expect(await reading('bytes.bin')).toBe('base64://4A');
    expect(await listing()).toEqual(expect.arrayContaining(['role.md', 'identity.md', 'agent.md']));
  });

  test('mcp.json, what begins with a dot, and folders of other people’s code are not shown', async () => {
    for (const hidden of ['.claude', '.config', 'node_modules']) {
      mkdirSync(join(folder, hidden), { recursive: true });
      writeFileSync(join(folder, hidden, 'x.json'), 'secret');
    }
    writeFileSync(join(folder, '.env'), 'secret');
    const listed = (await listing()).join(' ');
    expect(listed).not.toMatch(/mcp\.json|\.claude|\.config|node_modules|\.env/);
    for (const path of ['mcp.json', '.env', '.claude/x.json', '.config/x.json', 'node_modules/x.json', 'a/../mcp.json'])
      expect(await reading(path)).toMatch(/^refused: There is no file/);
  });

  test('no way leads out of the folder', async () => {
    const outside = join(daemon.core.paths.dataDir, 'owner-token');
    const others = daemon.core.folders.pathOf('w-other');
    writeFileSync(outside, 'secret');
    symlinkSync(outside, join(folder, 'link.txt'));
    symlinkSync(daemon.core.paths.dataDir, join(folder, 'up'));
    symlinkSync(others, join(folder, 'other'));
    symlinkSync('link.txt', join(folder, 'link-to-link'));
    expect((await listing()).filter((path) => /link|^up|^other/.test(path))).toEqual([]);
    for (const path of [
      'link.txt',
      'link-to-link',
      'up/owner-token',
      'other/role.md',
      '../w-other/role.md',
      '..%2Fw-other%2Frole.md',
      '%2e%2e/w-other/role.md',
      '/etc/passwd',
      '%2Fetc%2Fpasswd',
      'a/./../../../owner-token',
      '..\\w-other\\role.md',
      'role.md%00.txt',
      '%E0%A4%A',
      '',
    ])
      expect([path, await reading(path)]).toEqual([path, expect.stringMatching(/^refused: /)]);
  });

  test('only plain files of at most 1 MB are read; a folder or a pipe is none', async () => {
    writeFileSync(join(folder, 'large.txt'), 'x'.repeat(1_048_577));
    writeFileSync(join(folder, 'limit.txt'), 'x'.repeat(1_048_576));
    const { execFileSync } = await import('node:child_process');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect(await reading('large.txt')).toMatch(/^refused: large\.txt has 1048577 bytes; files of at most 1048576/);
    expect(await reading('limit.txt')).toHaveLength(1_048_576);
    expect(await reading('pipe')).toMatch(/^refused: There is no file/);
    expect(await reading('a%20b')).toMatch(/^refused: There is no file/);
    expect(await listing()).not.toContain('pipe');
    linkSync(join(folder, 'notes.md'), join(folder, 'same.md'));
    expect(await reading('same.md')).toBe('# Notes\n');
  });
});
