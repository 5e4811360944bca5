// GET /ui: the org at a glance.
import type { FastifyInstance } from 'fastify';
import { NOTICES } from '../../domain/ids.ts';
import { mayRead } from '../../domain/may-read.ts';
import type { Org } from '../../domain/org.ts';
import type { EventView } from '../../store/event-reader.ts';
import type { Journal } from '../../store/journal.ts';
import type { Queries } from '../../store/queries.ts';
import { roleTitle } from '../../tools/role-text.ts';
import type { Auth } from '../auth.ts';
import { allowOnly } from '../refusal.ts';
import { signedOut } from './login.ts';
import type { Pages } from './pages.ts';

export type OverviewDeps = {
  auth: Auth;
  pages: Pages;
  journal: Pick<Journal, 'org'>;
  queries: Queries;
  version: string;
  /** What a Worker is doing: running, waiting, idle, paused. */
  stateOf(workerId: string): string;
  /** How many triggers wait for it, counted no further than it takes to say "many". */
  waitingOf(workerId: string): number;
};

const EVENTS = 50;
const NOTICES_SHOWN = 5;
const WORKERS_MAX = 200;
const BODY_MAX = 1_000;

export function overviewRoutes(app: FastifyInstance, deps: OverviewDeps): void {
  const { auth, pages, journal, queries, version } = deps;
  app.get('/', async (_request, reply) => reply.redirect('/ui', 302));
  app.get('/ui', async (request, reply) => {
    const session = auth.session(request);
    if (!session) return signedOut(pages, reply);
    const { org } = journal;
    const { workerId } = session;
    const employed = queries.workers();
    return pages.send(reply, 200, 'overview', {
      workerId,
      version,
      paused: org.paused,
      notices: mayRead(org, workerId, NOTICES) ? eventCards(queries, org, [NOTICES], NOTICES_SHOWN) : [],
      workers: workerRows(deps, employed.slice(0, WORKERS_MAX)),
      moreWorkers: Math.max(0, employed.length - WORKERS_MAX),
      events: eventCards(queries, org, readable(org, workerId), EVENTS),
    });
  });
  for (const path of ['/', '/ui']) allowOnly(app, path, ['GET']);
}

/** Streams on which Workers speak, as far as this one may read them. */
function readable(org: Org, workerId: string): string[] {
  const speech = [...org.streams].filter(([id, { purpose }]) => purpose !== 'transcript' && id !== NOTICES);
  return speech.flatMap(([id]) => (mayRead(org, workerId, id) ? [id] : []));
}

function workerRows({ queries, stateOf, waitingOf }: OverviewDeps, workers: ReturnType<Queries['workers']>) {
  const titles = new Map(queries.roles().map(({ id, content }) => [id, roleTitle(content)]));
  const roleOf = new Map(queries.positions().map(({ id, roleId }) => [id, titles.get(roleId) ?? roleId]));
  return workers.map(({ id, kind, positions }) => {
    const about = positions.map((position) => roleOf.get(position) ?? position).join(' · ');
    if (kind === 'human') return { id, about, state: 'person', waiting: '' };
    const waiting = waitingOf(id);
    return { id, about, state: stateOf(id), waiting: waiting > 0 ? `${waiting} waiting` : '' };
  });
}

function eventCards(queries: Queries, org: Org, streamIds: string[], limit: number) {
  return queries.events(streamIds, { limit }).map((event) => eventCard(event, org.streams.get(event.streamId)?.name));
}

function eventCard(event: EventView, streamName: string | undefined) {
  const { id, streamId, source, createdAt, message } = event;
  return {
    id,
    stream: streamName ?? streamId,
    source: source || (streamId === NOTICES ? 'helix-org' : (message?.from ?? 'outside')),
    at: createdAt,
    time: `${createdAt.slice(0, 16).replace('T', ' ')} UTC`,
    subject: message?.subject ?? '',
    ...shownBody(event),
  };
}

/** What of a body belongs on a page: text up to a length; of everything else, what it is. */
function shownBody({ body, message, redacted }: EventView): { body: string; remark: string } {
  if (redacted) return { body: '', remark: 'Its content was erased.' };
  const extra = (message?.extra ?? {}) as { encoding?: unknown };
  if (extra.encoding === 'base64') {
    const bytes = Math.floor((body.length * 3) / 4);
    return { body: '', remark: `${message?.body_content_type ?? 'Binary'}, about ${bytes} bytes.` };
  }
  return body.length > BODY_MAX
    ? { body: `${body.slice(0, BODY_MAX).toWellFormed()} …`, remark: '' }
    : { body, remark: '' };
}
