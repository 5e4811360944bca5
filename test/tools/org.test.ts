import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

let daemon: TestDaemon;
let call: TestDaemon['call'];

beforeEach(async () => {
  daemon = await openTestDaemon();
  call = daemon.call;
});
afterEach(() => daemon.close());

const role = { id: 'r-cto', content: '# Role: CTO\n\nLeads.\n' };
const ai = { positionId: 'p-cto', kind: 'ai', identityContent: 'Prya.' };

async function seat(): Promise<void> {
  await call('create_role', role);
  await call('create_position', { id: 'p-cto', roleId: 'r-cto', parentId: 'p-root' });
}

const folder = (workerId: string) => join(daemon.core.paths.envsDir, workerId);

describe('Roles', () => {
  it('A50: get the id they are given, or one of their own; an empty text is refused', async () => {
    expect(await call('create_role', role)).toEqual({ id: 'r-cto' });
    expect((await call('create_role', { content: 'x' })).id).toMatch(/^r-[0-9a-f]{8}-[0-9a-f-]{27}$/);
    await expect(call('create_role', { id: 'r-empty', content: ' ' })).rejects.toThrow('role content is empty');
    await expect(call('create_role', {})).rejects.toThrow('role content is empty');
  });

  it('A51: a new text keeps when the Role was created', async () => {
    await call('create_role', role);
    const before = await call('get_role', { id: 'r-cto' });
    await call('update_role', { roleId: 'r-cto', content: 'new' });
    expect(await call('get_role', { id: 'r-cto' })).toMatchObject({ content: 'new', createdAt: before.createdAt });
    await expect(call('update_role', { roleId: 'r-cot', content: 'x' })).rejects.toThrow(
      /did you mean r-cto\?.*record not found$/,
    );
    await expect(call('update_role', { roleId: 'r-cto' })).rejects.toThrow('content is required');
  });

  it('A52 A53: a new text is at once in the folder of everybody it concerns', async () => {
    await seat();
    await call('hire_worker', { id: 'w-prya', ...ai });
    await call('update_role', { roleId: 'r-cto', content: 'new role' });
    await call('update_identity', { workerId: 'w-prya', content: 'new identity' });
    expect(readFileSync(join(folder('w-prya'), 'role.md'), 'utf8')).toBe('new role\n');
    expect(readFileSync(join(folder('w-prya'), 'identity.md'), 'utf8')).toBe('new identity\n');
  });

  it('are listed with title and summary, or whole; one in use is not deleted', async () => {
    await seat();
    const { roles, total } = (await call('list_roles')) as { roles: Record<string, unknown>[]; total: number };
    expect(total).toBe(2);
    expect(roles[0]).toMatchObject({ id: 'r-cto', title: 'CTO', summary: 'Leads.' });
    expect(roles[0]).not.toHaveProperty('content');
    expect(((await call('list_roles', { content: 'true' })).roles as { content: string }[])[0]?.content).toBe(
      role.content,
    );
    await expect(call('delete_role', { id: 'r-cto' })).rejects.toThrow('used by p-cto');
    await call('delete_position', { id: 'p-cto' });
    expect(await call('delete_role', { id: 'r-cto' })).toEqual({ id: 'r-cto' });
  });
});

describe('Positions', () => {
  it('A54: name what is missing; without a parent they are roots', async () => {
    await call('create_role', role);
    await expect(call('create_position', { roleId: 'r-x' })).rejects.toThrow(/role "r-x": record not found$/);
    await expect(call('create_position', { roleId: 'r-cto', parentId: 'p-x' })).rejects.toThrow(
      /parent "p-x": record not found$/,
    );
    const { id } = await call('create_position', { roleId: 'r-cto' });
    expect(await call('get_position', { id })).toMatchObject({ roleId: 'r-cto', parentId: null });
  });

  it('A55: only direct children are listed', async () => {
    await seat();
    await call('create_position', { id: 'p-dev', roleId: 'r-cto', parentId: 'p-cto' });
    expect((await call('list_position_children', { parentId: 'p-root' })).positions).toEqual([
      { id: 'p-cto', roleId: 'r-cto', parentId: 'p-root' },
    ]);
    await expect(call('update_position', { id: 'p-cto', parentId: 'p-dev' })).rejects.toThrow('below');
    await call('update_position', { id: 'p-dev', parentId: 'none' });
    expect(await call('get_position', { id: 'p-dev' })).toMatchObject({ parentId: null });
  });
});

describe('Hiring', () => {
  beforeEach(seat);

  it('A56 A57: makes the folder, the grants and the transcript Stream, to which the hirer listens; the Worker listens to nothing', async () => {
    expect(await call('hire_worker', { id: 'w-mark', ...ai, grants: [{ toolName: 'publish' }] })).toEqual({
      id: 'w-mark',
      granted: ['publish'],
    });
    expect(existsSync(join(folder('w-mark'), 'role.md'))).toBe(true);
    expect((await call('list_worker_grants', { workerId: 'w-mark' })).grants).toMatchObject([
      { workerId: 'w-mark', toolName: 'publish' },
    ]);
    expect(await call('stream_members', { streamId: 's-activations-w-mark' })).toMatchObject({ members: ['w-owner'] });
    expect((await call('get_worker', { id: 'w-mark' })).streams).toEqual([]);
  });

  it('A58: a person gets no transcript Stream', async () => {
    await call('hire_worker', { id: 'w-hana', ...ai, kind: 'human' });
    await expect(call('get_stream', { id: 's-activations-w-hana' })).rejects.toThrow('record not found');
  });

  it('A59 A60: wrong kinds, missing texts and unknown Positions are refused by name', async () => {
    await expect(call('hire_worker', { ...ai, kind: 'robot' })).rejects.toThrow(
      'unknown worker kind "robot" (valid: "human", "ai")',
    );
    await expect(call('hire_worker', { positionId: 'p-cto', kind: 'ai' })).rejects.toThrow(
      'identityContent is required',
    );
    await expect(call('hire_worker', { ...ai, positionId: 'p-x' })).rejects.toThrow(
      /position "p-x": record not found$/,
    );
  });

  it('A61: takes grants as a list, as the JSON text of one, as null, or not at all', async () => {
    const given = [[{ toolName: 'publish' }], '[{"toolName":"publish"}]', null, undefined, ['publish'], ''];
    const granted = [];
    for (const [n, grants] of given.entries())
      granted.push((await call('hire_worker', { id: `w-n${n}`, ...ai, grants })).granted);
    expect(granted).toEqual([['publish'], ['publish'], [], [], ['publish'], []]);
    await expect(call('hire_worker', { id: 'w-bad', ...ai, grants: 'publish' })).rejects.toThrow('parse args: grants');
  });

  it('takes grants from the Role, and warns of tools the Role mentions but nobody granted', async () => {
    await call('update_role', {
      roleId: 'r-cto',
      content: '# CTO\n\n## Tools (MCP)\n\n- `publish`, `dm`\n\n## Notes\n\nNever use `fire_worker`.',
    });
    expect(await call('hire_worker', { id: 'w-prya', ...ai })).toEqual({
      id: 'w-prya',
      granted: ['publish', 'dm'],
      warnings: ['The Role mentions fire_worker, which w-prya was not granted.'],
    });
  });

  it('warns, whichever comes first, when one who can act on the machine hears strangers', async () => {
    await call('create_stream', { id: 's-in', name: 'in', transport: 'webhook' });
    await call('create_stream', { id: 's-talk', name: 'talk' });
    const warning = [expect.stringMatching(/^w-\w+ holds agent:Bash and listens to s-in, where strangers write/)];
    const given = { grants: ['agent:Bash', 'subscribe'] };
    expect(await call('hire_worker', { id: 'w-eva', ...ai, ...given, streams: ['s-in'] })).toMatchObject({
      warnings: warning,
    });
    expect(await call('hire_worker', { id: 'w-bob', ...ai, ...given, streams: ['s-talk'] })).not.toHaveProperty(
      'warnings',
    );
    expect(await call('subscribe', { streamId: 's-in' }, 'w-bob')).toMatchObject({ warnings: warning });
    await call('hire_worker', { id: 'w-cid', ...ai, grants: ['agent:Bash'] });
    expect(await call('invite_workers', { streamId: 's-in', workerIds: ['w-cid'] })).toMatchObject({
      warnings: warning,
    });
    await call('hire_worker', { id: 'w-dan', ...ai, grants: [], streams: ['s-in'] });
    expect(await call('grant_tool', { workerId: 'w-dan', toolName: 'agent:Bash' })).toMatchObject({
      warnings: warning,
    });
    expect(await call('grant_tool', { workerId: 'w-dan', toolName: 'publish' })).not.toHaveProperty('warnings');
  });

  it('A63 A64: a refused hire leaves nothing behind', async () => {
    const before = daemon.core.journal.lastSeq;
    const wrong = [
      { grants: [{ toolName: '' }] },
      { grants: ['no_tool'] },
      { streams: ['s-x'] },
      { id: 'w-owner' },
      { positionId: 'p-x' },
    ];
    for (const fault of wrong) await expect(call('hire_worker', { id: 'w-new', ...ai, ...fault })).rejects.toThrow();
    expect(daemon.core.journal.lastSeq).toBe(before);
    expect(existsSync(folder('w-new'))).toBe(false);
    await expect(call('hire_worker', { id: 'w-owner', ...ai })).rejects.toThrow('already exists');
  });

  it('A65: an id that could leave its folder is refused wherever one is supplied', async () => {
    for (const id of ['w-../x', '../x', 'w-', 'w-A', 'w-a b', 'w-a\u0000', `w-${'a'.repeat(47)}`, 'x-a']) {
      await expect(call('hire_worker', { id, ...ai })).rejects.toThrow(/Worker id/);
      await expect(call('create_stream', { id: id.replace('w-', 's-'), name: id })).rejects.toThrow(/Stream id/);
    }
  });

  it('twenty hires of one id at once give one Worker', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => call('hire_worker', { id: 'w-one', ...ai })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(((await call('list_workers')).workers as { id: string }[]).filter(({ id }) => id === 'w-one')).toHaveLength(
      1,
    );
  });

  it('A66: Workers are listed with Role titles and state, without who they are', async () => {
    await call('hire_worker', { id: 'w-prya', ...ai });
    expect((await call('list_workers')).workers).toEqual([
      { id: 'w-owner', kind: 'human', positions: ['p-root'], roles: ['Owner'], state: 'idle' },
      { id: 'w-prya', kind: 'ai', positions: ['p-cto'], roles: ['CTO'], state: 'idle' },
    ]);
  });

  it('A67: a Grant has an id by which it is found and taken away', async () => {
    await call('hire_worker', { id: 'w-prya', ...ai, grants: ['publish'] });
    const [grant] = (await call('list_worker_grants', { workerId: 'w-prya' })).grants as { id: string }[];
    expect(await call('get_grant', { id: grant?.id })).toEqual({
      id: grant?.id,
      workerId: 'w-prya',
      toolName: 'publish',
    });
    await call('revoke_tool', { grantId: grant?.id });
    await expect(call('publish', { streamId: 's-x', body: 'x' }, 'w-prya')).rejects.toThrow('does not hold publish');
    await expect(call('get_grant', { id: grant?.id })).rejects.toThrow('record not found');
  });

  it('A69: a tool that does not exist cannot be granted; granting twice is once', async () => {
    await call('hire_worker', { id: 'w-prya', ...ai });
    const grant = (toolName: string) => call('grant_tool', { workerId: 'w-prya', toolName });
    await expect(grant('publsh')).rejects.toThrow('did you mean publish?');
    await expect(grant('mcp__helix__publish')).rejects.toThrow('publish, not mcp__helix__publish');
    expect((await grant('publish')).id).toBe((await grant('publish')).id);
    expect((await call('list_worker_grants', { workerId: 'w-prya' })).total).toBe(1);
    expect((await grant('agent:Bash(gh *)')).id).toMatch(/^g-/);
  });

  it('nobody but the owner gives what they do not hold', async () => {
    await call('hire_worker', { id: 'w-prya', ...ai, grants: ['grant_tool', 'publish', 'hire_worker'] });
    await call('grant_tool', { workerId: 'w-prya', toolName: 'publish' }, 'w-prya');
    await expect(call('grant_tool', { workerId: 'w-prya', toolName: 'fire_worker' }, 'w-prya')).rejects.toThrow(
      'does not hold fire_worker',
    );
    await expect(call('hire_worker', { id: 'w-spy', ...ai, grants: ['pause_org'] }, 'w-prya')).rejects.toThrow(
      'does not hold pause_org',
    );
  });
});
