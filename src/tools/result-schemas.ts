// Shapes that the results of several tools share.
import { z } from 'zod';

const ids = z.array(z.string());

/** Most tools that change one thing answer with its id. */
export const idResult = z.object({ id: z.string() });

/** What went wrong beside the change itself, which is recorded. */
export const warnings = { warnings: ids.optional() };

/** What every list says besides its rows: how many there are in all, and where the next page begins. */
export const pageResult = { total: z.number().int(), cursor: z.string().optional() };

/** One Event, as all readers show it. */
export const eventResult = z.object({
  id: z.string(),
  streamId: z.string(),
  source: z.string().describe('The Worker who published it; empty for the outside.'),
  body: z.string(),
  message: z.record(z.string(), z.unknown()).optional().describe('The whole envelope, in snake_case.'),
  createdAt: z.string(),
  quiet: z.string().optional().describe('Why it wakes nobody.'),
  redacted: z.literal(true).optional(),
});

/** Newest first. `more` is set when `since` was given and newer ones were left out. */
export const eventsResult = z.object({ events: z.array(eventResult), more: z.boolean().optional() });

/** What publishing will lead to. */
export const foreseenResult = {
  subscribers: z.number().int(),
  activates: z.object({ count: z.number().int(), workers: ids }),
  outbound: z.string().nullable(),
  ...warnings,
};

export const positionResult = z.object({ id: z.string(), roleId: z.string(), parentId: z.string().nullable() });

export const grantResult = z.object({ id: z.string(), workerId: z.string(), toolName: z.string() });

/** What was chosen of how a Worker is played. */
export const agentResult = z
  .object({
    kind: z.string().optional(),
    command: ids.optional(),
    model: z.string().optional(),
    effort: z.string().optional(),
    runSeconds: z.number().int().optional(),
    context: z.string().optional(),
  })
  .describe('What was chosen for it; the rest is as set for all.');

/** What a Worker is and does, without its text. */
export const workerResult = z.object({
  id: z.string(),
  kind: z.string(),
  positions: ids,
  roles: ids.describe('Their titles.'),
  state: z.string(),
});

export const workerStateResult = z.object({ id: z.string(), state: z.string() });

/** Workers whom held or parked work reaches again, or no more; deliveries to the outside likewise. */
export const workersResult = z.object({ id: z.string(), workers: ids, deliveries: ids.optional() });
