// What each fact does to the read tables. Dropping these tables and replaying the journal gives the same bytes again.
import type Database from 'better-sqlite3';
import type { DomainEvent } from '../domain/org.ts';
import type { OutboxEvent } from '../domain/outbox.ts';
import type { Entry } from './entries.ts';
import { activationProjectors } from './projections/activations.ts';
import { deliveryProjector } from './projections/deliveries.ts';
import { eventProjectors } from './projections/events.ts';
import { holdProjectors } from './projections/holds.ts';
import { orgProjectors } from './projections/org.ts';
import { sentThreadProjector } from './projections/sent-threads.ts';
import { workerProjectors } from './projections/workers.ts';

/** Facts that only the deliveries' own projector needs. */
type OfDeliveries = OutboxEvent['type'];

/** One projector per fact type; a missing one is a compile error. */
export type Projectors<T extends DomainEvent['type'] = Exclude<DomainEvent['type'], OfDeliveries>> = {
  [K in T]: (event: Extract<DomainEvent, { type: K }>, entry: Entry) => void;
};

/** Prepares the statements once; the result applies one entry, inside the caller's transaction. */
export function createProjections(sqlite: Database.Database): (entry: Entry) => void {
  const projectors: Projectors = {
    ...orgProjectors(sqlite),
    ...workerProjectors(sqlite),
    ...eventProjectors(sqlite),
    ...activationProjectors(sqlite),
    ...holdProjectors(sqlite),
  };
  const projectDeliveries = deliveryProjector(sqlite);
  const projectSentThreads = sentThreadProjector(sqlite);
  return (entry) => {
    // First, since a Stream's or a Worker's row still says how it was.
    projectDeliveries(entry);
    projectSentThreads(entry);
    const { type } = entry.event;
    const project = type in projectors ? projectors[type as keyof Projectors] : undefined;
    (project as ((event: DomainEvent, entry: Entry) => void) | undefined)?.(entry.event, entry);
  };
}
