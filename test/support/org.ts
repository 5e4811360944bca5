// An org on a real database: the journal and everything that reads it, as the daemon has them, without the daemon.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { ContentPart } from '../../src/domain/entry.ts';
import { encodeMessage, type Message } from '../../src/domain/message.ts';
import type { Command, DomainEvent } from '../../src/domain/org.ts';
import type { StreamBatch } from '../../src/domain/stream.ts';
import { openDatabase } from '../../src/store/database.ts';
import type { Entry } from '../../src/store/entries.ts';
import { createInbox } from '../../src/store/inbox.ts';
import { type CommitOptions, type JournalDeps, openJournal } from '../../src/store/journal.ts';
import { createQueries } from '../../src/store/queries.ts';
import { founding, TOOLS } from './given.ts';

export type TestOrg = ReturnType<typeof openOrg>;

/**
 * Opens an org, founding it when it is new. The caller closes it; {@link testOrg} does so by itself.
 * @param file `:memory:` unless given
 */
export function openOrg(file = ':memory:', deps: Partial<JournalDeps> = {}) {
  const db = openDatabase(file);
  const journal = openJournal({
    db,
    tools: TOOLS,
    onDiskFailure: (error) => {
      throw error;
    },
    ...deps,
  });
  const commit = (actor: string, command: Command, options?: CommitOptions) => journal.commit(actor, command, options);
  return {
    db,
    journal,
    queries: createQueries(db),
    inbox: createInbox(db),
    commit,
    /** The entries a command led to. */
    async entries(actor: string, command: Command, options?: CommitOptions): Promise<Entry[]> {
      return (await commit(actor, command, options)).entries;
    },
    /** seq of the Event. */
    async publish(
      actor: string,
      streamId: string,
      message: Message | string,
      options?: CommitOptions,
    ): Promise<number> {
      const { entries } = await commit(actor, { type: 'Publish', streamId, content: messageContent(message) }, options);
      return entries[0]!.seq;
    },
    async found() {
      await commit('system', founding);
    },
    close() {
      journal.close();
      db.sqlite.close();
    },
  };
}

/** A founded org that is closed when the test ends. */
export async function testOrg(file?: string, deps?: Partial<JournalDeps>): Promise<TestOrg> {
  const org = openOrg(file, deps);
  onTestFinished(() => org.close());
  if (org.journal.org.workers.size === 0) await org.found();
  return org;
}

/** A directory that is removed when the test ends. */
export function testDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'helix-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export const messageContent = (message: Message | string): ContentPart[] => [
  { name: 'message', bytes: encodeMessage(typeof message === 'string' ? { body: message } : message) },
];

export const typesOf = (entries: readonly { event: DomainEvent }[]) => entries.map(({ event }) => event.type);

/** The code and sentence with which a promise is refused. */
export async function refusal(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await promise.then(
    () => expect.fail('was not refused'),
    (reason: unknown) => reason as { code: string; message: string },
  );
  return { code: error.code, message: error.message };
}

/** A role, positions and Workers to try things with: `w-ada` and `w-bob` are AI, `w-eve` is human, all in their own seats. */
export async function staff(org: TestOrg): Promise<TestOrg> {
  await org.commit('w-owner', { type: 'CreateRole', roleId: 'r-clerk', content: 'Answer.' });
  for (const name of ['ada', 'bob', 'eve']) {
    await org.commit('w-owner', {
      type: 'CreatePosition',
      positionId: `p-${name}`,
      roleId: 'r-clerk',
      parentId: 'p-root',
    });
    await hire(org, `w-${name}`, { positionId: `p-${name}`, kind: name === 'eve' ? 'human' : 'ai' });
  }
  return org;
}

type HireOptions = Partial<Omit<Extract<Command, { type: 'HireWorker' }>, 'type' | 'workerId'>>;

export function hire(org: TestOrg, workerId: string, options: HireOptions = {}): Promise<Entry[]> {
  const defaults = { positionId: 'p-root', kind: 'ai', identity: 'A clerk.', grants: [], streams: [] } as const;
  return org.entries('w-owner', { type: 'HireWorker', workerId, ...defaults, grants: [], streams: [], ...options });
}

export function stream(
  org: TestOrg,
  streamId: string,
  options: { private?: boolean; batch?: StreamBatch } = {},
): Promise<Entry[]> {
  const fields = { name: streamId, description: '', transport: { kind: 'local', config: {} }, private: false };
  return org.entries('w-owner', { type: 'CreateStream', streamId, ...fields, ...options });
}

export const subscribe = (org: TestOrg, workerId: string, streamId: string) =>
  org.entries(workerId, { type: 'Subscribe', streamId, filter: null });
