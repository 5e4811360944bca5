// The composition root: everything a daemon is made of, in the order in which it comes to life.
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { stopActivationProcesses } from '../agents/process-tree.ts';
import { createActivationTokens } from '../dispatch/activation-tokens.ts';
import type { Courier } from '../dispatch/courier.ts';
import { createDispatcher, type Dispatcher } from '../dispatch/dispatcher.ts';
import { recover } from '../dispatch/recovery.ts';
import type { Agent, AgentCheck } from '../domain/agent.ts';
import { OWNER } from '../domain/ids.ts';
import { createApp } from '../http/app.ts';
import { createAgentSessions } from '../store/agent-sessions.ts';
import type { Durability } from '../store/database.ts';
import { createExpired } from '../store/expired.ts';
import { createHeldTriggers } from '../store/held-triggers.ts';
import { createInbox } from '../store/inbox.ts';
import { createProcesses } from '../store/processes.ts';
import { createToolDoor, type ToolDoor } from '../tools/call-tool.ts';
import { catalog } from '../tools/catalog.ts';
import { transports } from '../transports/catalog.ts';
import type { Address } from './address.ts';
import { agentOf } from './agents.ts';
import { type Control, createControl } from './control.ts';
import { type Core, openCore } from './core.ts';
import { removeDaemonFile, writeDaemonFile } from './daemon-file.ts';
import { createDataDir, type DataPaths } from './data-dir.ts';
import { createLifecycle } from './lifecycle.ts';
import { silentLogger } from './logger.ts';
import { startMaintenance } from './maintenance.ts';
import { ensureOwner, ensureOwnerToken } from './owner.ts';
import { createPageParts, type PageParts } from './page-parts.ts';
import { createReach } from './reach.ts';
import { lockOrRefuse } from './running-daemon.ts';
import { startSearchFilling } from './search-filling.ts';
import { createSending } from './sending.ts';
import { createShutdown, type Shutdown } from './shutdown.ts';
import { startTimekeeping } from './timekeeping.ts';
import { version } from './version.ts';
import { createWorkerEnvironment } from './worker-environment.ts';

export type DaemonConfig = {
  paths: DataPaths;
  address: Address;
  /** Where the outside reaches it, when that is not this machine's own name. */
  publicUrl?: string;
  /** Everything is served at the public URL too, not only what providers send. */
  publicUi?: boolean;
  /** Further host names under which everything is served. */
  allowedHosts?: string[];
  durability?: Durability;
  /** Settings that win over what is stored. */
  settings?: Record<string, unknown>;
};

/** What tests put in the place of the real thing. */
export type DaemonOverrides = {
  agent?: Agent;
  log?: Logger;
  now?: () => Date;
  /** Calls back after so many milliseconds; returns what cancels it. */
  after?: (delayMs: number, callback: () => void) => () => void;
  keepAliveMs?: number;
};

export type Daemon = Pick<Core, 'paths' | 'db' | 'journal' | 'queries' | 'settings' | 'tokens' | 'waits'> & {
  /** How processes on this machine reach it. */
  url: string;
  publicUrl: string;
  port: number;
  door: ToolDoor;
  dispatcher: Dispatcher;
  courier: Courier;
  control: Control;
  ownerToken: string;
  agent: { kind: string; check(): Promise<AgentCheck> };
  /** Settles when what a crash cut off is ended and Workers run again. Rejects never. */
  recovered: Promise<void>;
  /** Takes nothing new, stops what runs, and gives the data back, within 10 s; twice is once. */
  stop(): Promise<void>;
};

const WAITING_COUNTED = 100;
const RECOVERY_RETRY_MS = 5_000;

/** Resolves when the daemon answers. @throws OrgError when another daemon has the data */
export async function startDaemon(config: DaemonConfig, overrides: DaemonOverrides = {}): Promise<Daemon> {
  const { paths, address, settings: given, durability } = config;
  const edges: Edges = { log: silentLogger(), now: () => new Date(), after: unrefTimer, ...overrides };
  const { log, now, after } = edges;
  const shutdown = createShutdown(log);
  try {
    await takeData(paths, shutdown);
    const reach = createReach(config);
    const core = openCore({
      paths,
      now,
      ...reach,
      ...(durability ? { durability } : {}),
      ...(given ? { settings: given } : {}),
    });
    shutdown.last('the journal and the database', () => core.close());
    const { db, journal, queries, settings, tokens, waits } = core;
    const isNew = await ensureOwner(core);
    log.info(isNew ? 'the org was founded' : 'bootstrap skipped: the org is already initialised');
    const ownerToken = ensureOwnerToken(tokens, paths.ownerTokenFile);

    const agent = overrides.agent ?? agentOf(settings);
    const dispatch = createDispatch(core, agent, edges);
    const { dispatcher } = dispatch;
    shutdown.first('the dispatcher', () => dispatcher.stop());
    const courier = createSending(core, edges);
    shutdown.first('the courier', () => courier.stop());
    const lifecycle = createLifecycle({ tokens, folders: core.folders, dispatcher, courier });
    const toolDeps = core.toolDeps(lifecycle, (workerId) => dispatcher.activity(workerId));
    const onBug = (reference: string, error: unknown) => log.error({ err: error, reference }, 'a tool failed');
    const door = createToolDoor(catalog, toolDeps, onBug);
    const about = { pid: process.pid, version, startedAt: now().toISOString() };
    const busy = () => ({ running: dispatcher.running, waiting: waits.size });
    const status = () => ({ ...about, url: reach.url(), publicUrl: reach.publicUrl(), agent: agent.kind, ...busy() });
    const pagesUrl = config.publicUi ? reach.publicUrl : reach.url;
    const control = createControl({ core, url: pagesUrl, publicUrl: reach.publicUrl, status });

    const pages = createPageParts({ core, toolDeps, agent, dispatcher, ...reach, startedAt: about.startedAt });
    const isStopping = () => shutdown.isUnderWay;
    const app = createHttp(config, edges, { core, dispatch, door, control, pages, isStopping });
    shutdown.first('the server', () => app.close());
    await app.listen(address);
    reach.bind(app.server.address() as AddressInfo);
    const [url, publicUrl] = [reach.url(), reach.publicUrl()];
    core.folders.prepare(OWNER); // The port of its endpoint may be known only now.
    writeDaemonFile(paths.daemonFile, { ...about, url, db: paths.db });
    log.info({ url, publicUrl, dataDir: paths.dataDir, db: paths.db, agent: agent.kind }, 'server listening');

    const onFailure = (what: string) => (error: unknown) => log.error({ err: error }, what);
    const { search } = queries;
    const filling = startSearchFilling({ search, after, onFailure: onFailure('the search index could not be filled') });
    shutdown.first('the search index', filling);
    const kept = { db, tokens, settings, journal, now, after };
    const maintenance = startMaintenance({ ...kept, onFailure: onFailure('maintenance failed') });
    shutdown.first('maintenance', maintenance);
    courier.start();
    shutdown.first('the clock', startTimekeeping(core, edges));
    const recovered = recoverThenStart(core, dispatch, { log, now, after, isStopping: () => shutdown.isUnderWay });
    const parts = { paths, db, journal, queries, settings, tokens, waits, door, dispatcher, courier, control, agent };
    return { ...parts, ownerToken, recovered, url, publicUrl, port: reach.port(), stop: () => shutdown.run() };
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

type Edges = DaemonOverrides & Required<Pick<DaemonOverrides, 'log' | 'now' | 'after'>>;
type Dispatch = ReturnType<typeof createDispatch>;

/** The data directory is ours from here until the shutdown's end. */
async function takeData(paths: DataPaths, shutdown: Shutdown): Promise<void> {
  createDataDir(paths);
  const lock = await lockOrRefuse(paths);
  shutdown.last('the lock', () => lock.release());
  // What a killed daemon left behind.
  removeDaemonFile(paths.daemonFile);
  shutdown.last('daemon.json', () => removeDaemonFile(paths.daemonFile));
}

function createDispatch(core: Core, agent: Agent, { log, now, after }: Edges) {
  const inbox = createInbox(core.db);
  const processes = createProcesses(core.db);
  const activationTokens = createActivationTokens();
  const onFailure = (error: unknown) => log.error({ err: error }, 'an activation could not be recorded');
  const environment = createWorkerEnvironment({ ...core, dataDir: core.paths.dataDir, path: process.env.PATH ?? '' });
  const dispatcher = createDispatcher({
    ...core,
    environment,
    inbox,
    expired: createExpired(core.db),
    heldTriggers: createHeldTriggers(core.db),
    processes,
    agent,
    sessions: createAgentSessions(core.db),
    tokens: activationTokens,
    now,
    after,
    onFailure,
  });
  return { inbox, processes, activationTokens, dispatcher };
}

type HttpParts = {
  core: Core;
  dispatch: Dispatch;
  door: ToolDoor;
  control: Control;
  pages: PageParts;
  isStopping(): boolean;
};

function createHttp(config: DaemonConfig, { log, keepAliveMs }: Edges, { core, dispatch, pages, ...parts }: HttpParts) {
  const { journal, queries, settings, tokens, waits, folders, prompts } = core;
  const { activationTokens, dispatcher, inbox } = dispatch;
  const { publicUrl, publicUi = false, allowedHosts = [] } = config;
  return createApp({
    ...parts,
    ...pages,
    journal,
    queries,
    settings,
    tokens,
    activationTokens,
    waits,
    folders,
    prompts,
    transports,
    log,
    version,
    stateOf: (workerId) => dispatcher.activity(workerId),
    waitingOf: (workerId) => inbox.waiting(workerId, WAITING_COUNTED),
    allowedHosts: () => allowedHosts,
    publicHost: () => (publicUrl === undefined ? undefined : new URL(publicUrl).host),
    publicUi,
    ...(keepAliveMs === undefined ? {} : { keepAliveMs }),
  });
}

/** Nobody is woken before what a crash left behind is stopped and recorded. */
async function recoverThenStart(
  { journal, queries, settings }: Core,
  { inbox, processes, dispatcher }: Dispatch,
  { log, now, after, isStopping }: Pick<Edges, 'log' | 'now' | 'after'> & { isStopping(): boolean },
): Promise<void> {
  const stopProcesses = (activationId: string, root?: { pid: number; startedAt: string }) =>
    stopActivationProcesses({ activationId, ...(root ? { root } : {}) });
  while (!isStopping()) {
    try {
      const cutOff = await recover({ journal, queries, inbox, processes, settings, stopProcesses, now });
      if (cutOff.length > 0) log.warn({ activations: cutOff }, 'what was cut off comes again');
      if (!isStopping()) dispatcher.start();
      return;
    } catch (error) {
      if (isStopping()) return;
      // As when the disk is full: nobody runs until it worked, and that must not need a restart.
      log.error({ err: error }, 'the recovery failed and is tried again; no Worker runs until then');
      await new Promise<void>((resolve) => void after(RECOVERY_RETRY_MS, resolve));
    }
  }
}

function unrefTimer(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
}
