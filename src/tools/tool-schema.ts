// The JSON Schemas a client is shown for a tool, made once from its zod schemas, as short as they can be without saying less:
// every agent that connects pays for each byte of its list.
import { z } from 'zod';
import type { Tool } from './define-tool.ts';

export type Property = {
  type?: string;
  description?: string;
  enum?: string[];
  items?: { type?: string };
  oneOf?: Property[];
};
export type ObjectSchema = {
  type: 'object';
  properties?: Record<string, Property>;
  required?: string[];
  [keyword: string]: unknown;
};

/** Marks an argument that takes a transport: what kinds there are is known only where the transports are. */
export const TRANSPORT = { isTransport: true };

const outputs = new WeakMap<Tool, ObjectSchema>();

/** What a tool takes. */
export function inputSchema({ input }: Tool, transportKinds: readonly string[]): ObjectSchema {
  return toSchema(input, (node) => {
    shorten(node);
    if (!node.isTransport) return;
    const { description } = node;
    for (const keyword of Object.keys(node)) delete node[keyword];
    Object.assign(node, { description, oneOf: transportForms(transportKinds) });
  });
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

/**
 * What a tool answers with: its fields and their types. Which of them are always there is left out, and so are the items of
 * plain lists of texts.
 */
export function outputSchema(tool: Tool): ObjectSchema | undefined {
  if (!tool.output) return undefined;
  const known = outputs.get(tool) ?? toSchema(tool.output, shortenOutput);
  outputs.set(tool, known);
  return known;
}

/** Whether a schema of a result tells more than that ids, and perhaps warnings, come back. */
export const isTelling = ({ properties = {} }: ObjectSchema): boolean =>
  Object.entries(properties).some(
    ([name, { type, description }]) => name !== 'warnings' && (type !== 'string' || description !== undefined),
  );

type Node = Record<string, unknown>;

function toSchema(schema: z.ZodType, change: (node: Node) => void): ObjectSchema {
  const { $schema: _, ...made } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  walk(made, change);
  return { ...made, type: 'object' } as ObjectSchema;
}

/** Visits every schema below, innermost first. */
function walk(node: Node, visit: (node: Node) => void): void {
  const { properties, items, additionalProperties, anyOf, oneOf, allOf } = node;
  const below = [properties && Object.values(properties), [items, additionalProperties], anyOf, oneOf, allOf];
  for (const child of below.flatMap((each) => (Array.isArray(each) ? each : []))) if (isNode(child)) walk(child, visit);
  visit(node);
}

/** Leaves out what every reader takes for granted; texts that are empty or too long are refused by a sentence of their own. */
function shorten(node: Node): void {
  if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
  if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
  for (const keyword of ['minLength', 'maxLength', 'propertyNames']) delete node[keyword];
  // Some clients stumble over it; what does not belong is refused by a sentence.
  if (node.additionalProperties === false) delete node.additionalProperties;
  if (isNode(node.additionalProperties) && Object.keys(node.additionalProperties).length === 0)
    delete node.additionalProperties;
}

function shortenOutput(node: Node): void {
  shorten(node);
  delete node.required;
  if (isJust(node.items, 'string')) delete node.items;
  const [first, second] = Array.isArray(node.anyOf) ? node.anyOf : [];
  if (!isNode(first) || !isJust(second, 'null') || typeof first.type !== 'string') return;
  delete node.anyOf;
  Object.assign(node, first, { type: [first.type, 'null'] });
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);

const isJust = (node: unknown, type: string): boolean =>
  isNode(node) && node.type === type && Object.keys(node).length === 1;
