// What the command line asks of whoever has the data: a running daemon over HTTP, or this very process under the lock.
import { constants, copyFileSync } from 'node:fs';
import { z } from 'zod';
import { conflict, invalid } from '../domain/errors.ts';
import { OWNER } from '../domain/ids.ts';
import { requireWorker } from '../domain/worker.ts';
import { createLoginLink } from '../http/ui/login.ts';
import { emptyWal } from '../store/erasure.ts';
import { noteBackup } from '../store/health.ts';
import { rotateKey } from '../store/secrets.ts';
import type { SettingView } from '../store/settings.ts';
import type { TokenRow } from '../store/tokens.ts';
import type { Verification } from '../store/verify.ts';
import { type ChatParts, createChatParts } from './chat-parts.ts';
import { closeSeat, keepSeat, openSeat, type TerminalGrant } from './chat-seat.ts';
import type { Core } from './core.ts';
import { examineOrg } from './doctor-org.ts';
import type { Finding } from './finding.ts';
import { connectHook, disconnectHook, redeliver } from './github-hook.ts';
import { inTurn } from './in-turn.ts';
import { loginControl } from './login-control.ts';
import { type Described, describeOrg, documentShape } from './org-document.ts';
import { type Plan, planOrg } from './org-plan.ts';
import { OWNER_TOKEN_LABEL, type OwnerSeat, ownerSeat } from './owner.ts';
import { type Trace, traceBeside } from './tracing.ts';
import { verifyBeside } from './verification.ts';

export type ControlDeps = {
  core: Pick<Core, 'paths' | 'db' | 'journal' | 'queries' | 'tokens' | 'folders' | 'settings' | 'prompts' | 'mcpUrl'>;
  /** Those of the running daemon; absent when none runs. */
  chats?: ChatParts;
  /** Where the pages of the running daemon are; absent when none runs. */
  url?: () => string;
  /** How the outside reaches the running daemon. */
  publicUrl?: () => string;
  /** It listens beyond this machine. */
  isWide?: boolean;
  /** Told of the agent for which somebody has just logged in. */
  onLogin?: (kind: string) => void;
  /** More to say about the running daemon. */
  status?: () => Record<string, unknown>;
};

/** A token as people see it: never the secret itself, nor its hash. */
export type TokenView = Pick<
  TokenRow,
  'id' | 'worker' | 'label' | 'kind' | 'createdAt' | 'expiresAt' | 'lastUsedAt' | 'revokedAt'
>;

export type NewTokenView = { id: string; token: string; worker: string; label: string; expiresAt: string | null };
/** What an MCP client needs: a Worker's endpoint, and a token unless none was asked for. */
export type ConnectionToken = { url: string; token?: string; id?: string };
/** Works once, within minutes. */
export type LoginLink = { url: string; worker: string };
export type Status = { dataDir: string; db: string; owner: OwnerSeat } & Record<string, unknown>;

export type ControlName =
  | 'status'
  | 'chat.open'
  | 'chat.keep'
  | 'chat.close'
  | 'verify'
  | 'trace'
  | 'examine'
  | 'snapshot'
  | 'org.describe'
  | 'org.plan'
  | 'token.create'
  | 'token.list'
  | 'token.revoke'
  | 'token.login'
  | 'token.connect'
  | 'token.disconnect'
  | 'config.list'
  | 'config.set'
  | 'config.delete'
  | 'key.rotate'
  | 'login.status'
  | 'login.program'
  | 'login.store'
  | 'login.remove'
  | 'github.connect'
  | 'github.redeliver'
  | 'github.disconnect';
export type Control = Record<ControlName, (args: unknown) => Promise<unknown>>;

const newToken = z.object({
  worker: z.string(),
  label: z.string().trim().min(1).max(100).optional(),
  lifetimeMs: z.number().int().positive().optional(),
});
const setting = z.object({ key: z.string(), value: z.unknown() });
const listing = z
  .object({ revealSecrets: z.boolean().optional() })
  .transform(({ revealSecrets = false }) => ({ revealSecrets }));
const connection = z.object({
  worker: z.string(),
  label: z.string(),
  token: z.string().optional(),
  mint: z.boolean().default(true),
});
const chatOpening = z.object({
  worker: z.string(),
  session: z.union([z.enum(['last', 'new', 'choose']), z.object({ id: z.uuid() })]),
});
const chatToken = z.object({ worker: z.string(), tokenId: z.string(), session: z.string().optional() });
const revocation = z.object({ id: z.string() });
const snapshot = z.object({ file: z.string().min(1), key: z.string().min(1).optional() });
const login = z.object({ worker: z.string().optional() });
const reference = z.object({ reference: z.string().trim().min(1).max(1_000) });
const repository = z.object({ repo: z.string() });

const KEY_CHANGED = {
  subject: 'The key of the secrets was changed',
  body: 'Every secret is encrypted with a new key (`helix-org key rotate`). Copies of the old key open older backups only.',
};

export function createControl({ core, chats, url, publicUrl, isWide = false, onLogin, status }: ControlDeps): Control {
  const { paths, db, journal, tokens, settings } = core;
  const hook = { journal, settings, now: () => new Date(), ...(publicUrl ? { publicUrl } : {}) };
  // A key that changes while a copy is made would not be the one that the copy is sealed with.
  const oneByOne = inTurn();
  const seats = () => ({ core, chats: chats ?? createChatParts(core), now: () => new Date() });
  return {
    async 'chat.open'(args): Promise<TerminalGrant> {
      const { worker, session } = parse(chatOpening, args);
      return openSeat(seats(), worker, session);
    },
    async 'chat.keep'(args): Promise<{ holds: boolean }> {
      const { worker: workerId, ...seat } = parse(chatToken, args);
      return { holds: await keepSeat(seats(), { workerId, ...seat }) };
    },
    async 'chat.close'(args): Promise<void> {
      const { worker, tokenId } = parse(chatToken, args);
      await closeSeat(seats(), worker, tokenId);
    },
    status: async (): Promise<Status> => ({
      dataDir: paths.dataDir,
      db: paths.db,
      owner: ownerSeat(core),
      ...status?.(),
    }),
    verify: (): Promise<Verification> => verifyBeside(paths.db, db),
    /** What `doctor` can only know from inside: what the daemon was started with. */
    examine: (): Promise<Finding[]> =>
      examineOrg({
        db,
        settings,
        paths,
        environment: process.env,
        isWide,
        ...(publicUrl ? { publicUrl: publicUrl() } : {}),
      }),
    async trace(args): Promise<Trace> {
      // What was just written may still be on its way to the disk.
      await journal.flush();
      return traceBeside(paths.db, db, parse(reference, args).reference);
    },
    /** A copy of the database as it is at one moment, made page by page between other work; of the key at that moment too, if asked. */
    async snapshot(args): Promise<{ file: string }> {
      const { file, key } = parse(snapshot, args);
      await oneByOne(async () => {
        await db.sqlite.backup(file);
        if (key !== undefined) copyFileSync(paths.keyFile, key, constants.COPYFILE_EXCL);
      });
      noteBackup(db, new Date());
      return { file };
    },
    'org.describe': async (): Promise<Described> => describeOrg(core),
    'org.plan': async (args): Promise<Plan> => planOrg(core, parse(documentShape, args)),
    async 'token.create'(args): Promise<NewTokenView> {
      const { worker, label = 'by the command line', lifetimeMs } = parse(newToken, args);
      requireWorker(journal.org, worker);
      if (label === OWNER_TOKEN_LABEL)
        throw conflict(`The label "${OWNER_TOKEN_LABEL}" is the command line's own; choose another.`);
      const made = tokens.create({ workerId: worker, label, ...(lifetimeMs === undefined ? {} : { lifetimeMs }) });
      return { ...made, worker, label };
    },
    'config.list': async (args): Promise<{ settings: SettingView[] }> => ({
      settings: settings.list(parse(listing, args)),
    }),
    async 'config.set'(args): Promise<{ key: string }> {
      const { key, value } = parse(setting, args);
      settings.set(key, value);
      return { key };
    },
    async 'config.delete'(args): Promise<{ key: string }> {
      const { key } = parse(setting.pick({ key: true }), args);
      settings.delete(key);
      return { key };
    },
    async 'key.rotate'(): Promise<{ rotated: true }> {
      await oneByOne(async () => {
        rotateKey(paths.keyFile, (next) => settings.reseal(next));
        // Pages of the log still hold what the old key opens.
        emptyWal(db.sqlite);
      });
      await journal.commit(OWNER, { type: 'PostNotice', ...KEY_CHANGED });
      return { rotated: true };
    },
    ...loginControl(settings, process.env, onLogin),
    'github.connect': async (args) => connectHook(hook, parse(repository.extend({ stream: z.string() }), args)),
    'github.redeliver': async (args) => {
      const { repo, since } = parse(repository.extend({ since: z.iso.datetime().optional() }), args);
      return redeliver(hook, { repo, ...(since ? { since } : {}) });
    },
    'github.disconnect': async (args) => disconnectHook(hook, parse(repository, args)),
    'token.list': async (): Promise<{ tokens: TokenView[] }> => ({ tokens: tokens.list().map(toView) }),
    async 'token.revoke'(args): Promise<{ id: string }> {
      const { id } = parse(revocation, args);
      tokens.revoke(id);
      return { id };
    },
    async 'token.connect'(args): Promise<ConnectionToken> {
      const { worker, label, token, mint } = parse(connection, args);
      requireWorker(journal.org, worker);
      const reached = { url: core.mcpUrl(worker) };
      if (!mint) return reached;
      const held = token === undefined ? undefined : tokens.verify(token, 'token');
      if (token !== undefined && held?.workerId === worker) return { ...reached, token, id: held.tokenId };
      // What it is replaced by stands where it stood.
      if (held) tokens.revoke(held.tokenId);
      return { ...reached, ...tokens.create({ workerId: worker, label }) };
    },
    async 'token.disconnect'(args): Promise<{ ended: boolean }> {
      const held = tokens.verify(parse(z.object({ token: z.string() }), args).token, 'token');
      if (held) tokens.revoke(held.tokenId);
      return { ended: held !== undefined };
    },
    async 'token.login'(args): Promise<LoginLink> {
      const { worker = OWNER } = parse(login, args);
      if (!url)
        throw conflict('No daemon runs, so there are no pages to sign in to; start one with `helix-org serve`.');
      requireWorker(journal.org, worker);
      return { url: createLoginLink(tokens, worker, url()), worker };
    },
  };
}

function parse<S extends z.ZodType>(schema: S, args: unknown): z.output<S> {
  const parsed = schema.safeParse(args ?? {});
  if (!parsed.success) throw invalid(z.prettifyError(parsed.error));
  return parsed.data;
}

function toView({ hash: _, onBehalfOf: _on, ...row }: TokenRow): TokenView {
  return row;
}
