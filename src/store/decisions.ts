// A decision on what the tables know besides the org's state: how fast somebody publishes, what was redacted, whose triggers
// these are. Inside the transaction, before anything is appended.
import type Database from 'better-sqlite3';
import { decide } from '../domain/decide.ts';
import type { Cause, Via } from '../domain/entry.ts';
import { conflict, invalid } from '../domain/errors.ts';
import { passes, type SubscriptionFilter } from '../domain/filter.ts';
import { NOTICES } from '../domain/ids.ts';
import { decodeMessage } from '../domain/message.ts';
import { type Command, type Context, type DomainEvent, type Org, PACED_MAX } from '../domain/org.ts';
import { contextOf } from './commit-context.ts';
import type { OutboxWriter } from './outbox-writer.ts';
import { createPace, type PaceLimit } from './pace.ts';

/** What the journal is told of the settings; without `publish` AI Workers may be as fast as they like. */
export type CommitLimits = Context['limits'] & { publish?: PaceLimit };

type Asked = {
  actor: string;
  command: Command;
  via: Via | undefined;
  cause: Cause | undefined;
  seq: number;
  at: string;
  limits: CommitLimits;
  tools: ReadonlySet<string>;
};

/** What the outbox adds: the ways an Event leaves by, and which deliveries a command speaks of. */
type Outbox = Pick<OutboxWriter, 'routes' | 'complete'>;

export type Decided = { events: DomainEvent[]; hops: number; root: number };

/** @throws OrgError from the returned function, when the command is refused */
export function createDecisions(sqlite: Database.Database, outbox: Outbox): (org: Org, asked: Asked) => Decided {
  const complete = createCompletion(sqlite);
  const check = createChecks(sqlite);
  const pace = createPace(sqlite);

  function tooFast(org: Org, { actor, at, limits: { publish } }: Asked): Context['tooFast'] {
    if (!publish || org.workers.get(actor)?.kind !== 'ai') return undefined;
    const waiting = org.paced.get(actor)?.size ?? 0;
    if (waiting >= PACED_MAX) return 'refused';
    // In the order in which they came: nobody overtakes what waits.
    return waiting > 0 || !pace.allows(actor, publish, at) ? 'held' : undefined;
  }

  /** What waits for its turn goes on when its author may publish again; a person lets it go at any time. */
  function checkTurn(org: Org, { actor, command, at, limits: { publish } }: Asked): void {
    if (command.type !== 'ReleaseEvent' || actor !== 'system' || !publish) return;
    const publisher = org.heldEvents.get(command.event)?.publisher;
    if (publisher === undefined) return;
    if (!pace.allows(publisher, publish, at)) throw conflict(`${publisher} may not publish again yet.`);
    pace.take(publisher, publish, at);
  }

  return (org, asked) => {
    const { actor, via, cause, seq, at, limits, tools } = asked;
    const command = outbox.complete(org, complete(org, asked.command));
    check(command);
    checkTurn(org, asked);
    const context = contextOf(org, { actor, seq, at, via, cause, limits, tools, routes: outbox.routes });
    const fast = tooFast(org, asked);
    const events = decide(org, command, fast === undefined ? context : { ...context, tooFast: fast });
    if (limits.publish && org.workers.get(actor)?.kind === 'ai') {
      for (let count = countPaced(events); count > 0; count--) pace.take(actor, limits.publish, at);
    }
    return { events, hops: context.hops, root: context.root };
  };
}

/** Whatever an AI Worker does that can wake somebody counts. */
function countPaced(events: readonly DomainEvent[]): number {
  let count = 0;
  for (const event of events) {
    if (event.type === 'EventPublished') count += event.streamId === NOTICES ? 0 : 1;
    else if (event.type === 'EventHeld') count -= event.limit === 'pace' ? 1 : 0;
    else if (event.type === 'ActivationRequested' || (event.type === 'WorkerHired' && event.kind === 'ai')) count += 1;
  }
  return count;
}

/** Fills in what only the tables know. */
function createCompletion(sqlite: Database.Database): (org: Org, command: Command) => Command {
  const runsOf = sqlite.prepare('SELECT activation_seq FROM activation_triggers WHERE seq = ?').pluck();
  const rootOf = sqlite.prepare('SELECT root FROM journal WHERE seq = ?').pluck();
  const message = sqlite.prepare("SELECT bytes FROM content WHERE seq = ? AND name = 'message'").pluck();

  function keptOut(org: Org, event: number, streamId: string): string[] {
    const filtered = [...(org.subscriptions.get(streamId) ?? [])].flatMap(([workerId, { filter }]) =>
      filter === null ? [] : [[workerId, filter] as [string, SubscriptionFilter]],
    );
    if (filtered.length === 0) return [];
    const bytes = message.get(event) as Buffer | null | undefined;
    const said = (bytes && decodeMessage(bytes)) || {};
    return filtered.flatMap(([workerId, filter]) => (passes(filter, said) ? [] : [workerId]));
  }

  return (org, command) => {
    switch (command.type) {
      case 'RedactEvent': {
        // Also those that it has woken since the command was made.
        const runs = runsOf.all(command.event) as number[];
        return { ...command, alsoErase: [...new Set([...command.alsoErase, ...runs])] };
      }
      case 'ReleaseEvent':
        return { ...command, keptOut: keptOut(org, command.event, command.streamId) };
      case 'RequeueTriggers': {
        const roots = command.triggers.flatMap((seq) => (rootOf.get(seq) as number | undefined) ?? []);
        return { ...command, roots: [...new Set(roots)] };
      }
      default:
        return command;
    }
  };
}

/** Refuses what speaks of triggers and activations that are not there. */
function createChecks(sqlite: Database.Database): (command: Command) => void {
  const redactedSince = sqlite.prepare('SELECT 1 FROM redactions WHERE seq = ? AND by_seq > ?').pluck();
  const running = sqlite.prepare("SELECT 1 FROM activations WHERE id = ? AND worker = ? AND state = 'running'").pluck();
  const aside = sqlite.prepare("SELECT 1 FROM set_aside WHERE worker = ? AND seq = ? AND state <> 'requeued'").pluck();
  const concerns = sqlite
    .prepare(
      `SELECT 1 FROM journal j WHERE j.seq = @seq AND (EXISTS (SELECT 1 FROM wakes w WHERE w.worker = @worker AND w.seq = @seq)
       OR EXISTS (SELECT 1 FROM subscriptions s WHERE s.worker = @worker AND s.stream = j.stream AND s.from_seq < @seq
         AND (s.to_seq IS NULL OR s.to_seq >= @seq)))`,
    )
    .pluck();
  return (command) => {
    switch (command.type) {
      case 'StartActivation':
        for (const seq of command.seenThrough === undefined ? [] : command.triggers) {
          if (redactedSince.get(seq, command.seenThrough))
            throw conflict(`Journal ${seq} was redacted after the prompt was made; make it again.`);
        }
        return;
      case 'EndActivation':
        if (!running.get(command.activationId, command.workerId))
          throw conflict(`${command.activationId} is no activation of ${command.workerId} that runs.`);
        return;
      case 'RequeueTriggers':
        for (const seq of command.triggers) {
          if (!aside.get(command.workerId, seq))
            throw invalid(`Journal ${seq} is not set aside for ${command.workerId}, so there is nothing to let go.`);
        }
        return;
      case 'HoldTriggers':
      case 'DropTriggers':
      case 'ExpireTriggers':
        for (const seq of command.triggers) {
          if (!concerns.get({ seq, worker: command.workerId }))
            throw invalid(`Journal ${seq} is no trigger of ${command.workerId}.`);
        }
        return;
      default:
        return;
    }
  };
}
