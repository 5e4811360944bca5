// What a fact leads to besides its entry, in the same transaction: read tables, the outbox, erased content.
import type Database from 'better-sqlite3';
import type { Routing } from '../domain/delivery.ts';
import type { Org } from '../domain/org.ts';
import type { Entry } from './entries.ts';
import { createErasure } from './erasure.ts';
import { createOutboxWriter, type OutboxWriter } from './outbox-writer.ts';
import { createProjections } from './projections.ts';

export type Consequences = Pick<OutboxWriter, 'routes' | 'complete'> & {
  follow(org: Org, entry: Entry): void;
};

export function createConsequences(sqlite: Database.Database, routing: Routing): Consequences {
  const project = createProjections(sqlite);
  const erase = createErasure(sqlite);
  const outbox = createOutboxWriter(sqlite, routing);
  return {
    routes: outbox.routes,
    complete: outbox.complete,
    follow(org, entry) {
      project(entry);
      outbox.follow(org, entry);
      if (entry.event.type === 'EventRedacted') erase(entry.event);
    },
  };
}
