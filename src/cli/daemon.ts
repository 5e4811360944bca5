// The composition root: everything a daemon is made of, in the order in which it comes to life.
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { createLauncher } from '../agents/launcher.ts';
import type { Courier } from '../dispatch/courier.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Agent, AgentCheck } from '../domain/agent.ts';
import { OWNER } from '../domain/ids.ts';
import { type AppDeps, createApp } from '../http/app.ts';
import type { Durability } from '../store/database.ts';
import { createWriteProbe } from '../store/write-probe.ts';
import { createToolDoor, type ToolDoor } from '../tools/call-tool.ts';
import { catalog } from '../tools/catalog.ts';
import { transports } from '../transports/catalog.ts';
import { logActivity } from './activity-log.ts';
import { type Address, isWide } from './address.ts';
import { type AllAgents, createAgents, defaultAgent, onlyAgent } from './agents.ts';
import { type ChatParts, createChatParts } from './chat-parts.ts';
import { type Control, createControl } from './control.ts';
import { type Core, openCore } from './core.ts';
import { writeDaemonFile } from './daemon-file.ts';
import type { DataPaths } from './data-dir.ts';
import { createDispatch, type Dispatch, type Edges } from './dispatching.ts';
import { createFigures } from './figures.ts';
import { createLifecycle } from './lifecycle.ts';
import { silentLogger } from './logger.ts';
import { startMaintenance } from './maintenance.ts';
import { createMeters } from './meters.ts';
import { ensureOwner, ensureOwnerToken } from './owner.ts';
import { createPageParts, type PageParts } from './page-parts.ts';
import { createReach, hostsOf } from './reach.ts';
import { recoverThenStart } from './recovering.ts';
import { startSearchFilling } from './search-filling.ts';
import { createSending } from './sending.ts';
import { createShutdown } from './shutdown.ts';
import { takeData } from './take-data.ts';
import { startTimekeeping } from './timekeeping.ts';
import { unrefTimer } from './timer.ts';
import { version } from './version.ts';

export type DaemonConfig = {
  paths: DataPaths;
  address: Address;
  /** Where the outside reaches it, when that is not this machine's own name. */
  publicUrl?: string;
  /** Everything is served at the public URL too, not only what providers send. */
  publicUi?: boolean;
  /** Further host names under which everything is served. */
  allowedHosts?: string[];
  /** Addresses of proxies whose X-Forwarded-For holds, as commas separate them; `loopback` for this machine. */
  trustProxy?: string;
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
  /** The one that plays Workers for which none was chosen. */
  agent: { readonly kind: string; check(): Promise<AgentCheck> };
  agents: AllAgents;
  /** Settles when what a crash cut off is ended and Workers run again. Rejects never. */
  recovered: Promise<void>;
  /** Takes nothing new, stops what runs, and gives the data back, within 10 s; twice is once. */
  stop(): Promise<void>;
};

const WAITING_COUNTED = 100;

/** Resolves when the daemon answers. @throws OrgError when another daemon has the data */
export async function startDaemon(config: DaemonConfig, overrides: DaemonOverrides = {}): Promise<Daemon> {
  const { paths, address, settings: given, durability } = config;
  const edges: Edges = { log: silentLogger(), now: () => new Date(), after: unrefTimer, ...overrides };
  const { log, now, after } = edges;
  const shutdown = createShutdown(log);
  try {
    await takeData(paths, shutdown);
    // Early, since it copies what this process is then, and is ready when the first run is.
    const launcher = overrides.agent ? undefined : createLauncher({ warn: (fields, text) => log.warn(fields, text) });
    if (launcher) shutdown.last('the launcher', () => launcher.close());
    const reach = createReach(config);
    const meters = createMeters();
    const core = openCore({
      paths,
      now,
      onCommitted: meters.committed,
      ...reach,
      ...(durability ? { durability } : {}),
      ...(given ? { settings: given } : {}),
    });
    shutdown.last('the journal and the database', () => core.close());
    const { db, journal, queries, settings, tokens, waits } = core;
    const isNew = await ensureOwner(core);
    log.info(isNew ? 'the org was founded' : 'bootstrap skipped: the org is already initialised');
    const ownerToken = ensureOwnerToken(tokens, paths.ownerTokenFile);

    const agents = overrides.agent ? onlyAgent(overrides.agent, settings) : createAgents(settings, launcher?.start);
    const agent = defaultAgent(agents);
    const dispatch = createDispatch(core, agents, edges);
    const { dispatcher } = dispatch;
    shutdown.first('the dispatcher', () => dispatcher.stop());
    const chats = createChatParts(core, edges);
    shutdown.first('the chats', () => chats.chatting.close());
    const courier = createSending(core, edges, meters);
    shutdown.first('the courier', () => courier.stop());
    const lifecycle = createLifecycle({ tokens, folders: core.folders, dispatcher, courier });
    const toolDeps = core.toolDeps(lifecycle, (workerId) => dispatcher.activity(workerId));
    const onBug = (reference: string, error: unknown) => log.error({ err: error, reference }, 'a tool failed');
    const door = createToolDoor(catalog, toolDeps, onBug);
    const about = { pid: process.pid, version, startedAt: now().toISOString() };
    const busy = () => ({ running: dispatcher.running, waiting: waits.size });
    const status = () => ({ ...about, url: reach.url(), publicUrl: reach.publicUrl(), agent: agent.kind, ...busy() });
    const pagesUrl = config.publicUi ? reach.publicUrl : reach.url;
    const control = createControl({
      core,
      chats,
      url: pagesUrl,
      publicUrl: reach.publicUrl,
      isWide: isWide(address),
      onLogin: dispatcher.tryAgent,
      status,
    });

    const pages = createPageParts({ core, toolDeps, agent, dispatcher, ...reach, startedAt: about.startedAt });
    const isStopping = () => shutdown.isUnderWay;
    let isStarting = true;
    const probe = createWriteProbe(db);
    const notReady = () => (isStarting ? 'starting' : probe());
    const { figures, stop } = createFigures({ meters, core, ...dispatch, notReady });
    shutdown.last('the figures', stop);
    const watched = { notReady, figures, onAnswered: meters.answered };
    const app = createHttp(config, edges, { core, dispatch, chats, door, control, pages, isStopping, ...watched });
    shutdown.last('the log of runs', logActivity(journal, log));
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
    const { recoverChats } = chats;
    const recovered = recoverThenStart({ ...core, ...dispatch, recoverChats, log, now, after, isStopping }).then(() => {
      isStarting = false;
    });
    const parts = {
      paths,
      db,
      journal,
      queries,
      settings,
      tokens,
      waits,
      door,
      dispatcher,
      courier,
      control,
      // What `serve` hears of it at the start, pages know from the first one on.
      agent: {
        get kind() {
          return agent.kind;
        },
        check: pages.checkAgent,
      },
      agents,
    };
    return { ...parts, ownerToken, recovered, url, publicUrl, port: reach.port(), stop: () => shutdown.run() };
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

type HttpParts = {
  core: Core;
  dispatch: Dispatch;
  chats: ChatParts;
  door: ToolDoor;
  control: Control;
  pages: PageParts;
} & Pick<AppDeps, 'isStopping' | 'notReady' | 'figures' | 'onAnswered'>;

function createHttp(
  config: DaemonConfig,
  { log, keepAliveMs }: Edges,
  { core, dispatch, chats, pages, ...parts }: HttpParts,
) {
  const { journal, queries, settings, tokens, waits, folders, prompts } = core;
  const { activationTokens, dispatcher, inbox } = dispatch;
  return createApp({
    ...parts,
    ...pages,
    ...chats,
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
    ...hostsOf(config),
    ...(keepAliveMs === undefined ? {} : { keepAliveMs }),
  });
}
