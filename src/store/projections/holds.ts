// Since when, until when and why work stands still.
import type Database from 'better-sqlite3';
import type { HoldEvent } from '../../domain/hold.ts';
import type { Projectors } from '../projections.ts';

/** The end of what lasts. */
export const LASTS = '9999-12-31T23:59:59.999Z';
export const PAUSED = 'paused';
export const WHOLE_ORG = 'org';
/** Workers for whom this kind of agent was chosen; '' for those for whom none was. */
export const ofKind = (kind: string): string => `agent:${kind}`;

export type Stoppages = {
  begin(scope: string, hold: string, reason: string, at: { seq: number; at: string }): void;
  end(scope: string, hold: string, at: string): void;
  endAll(scope: string, at: string): void;
};

export function stoppageRows(sqlite: Database.Database): Stoppages {
  const insert = sqlite.prepare('INSERT INTO stoppages VALUES (@scope, @seq, @hold, @reason, @at, @lasts)');
  const end = sqlite.prepare(
    'UPDATE stoppages SET to_at = @at WHERE scope = @scope AND to_at = @lasts AND hold = @hold',
  );
  const endAll = sqlite.prepare('UPDATE stoppages SET to_at = @at WHERE scope = @scope AND to_at = @lasts');
  return {
    begin: (scope, hold, reason, { seq, at }) => void insert.run({ scope, seq, hold, reason, at, lasts: LASTS }),
    end: (scope, hold, at) => void end.run({ scope, hold, at, lasts: LASTS }),
    endAll: (scope, at) => void endAll.run({ scope, at, lasts: LASTS }),
  };
}

export function holdProjectors(sqlite: Database.Database): Projectors<HoldEvent['type']> {
  const rows = stoppageRows(sqlite);
  return {
    WorkHeld(event, entry) {
      for (const scope of scopesOf(event)) rows.begin(scope, event.hold, event.reason, entry);
    },
    WorkResumed(event, { at }) {
      for (const scope of scopesOf(event)) rows.end(scope, event.hold, at);
    },
  };
}

const scopesOf = ({ workerId, kinds }: HoldEvent): string[] => kinds?.map(ofKind) ?? [workerId ?? WHOLE_ORG];
