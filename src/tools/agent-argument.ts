// How a Worker is played, as tools take it: an object, or the bare name of a kind; either may be JSON in a text.
import { z } from 'zod';
import { AGENT_CONTEXTS, AGENT_EFFORTS, AGENT_KINDS, type AgentChange } from '../domain/worker-agent.ts';

const listed = (words: readonly string[]) => words.join(', ');

/** Which names are valid, the domain says in its refusals. Null is taken for the empty value. */
const text = (describe?: string) => {
  const field = z.preprocess((value) => (value === null ? '' : value), z.string().optional());
  return describe === undefined ? field : field.describe(describe);
};

const fields = z.strictObject({
  kind: text(listed(AGENT_KINDS)),
  model: text(),
  effort: text(listed(AGENT_EFFORTS)),
  context: text(listed(AGENT_CONTEXTS)),
  runSeconds: z
    .preprocess((value) => (value === null || typeof value === 'string' ? Number(value) : value), z.number().optional())
    .describe('A run that takes longer is stopped.'),
  command: z
    .preprocess((value) => (value === null || value === '' ? [] : parsed(value)), z.array(z.string()).optional())
    .describe('Program and arguments, for command; set by the owner only.'),
});

const DESCRIBE = 'How it is played, such as "codex" or {"model": "opus"}; the rest is as set for all.';

const argument = z.preprocess(toFields, fields.transform(toChange).optional());

/** What may be left out. */
export const agentArgument = argument.describe(DESCRIBE);

/** What null resets altogether. */
export const requiredAgent = z
  .preprocess(
    (value) => (value === null ? '{"kind":"","model":"","effort":"","context":"","runSeconds":0,"command":[]}' : value),
    argument,
  )
  .refine((value) => value !== undefined, 'agent is required')
  .describe(DESCRIBE);

function toFields(value: unknown): unknown {
  if (value === null || value === '') return undefined;
  const given = parsed(value);
  return typeof given === 'string' ? { kind: given } : given;
}

/** The value that a text holds as JSON, else the text. */
function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** What is empty goes back to what is set for all. */
function toChange(given: z.output<typeof fields>): AgentChange {
  const isEmpty = (value: unknown) => value === '' || value === 0 || (Array.isArray(value) && value.length === 0);
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, isEmpty(value) ? null : value])) as AgentChange;
}
