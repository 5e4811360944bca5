// Where a command stands before it is decided: its place in the causal chain and the numbers it will get.
import type { Cause, Via } from '../domain/entry.ts';
import { eventId } from '../domain/ids.ts';
import type { Context, Org } from '../domain/org.ts';
import { randomBytes } from './entries.ts';
import type { OutboxWriter } from './outbox-writer.ts';

type Given = { actor: string; seq: number; at: string; via: Via | undefined; cause: Cause | undefined } & Pick<
  Context,
  'limits' | 'tools'
> &
  Pick<OutboxWriter, 'routes'>;

export function contextOf(org: Org, { actor, seq, at, via, cause, limits, tools, routes }: Given): Context {
  const hops = hopsOf(org, { actor, via, cause });
  return {
    actor,
    seq,
    at,
    hops,
    root: cause?.root ?? seq,
    limits,
    tools,
    eventId: stableIds(),
    routes: (streamId, content) => routes(org, { streamId, actor, content }),
  };
}

/**
 * An AI Worker is one hop further than what woke it, and never at 0; people begin anew; the outside and the daemon go on.
 * In a chat a person speaks, from whichever seat.
 */
function hopsOf(org: Org, { actor, via, cause }: Pick<Given, 'actor' | 'via' | 'cause'>): number {
  const kind = org.workers.get(actor)?.kind;
  if (via === 'chat') return 0;
  if (kind === 'ai') return (cause?.hops ?? 0) + 1;
  return kind === 'human' ? 0 : (cause?.hops ?? 0);
}

/** The same id for the same seq, however often a decision asks. */
function stableIds(): (seq: number) => string {
  const given = new Map<number, string>();
  return (seq) => {
    const id = given.get(seq) ?? eventId(seq, randomBytes(10));
    given.set(seq, id);
    return id;
  };
}
