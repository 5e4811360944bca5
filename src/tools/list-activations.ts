import { z } from 'zod';
import { activationStreamId } from '../domain/ids.ts';
import { mayRead } from '../domain/may-read.ts';
import { integer, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { clampLimit } from './event-list.ts';
import { requireReadable } from './readable.ts';

/** Runs that shares of silent ones are counted from. */
const SHARES_MS = 7 * 86_400_000;

export const listActivations = defineTool({
  name: 'list_activations',
  title: 'List activations',
  description:
    'The newest activations of an AI Worker: what woke it, how each ended, what it cost, and whether it was silent (published and changed nothing); for each Stream, the share of silent ones in the last 7 days. For what it did line by line, use worker_log.',
  input: z.object({
    workerId: required('workerId', 'The AI Worker.'),
    limit: integer('How many, 50 by default, at most 200.'),
  }),
  output: z.object({
    activations: z.array(
      z.object({
        id: z.string(),
        state: z.string(),
        attempt: z.number().int(),
        triggers: z.array(z.string()),
        startedAt: z.string(),
        endedAt: z.string().optional(),
        exit: z.string().nullable().optional(),
        published: z.number().int().nullable().optional(),
        changed: z.number().int().nullable().optional(),
        silent: z.boolean().optional().describe('It published and changed nothing.'),
        usage: z.unknown().optional(),
      }),
    ),
    streams: z
      .array(
        z.object({
          streamId: z.string(),
          filter: z.unknown().optional(),
          runs: z.number().int(),
          silent: z.number().int(),
        }),
      )
      .describe('Of the runs that each Stream led to lately, how many were silent.'),
  }),
  effect: 'reads',
  async handler({ workerId, limit }, context) {
    requireReadable(context, activationStreamId(workerId));
    const { queries, journal, caller, now } = context;
    const nameOf = (seq: number): string => {
      const event = queries.eventAt(seq);
      if (event && mayRead(journal.org, caller.workerId, event.streamId)) return event.id;
      return queries.entry(seq)?.event.type === 'WorkerHired'
        ? 'hire'
        : event
          ? 'an Event you may not read'
          : 'request';
    };
    const activations = queries.activationsOf(workerId, clampLimit(limit)).map((row) => ({
      id: row.id,
      state: row.state,
      attempt: row.attempt,
      triggers: row.triggers.map(nameOf),
      startedAt: row.startedAt,
      ...(row.endedAt ? { endedAt: row.endedAt, exit: row.exit, published: row.published, changed: row.changed } : {}),
      ...(row.state === 'done' ? { silent: row.published === 0 && row.changed === 0 } : {}),
      ...(row.usage && row.usage !== '{}' ? { usage: JSON.parse(row.usage) as unknown } : {}),
    }));
    const since = new Date(now().getTime() - SHARES_MS).toISOString();
    const streams = queries
      .silentShares(since, workerId)
      .filter(({ streamId }) => mayRead(journal.org, caller.workerId, streamId))
      .map(({ streamId, filter, runs, silent }) => ({ streamId, ...(filter ? { filter } : {}), runs, silent }));
    return { activations, streams };
  },
});
