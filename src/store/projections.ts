// What each fact does to the read tables. Dropping these tables and replaying the journal gives the same bytes again.
import type Database from 'better-sqlite3';
import type { DomainEvent } from '../domain/org.ts';
import type { Entry } from './entries.ts';
import { activationProjectors } from './projections/activations.ts';
import { eventProjectors } from './projections/events.ts';
import { holdProjectors } from './projections/holds.ts';
import { orgProjectors } from './projections/org.ts';
import { workerProjectors } from './projections/workers.ts';

/** One projector per fact type; a missing one is a compile error. */
export type Projectors<T extends DomainEvent['type'] = DomainEvent['type']> = {
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
  return (entry) => {
    const project = projectors[entry.event.type] as (event: DomainEvent, entry: Entry) => void;
    project(entry.event, entry);
  };
}
