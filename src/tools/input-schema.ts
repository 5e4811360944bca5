// What a client is shown of a tool's arguments.
import { z } from 'zod';
import type { Tool } from './define-tool.ts';

export type Property = {
  type?: string;
  description?: string;
  enum?: string[];
  items?: { type?: string };
  oneOf?: Property[];
};
export type InputSchema = { type: 'object'; properties?: Record<string, Property>; required?: string[] };

/** Marks an argument that takes a transport: what kinds there are is known only where the transports are. */
export const TRANSPORT = { isTransport: true };

/**
 * The JSON Schema (draft 2020-12) of a tool's arguments, the smallest that says the same: no dialect, and no bounds that only
 * restate what a double holds.
 */
export function inputSchema({ input }: Tool, transportKinds: readonly string[]): InputSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(input, {
    io: 'input',
    override({ jsonSchema }) {
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (!jsonSchema.isTransport) return;
      const { description } = jsonSchema;
      for (const name of Object.keys(jsonSchema)) delete jsonSchema[name];
      Object.assign(jsonSchema, { description, oneOf: transportForms(transportKinds) });
    },
  });
  return { ...(schema as InputSchema), type: 'object' };
}

/** By its name alone, or with its settings. */
const transportForms = (kinds: readonly string[]) => [
  { type: 'string', enum: kinds },
  {
    type: 'object',
    properties: { kind: { type: 'string', enum: kinds }, config: { type: 'object' } },
    required: ['kind'],
  },
];
