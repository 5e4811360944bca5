// Everything that stands on the database alone: what a running daemon and a command without one have in common.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolders, type Folders } from '../dispatch/folder.ts';
import { transportInfo } from '../http/transport-info.ts';
import { promptCatalog } from '../prompts/catalog.ts';
import { createPrompts, type Prompts } from '../prompts/prompts.ts';
import { keepFilesApart } from '../store/attachments.ts';
import { type Db, type Durability, openDatabase, removeCopies } from '../store/database.ts';
import type { CommitLimits } from '../store/decisions.ts';
import { type Journal, openJournal } from '../store/journal.ts';
import { createQueries, type Queries } from '../store/queries.ts';
import { openSecretBox } from '../store/secrets.ts';
import { createSettings, type Settings, sealedSample } from '../store/settings.ts';
import { createTokens, type Tokens } from '../store/tokens.ts';
import { toolNames } from '../tools/catalog.ts';
import type { Lifecycle, ToolDeps } from '../tools/define-tool.ts';
import { createWaits, type Waits } from '../tools/waits.ts';
import { transports } from '../transports/catalog.ts';
import { withColleagues } from '../transports/colleague-routing.ts';
import { ACCOUNT_KEY } from '../transports/email-config.ts';
import { createRouting } from '../transports/routing.ts';
import { makeSecret } from '../transports/webhook-signature.ts';
import { createDataDir, type DataPaths } from './data-dir.ts';
import { packageRoot } from './package-root.ts';
import { accountSettings } from './setting-registry.ts';

export type CoreConfig = {
  paths: DataPaths;
  durability?: Durability;
  /** Settings that win over what is stored. */
  settings?: Record<string, unknown>;
  now?: () => Date;
  onDiskFailure?: (error: unknown) => void;
  /** Told how long each command took until it was on disk. */
  onCommitted?: (seconds: number) => void;
  /** How processes on this machine reach the daemon. */
  url(): string;
  /** How the outside does. */
  publicUrl(): string;
};

export type Core = {
  paths: DataPaths;
  db: Db;
  settings: Settings;
  journal: Journal;
  queries: Queries;
  tokens: Tokens;
  waits: Waits;
  folders: Folders;
  prompts: Prompts;
  /** What every agent is told besides its Role. */
  policy: string;
  mcpUrl(workerId: string): string;
  /** What tools are given. */
  toolDeps(lifecycle: Lifecycle, stateOf: (workerId: string) => string): ToolDeps;
  close(): void;
};

/** Opens the data, which must be locked by the caller; makes them when they are not there. */
export function openCore({ paths, durability = 'full', url, publicUrl, ...config }: CoreConfig): Core {
  createDataDir(paths);
  const db = openDatabase(paths.db, durability);
  try {
    const { now, onDiskFailure } = config;
    const settings = createSettings(db, openSecretBox(paths.keyFile, sealedSample(db)), {
      accounts: accountSettings,
      ...(config.settings ? { overrides: config.settings } : {}),
    });
    const limits = () => commitLimits(settings);
    const opened = openJournal({
      db,
      limits,
      tools: toolNames,
      routing: withColleagues(createRouting(transports), () => settings.account(ACCOUNT_KEY) !== undefined),
      ...(now ? { now } : {}),
      ...(onDiskFailure ? { onDiskFailure } : {}),
    });
    const journal = timed(keepFilesApart(opened, db), config.onCommitted);
    journal.onCommit((entries) => {
      for (const { event } of entries) if (event.type === 'EventRedacted') forgetFiles(event.event);
      if (paths.db !== ':memory:' && entries.some(({ event }) => event.type === 'EventRedacted'))
        removeCopies(paths.db);
    });
    const queries = createQueries(db);
    const tokens = createTokens(db, now);
    const waits = createWaits(journal);
    const policy = promptText('agent-policy.md');
    const mcpUrl = (workerId: string) => `${url()}/workers/${workerId}/mcp`;
    const folders = createFolders({ queries, envsDir: paths.envsDir, policy, mcpUrl });
    const forgetFiles = (seq: number) => {
      const id = queries.eventAt(seq)?.id;
      const shown = new Set(queries.activationsBy(seq).map(({ worker }) => worker));
      if (id !== undefined) folders.forget(id, shown);
    };
    const infos = new Map(
      [...transports].map(([kind, transport]) => [kind, transportInfo(transport, publicUrl, settings.account)]),
    );
    return {
      paths,
      db,
      settings,
      journal,
      queries,
      tokens,
      waits,
      folders,
      prompts: createPrompts(promptCatalog, { journal, text: promptText }),
      policy,
      mcpUrl,
      toolDeps: (lifecycle, stateOf) => ({
        journal,
        queries,
        settings,
        waits,
        transports: infos,
        lifecycle,
        stateOf,
        prepareFolder: (workerId) => folders.prepare(workerId).folder,
        newId: randomUUID,
        now: now ?? (() => new Date()),
        makeSecret,
      }),
      close() {
        journal.close();
        db.sqlite.close();
      },
    };
  } catch (error) {
    db.sqlite.close();
    throw error;
  }
}

function timed(journal: Journal, onCommitted?: (seconds: number) => void): Journal {
  if (!onCommitted) return journal;
  const commit: Journal['commit'] = async (...args) => {
    const from = performance.now();
    const committed = await journal.commit(...args);
    onCommitted((performance.now() - from) / 1_000);
    return committed;
  };
  return Object.create(journal, { commit: { value: commit, enumerable: true } }) as Journal;
}

function commitLimits(settings: Settings): CommitLimits {
  const perMinute = settings.get('dispatch.publish_per_minute');
  const publish = perMinute === null ? {} : { publish: { perMinute, burst: settings.get('dispatch.publish_burst') } };
  return { maxHops: settings.get('dispatch.max_hops'), ...publish };
}

/** A text of `templates/prompts`. */
export const promptText = (name: string): string =>
  readFileSync(join(packageRoot, 'templates', 'prompts', name), 'utf8');
