// Who writes the outbox: what is still to leave. A row appears in the transaction of its Event and goes in that of its outcome.
//
// A lane is a line of deliveries of one Stream that leave in order. Only the first queued one of a lane has a due time, so
// that a long line behind a target that is down costs nothing to pass over.
import type Database from 'better-sqlite3';
import type { Route, Routing } from '../domain/delivery.ts';
import type { ContentPart } from '../domain/entry.ts';
import { conflict } from '../domain/errors.ts';
import type { Command, Org } from '../domain/org.ts';
import type { Entry } from './entries.ts';

export type OutboxWriter = {
  /** Where a new Event goes; what came in from outside is never sent out again. */
  routes(org: Org, published: Parameters<Routing>[1]): Route[];
  /** Keeps of a command only the deliveries that it can still concern. @throws OrgError conflict */
  complete(org: Org, command: Command): Command;
  /** Brings the rows up to date with a fact; inside its transaction, after the read tables. */
  follow(org: Org, entry: Entry): void;
};

type Row = { id: string; state: string; recipient: string | null };
type Named = { event: number; streamId: string };

const UNSETTLED = ['held', 'dead', 'queued', 'paused', 'stopped'];
const SETTLED = ['delivered', 'dead', 'discarded'];

export function createOutboxWriter(sqlite: Database.Database, routing: Routing): OutboxWriter {
  const insert = sqlite.prepare('INSERT OR IGNORE INTO outbox VALUES (@id, @seq, @stream, @lane, 0, NULL, NULL, NULL)');
  const forget = sqlite.prepare('DELETE FROM outbox WHERE id = ?');
  const rest = sqlite.prepare('UPDATE outbox SET next_at = NULL WHERE id = ?');
  const renew = sqlite.prepare(
    'UPDATE outbox SET attempts = 0, next_at = NULL, first_at = NULL, last_error = NULL WHERE id = ?',
  );
  const find = sqlite.prepare(
    'SELECT o.stream, o.lane, d.state FROM outbox o JOIN deliveries d ON d.id = o.id WHERE o.id = ?',
  );
  const firstOfLane = sqlite
    .prepare(
      `SELECT o.id FROM outbox o JOIN deliveries d ON d.id = o.id
       WHERE o.stream = ? AND o.lane = ? AND d.state = 'queued' ORDER BY o.seq LIMIT 1`,
    )
    .pluck();
  const makeDue = sqlite.prepare('UPDATE outbox SET next_at = @at WHERE id = @id AND next_at IS NULL');
  const ofEvent = sqlite.prepare('SELECT id, state, recipient FROM deliveries WHERE seq = ?');
  const inStream = sqlite.prepare('SELECT id FROM outbox WHERE stream = ?').pluck();
  const ofWorker = sqlite
    .prepare('SELECT o.id FROM outbox o JOIN deliveries d ON d.id = o.id WHERE d.worker = ?')
    .pluck();
  const actorOf = sqlite.prepare('SELECT actor FROM journal WHERE seq = ?').pluck();
  const contentOf = sqlite.prepare('SELECT name, bytes FROM content WHERE seq = ? AND bytes IS NOT NULL');
  /** What decide was told, for the rows that follow in the same transaction. */
  const told = new WeakMap<ContentPart[], Route[]>();

  const rowsOf = (event: number) => ofEvent.all(event) as Row[];

  function routesAgain(org: Org, { event, streamId }: Named): Route[] {
    const content = contentOf.all(event) as ContentPart[];
    return content.length === 0 ? [] : routing(org, { streamId, actor: actorOf.get(event) as string, content });
  }

  function add(routes: Route[], { event, streamId }: Named, { id, recipient }: Omit<Row, 'state'>): void {
    const lane = laneFor(routes, recipient);
    if (lane !== undefined) insert.run({ id, seq: event, stream: streamId, lane });
  }

  /** A row whose delivery is settled goes; the first queued one of its lane becomes due. */
  function settle(id: string, at: string): void {
    const row = find.get(id) as { stream: string; lane: string; state: string } | undefined;
    if (!row) return;
    if (SETTLED.includes(row.state)) forget.run(id);
    else if (row.state !== 'queued') rest.run(id);
    const first = firstOfLane.get(row.stream, row.lane) as string | undefined;
    if (first !== undefined) makeDue.run({ id: first, at });
  }

  function settleAll(ids: string[], at: string): void {
    for (const id of ids) settle(id, at);
  }

  return {
    routes(org, published) {
      const routes = published.actor.startsWith('transport:') ? [] : routing(org, published);
      if (routes.length > 0) told.set(published.content, routes);
      return routes;
    },
    complete(org, command) {
      switch (command.type) {
        case 'RequeueDeliveries': {
          const states = command.from === 'held' ? ['held'] : ['dead', 'queued'];
          const deliveryIds = among(rowsOf(command.event), command.deliveryIds, states);
          const routes = routesAgain(org, command);
          const open = rowsOf(command.event).filter(({ recipient }) => laneFor(routes, recipient) !== undefined);
          if (!open.some(({ id }) => deliveryIds.includes(id)) && deliveryIds.length > 0)
            throw conflict(`Nothing leaves ${command.streamId} for this Event's target any more; see get_stream.`);
          return { ...command, deliveryIds: among(open, deliveryIds, states) };
        }
        case 'DiscardDeliveries':
          return { ...command, deliveryIds: among(rowsOf(command.event), command.deliveryIds, UNSETTLED) };
        case 'RecordDead': {
          const { event, streamId, deliveryId } = command;
          // A person gave it up while it was tried.
          const isOver = among(rowsOf(event), [deliveryId], UNSETTLED).length === 0;
          return isOver ? { type: 'DiscardDeliveries', event, streamId, deliveryIds: [] } : command;
        }
        default:
          return command;
      }
    },
    follow(org, { event, seq, at }) {
      switch (event.type) {
        case 'EventPublished':
          for (const { deliveryId: id, recipient = null } of event.outbound ?? []) {
            add(told.get(event.content) ?? [], { event: seq, streamId: event.streamId }, { id, recipient });
            settle(id, at);
          }
          return;
        case 'DeliveryRequeued': {
          const { deliveryId: id } = event;
          const row = rowsOf(event.event).find((known) => known.id === id);
          renew.run(id);
          add(routesAgain(org, event), event, { id, recipient: row?.recipient ?? null });
          return settle(id, at);
        }
        case 'EventDelivered':
        case 'DeliveryDied':
        case 'DeliveryDiscarded':
          return settle(event.deliveryId, at);
        case 'EventHeld':
        case 'EventReleased':
        case 'EventDiscarded':
        case 'EventRedacted':
          return settleAll(
            rowsOf(event.event).map(({ id }) => id),
            at,
          );
        case 'StreamUpdated':
        case 'StreamDeleted':
          return settleAll(inStream.all(event.streamId) as string[], at);
        case 'WorkerPaused':
        case 'WorkerResumed':
        case 'WorkerFired':
          return settleAll(ofWorker.all(event.workerId) as string[], at);
        default:
          return; // Nothing else concerns what leaves.
      }
    },
  };
}

const laneFor = (routes: Route[], recipient: string | null) =>
  routes.find((route) => (route.recipient ?? null) === recipient)?.lane;

const among = (rows: Row[], ids: string[], states: string[]) =>
  rows.filter(({ id, state }) => ids.includes(id) && states.includes(state)).map(({ id }) => id);
