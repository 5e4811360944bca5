// Makes `test/fixtures/journal-v<version>.sql`: a database as this release writes it, with every type of fact in it.
// What a release has written is never made again: later ones must read it as it is. After a new version of some entry
// type, raise FIXTURE, run `node test/support/journal-fixture.ts`, and commit the new files beside the old ones.
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type Database from 'better-sqlite3';
import type { Routing } from '../../src/domain/delivery.ts';
import { encodeMessage } from '../../src/domain/message.ts';
import type { Command } from '../../src/domain/org.ts';
import { type Db, openDatabase } from '../../src/store/database.ts';
import { type CommitOptions, openJournal } from '../../src/store/journal.ts';
import { dumpReadTables } from '../../src/store/rebuild.ts';
import { verifyJournal } from '../../src/store/verify.ts';

export const FIXTURE = 'journal-v1';

export const fixturePath = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

type Commit = (actor: string, command: Command, options?: CommitOptions) => Promise<number[]>;

const message = (text: string, fields: { thread_id?: string } = {}) => [
  { name: 'message', bytes: encodeMessage({ body: text, ...fields }) },
];

async function found(commit: Commit): Promise<void> {
  const owner = (command: Command) => commit('w-owner', command, { via: 'mcp' });
  const local = { kind: 'local', config: {} };
  const grants = [
    { grantId: 'g-1', tool: 'publish' },
    { grantId: 'g-2', tool: 'hire_worker' },
  ];
  await commit(
    'system',
    { type: 'FoundOrg', ownerRole: '# Owner\n\nOwn it.', ownerIdentity: 'Ü 日本 🙂', grants },
    { via: 'cli' },
  );
  await owner({ type: 'CreateRole', roleId: 'r-clerk', content: 'Answer "politely".\r\n' });
  await owner({ type: 'UpdateRole', roleId: 'r-clerk', content: "Answer, don't shout.\n" });
  await owner({ type: 'CreateRole', roleId: 'r-old', content: 'Old.' });
  await owner({ type: 'CreatePosition', positionId: 'p-desk', roleId: 'r-clerk', parentId: 'p-root' });
  await owner({ type: 'CreatePosition', positionId: 'p-back', roleId: 'r-old', parentId: null });
  await owner({ type: 'UpdatePosition', positionId: 'p-back', roleId: 'r-clerk', parentId: 'p-desk' });
  await owner({ type: 'CreatePosition', positionId: 'p-spare', roleId: 'r-clerk', parentId: 'p-desk' });
  await owner({ type: 'DeletePosition', positionId: 'p-spare' });
  await owner({ type: 'DeleteRole', roleId: 'r-old' });
  const webhook = { kind: 'webhook', config: { url: 'https://x.example/?a=1&b="2"' } };
  await owner({
    type: 'CreateStream',
    streamId: 's-in',
    name: 'In',
    description: 'What comes in.',
    transport: webhook,
    private: false,
  });
  await owner({
    type: 'CreateStream',
    streamId: 's-old',
    name: 'Old',
    description: '',
    transport: local,
    private: true,
  });
  await owner({ type: 'UpdateStream', streamId: 's-in', name: 'Inbox' });
}

async function hireAll(commit: Commit): Promise<void> {
  const hire = {
    type: 'HireWorker',
    positionId: 'p-desk',
    kind: 'ai',
    identity: 'A clerk.',
    grants: [],
    streams: [],
  } as const;
  const full = { grants: [{ grantId: 'g-3', tool: 'publish' }], streams: ['s-in', 's-old'] };
  await commit('w-owner', { ...hire, workerId: 'w-ada', ...full }, { via: 'ui', onBehalfOf: 'w-owner' });
  for (const workerId of ['w-bob', 'w-gone'])
    await commit('w-owner', { ...hire, workerId, grants: [], streams: ['s-in'] });
  await commit('w-owner', { ...hire, workerId: 'w-eve', kind: 'human', grants: [], streams: [] });
  await commit('w-owner', { type: 'UpdateIdentity', workerId: 'w-eve', content: 'Eve.', email: 'eve@example.com' });
  await commit('w-owner', { type: 'UpdateAgent', workerId: 'w-ada', agent: { kind: 'codex', runSeconds: 60 } });
  await commit('w-owner', { type: 'MoveWorker', workerId: 'w-bob', positions: ['p-desk', 'p-back'] });
  await commit('w-owner', { type: 'PauseWorker', workerId: 'w-bob' });
  await commit('w-owner', { type: 'ResumeWorker', workerId: 'w-bob' });
  await commit('w-owner', { type: 'GrantTool', grantId: 'g-4', workerId: 'w-bob', tool: 'agent:Bash(gh *)' });
  await commit('w-owner', { type: 'GrantTool', grantId: 'g-5', workerId: 'w-bob', tool: 'publish' });
  await commit('w-owner', { type: 'RevokeTool', grantId: 'g-5' });
  await commit('w-eve', { type: 'Subscribe', streamId: 's-in', filter: { from: ['*@example.com'] } });
  await commit('w-eve', { type: 'Unsubscribe', streamId: 's-in' });
  await commit('w-owner', { type: 'InviteWorkers', streamId: 's-in', workerIds: ['w-owner', 'w-eve'] });
  await commit('w-owner', { type: 'FireWorker', workerId: 'w-gone' });
}

/** @returns seqs of the Events on `s-in`: one from outside, one to be redacted, three too far from their cause */
async function talk(commit: Commit): Promise<number[]> {
  const raw = '{"id": 12345678901234567890, "u": "\\ud83d\\ude00"}';
  const content = [
    { name: 'message', bytes: encodeMessage({ body: 'outside', thread_id: 't-1' }, raw) },
    { name: 'raw', bytes: Buffer.from([0, 255, 10, 13]) },
  ];
  const once = {
    stream: 's-in',
    provider: 'webhook',
    key: 'k-1',
    bodyDigest: Buffer.alloc(32, 7),
    refuseOtherBody: true,
  };
  const [outside] = await commit(
    'transport:webhook',
    { type: 'Publish', streamId: 's-in', content },
    { once, via: 'transport' },
  );
  const [secret] = await commit('w-owner', {
    type: 'Publish',
    streamId: 's-in',
    content: message('secret', { thread_id: 't-1' }),
  });
  await commit('w-owner', { type: 'Publish', streamId: 's-old', content: message('old') });
  await commit('w-ada', { type: 'SendDm', toWorkerId: 'w-bob', body: 'hello' });
  await commit('system', { type: 'PostNotice', subject: 'Disk', body: 'Nearly full.' });
  const far: number[] = [];
  for (const text of ['released', 'discarded', 'held']) {
    const cause = { causedBy: outside!, root: outside!, hops: 8, activationId: 'a-0' };
    const [seq] = await commit('w-ada', { type: 'Publish', streamId: 's-in', content: message(text) }, { cause });
    far.push(seq!);
  }
  await commit('w-owner', { type: 'ReleaseEvent', event: far[0]!, streamId: 's-in' });
  await commit('w-owner', { type: 'DiscardEvent', event: far[1]!, streamId: 's-in' });
  await commit('w-owner', { type: 'ActivateWorker', workerId: 'w-bob', reason: 'Look.' });
  return [outside!, secret!, ...far];
}

async function work(commit: Commit, [outside, secret, released]: number[]): Promise<void> {
  const run = (activationId: string, workerId: string, triggers: number[]) =>
    commit('system', {
      type: 'StartActivation',
      activationId,
      workerId,
      triggers,
      attempt: 1,
      agent: { kind: 'command', version: '1.0' },
      ranWith: { roles: [1], identity: 2, grants: 3 },
      content: [{ name: 'prompt', bytes: Buffer.from('Act on this now.') }],
    });
  const ended = {
    type: 'EndActivation',
    exit: 'ok',
    published: 1,
    changed: 0,
    usage: { costUsd: 0.5 },
    settled: [],
    parked: [],
    open: null,
  } as const;
  const [first] = await run('a-1', 'w-ada', [secret!]);
  await commit('system', {
    ...ended,
    activationId: 'a-1',
    workerId: 'w-ada',
    outcome: 'done',
    throughSeq: secret!,
    settled: [secret!],
    parked: [],
  });
  await run('a-2', 'w-bob', [outside!, released!]);
  const open = {
    triggers: [released!],
    attempt: 2,
    oneByOne: true,
    notBefore: '2026-01-02T00:00:00.000Z',
    reason: 'exit code 1',
  };
  const notice = { subject: 'Parked', body: 'Look.' };
  const failed = {
    outcome: 'failed' as const,
    exit: 'exit code 1',
    throughSeq: outside!,
    settled: [],
    parked: [outside!],
    open,
    notice,
  };
  await commit('system', { ...ended, activationId: 'a-2', workerId: 'w-bob', ...failed });
  await run('a-3', 'w-ada', [outside!]);
  const held = { triggers: [secret!], reason: 'limit', root: outside!, notice };
  await commit('system', { type: 'HoldTriggers', workerId: 'w-bob', ...held });
  await commit('w-owner', { type: 'RequeueTriggers', workerId: 'w-bob', triggers: [outside!] });
  await commit('system', { type: 'ExpireTriggers', workerId: 'w-ada', triggers: [outside!], reason: 'too old' });
  for (const workerId of ['w-bob', null]) {
    await commit('system', { type: 'HoldWork', hold: `runs_per_hour:${workerId}`, workerId, reason: 'limit', notice });
  }
  await commit('system', { type: 'ResumeWork', hold: 'runs_per_hour:w-bob' });
  await commit('system', { type: 'DropTriggers', workerId: 'w-ada', triggers: [released!], reason: 'expired' });
  await commit('w-owner', {
    type: 'RedactEvent',
    event: secret!,
    streamId: 's-in',
    alsoErase: [first!],
    reason: 'Asked to.',
  });
  await commit('w-owner', { type: 'DeleteStream', streamId: 's-old' });
  await commit('w-owner', { type: 'PauseOrg' });
  await commit('w-owner', { type: 'ResumeOrg' });
}

/** What leaves, and what becomes of it. */
async function send(commit: Commit, { sqlite }: Db): Promise<void> {
  const transport = { kind: 'webhook', config: { outbound_url: 'https://x.example/' } };
  const streamId = 's-out';
  await commit('w-owner', { type: 'CreateStream', streamId, name: 'Out', description: '', transport, private: false });
  const idOf = sqlite.prepare('SELECT id FROM deliveries WHERE seq = ?').pluck();
  const publish = async (text: string) => {
    const [event] = await commit('w-owner', { type: 'Publish', streamId, content: message(text) });
    return { event: event!, streamId, deliveryId: idOf.get(event) as string };
  };
  const taken = await publish('taken');
  const receipt = { attempts: 1, messageId: '<1@x.example>', detail: 'HTTP 200' };
  await commit('system', { type: 'RecordDelivered', ...taken, ...receipt });
  const notice = { subject: 'A message was refused', body: 'Look.' };
  const refused = await publish('refused');
  const dead = { attempts: 1, reason: 'the target answered 400', gone: false, notice };
  await commit('system', { type: 'RecordDead', ...refused, ...dead });
  const gone = await publish('gone');
  await commit('system', {
    type: 'RecordDead',
    ...gone,
    attempts: 2,
    reason: 'the target answered 410 Gone',
    gone: true,
  });
  const { event, deliveryId } = refused;
  await commit('w-owner', { type: 'RequeueDeliveries', from: 'failed', event, streamId, deliveryIds: [deliveryId] });
  await commit('w-owner', { type: 'DiscardDeliveries', event, streamId, deliveryIds: [deliveryId] });
  await publish('waiting');
  await commit('w-owner', { type: 'UpdateStream', streamId, hold: true });
}

/** A database as text: what makes its tables, what is in them, then its indexes and triggers. The search index fills itself. */
function dump(sqlite: Database.Database): string {
  type Made = { type: string; name: string; sql: string };
  const made = sqlite
    .prepare(
      "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'search\\_%' ESCAPE '\\'",
    )
    .all() as Made[];
  const rowsOf = ({ name }: Made) => {
    const columns = sqlite.prepare(`SELECT name FROM pragma_table_info('${name}')`).pluck().all();
    const quoted = columns.map((column) => `quote("${column}")`).join(` || ', ' || `);
    const rows = sqlite.prepare(`SELECT ${quoted} FROM ${name}`).pluck().all();
    return rows.map((row) => `INSERT INTO ${name} VALUES (${row});`);
  };
  const tables = made.filter(({ type }) => type === 'table');
  const rows = tables.filter(({ name }) => name !== 'search').flatMap(rowsOf);
  const others = made.filter(({ type }) => type !== 'table');
  return `${[...tables.map(({ sql }) => `${sql};`), ...rows, ...others.map(({ sql }) => `${sql};`)].join('\n')}\n`;
}

/** What a fixture must come to: the head of its chain and its read tables. */
export const expectedOf = (db: Db): string => `head ${verifyJournal(db).head}\n\n${dumpReadTables(db)}\n`;

async function main(): Promise<void> {
  const sqlFile = fixturePath(`${FIXTURE}.sql`);
  if (existsSync(sqlFile)) throw new Error(`${sqlFile} exists; what was written once is never made again.`);
  const db = openDatabase(':memory:');
  let minutes = 0;
  const now = () => new Date(Date.UTC(2026, 0, 1, 0, minutes++));
  const routing: Routing = (_org, { streamId }) => (streamId === 's-out' ? [{ kind: 'webhook', lane: '' }] : []);
  const journal = openJournal({ db, now, routing, tools: new Set(['publish', 'hire_worker']) });
  const commit: Commit = async (actor, command, options) =>
    (await journal.commit(actor, command, options)).entries.map(({ seq }) => seq);
  await found(commit);
  await hireAll(commit);
  const at = '2026-01-01T01:00:00.000Z';
  journal.transcribe([{ worker: 'w-ada', activationId: 'a-1', at, body: '=== activation: event ===' }]);
  journal.transcribe([{ worker: 'w-ada', activationId: 'a-3', at, body: "it's done", extra: { tool: 'publish' } }]);
  await work(commit, await talk(commit));
  await send(commit, db);
  journal.close();
  writeFileSync(sqlFile, dump(db.sqlite));
  writeFileSync(fixturePath(`${FIXTURE}.expected.txt`), expectedOf(db));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
