// The short way for the two methods that make up nearly all traffic. The SDK builds web requests, a server, a transport and
// streams for each message, which costs ten times what the call itself does. A request that is plain (well-formed, no progress
// wanted) is answered here with what the SDK would have answered; every other one is the SDK's.
import type { IncomingHttpHeaders } from 'node:http';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  classifyInboundRequest,
  PROTOCOL_VERSION_META_KEY,
  SERVER_INFO_META_KEY,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server';
import type { ToolDoor } from '../../tools/call-tool.ts';
import type { Caller } from '../../tools/define-tool.ts';
import type { RunningCall } from './calls.ts';
import { toolJson } from './tools.ts';

export type PlainPath = {
  /** The body of the answer, with status 200, empty when the call was cancelled; undefined when the SDK shall answer. */
  answer(headers: IncomingHttpHeaders, message: unknown, callers: Callers): Promise<string | undefined>;
};

/** Who calls: at once, or in a call that waits and can be cancelled meanwhile. */
export type Callers = { now(): Caller; waiting(id: string | number): { caller: Caller; call: RunningCall } };

const MODERN = '2026-07-28';
const ENVELOPE = [PROTOCOL_VERSION_META_KEY, CLIENT_INFO_META_KEY, CLIENT_CAPABILITIES_META_KEY];
const RESERVED = 'io.modelcontextprotocol/';
/** Clients whose description of themselves was found well-formed; there are few, and they repeat it in each request. */
const ENVELOPES_KNOWN_MAX = 200;
/** As many tools as the SDK's way gives on one page. */
const TOOLS_MAX = 100;

type Plain =
  | { method: 'tools/list'; id: string | number; isModern: boolean }
  | { method: 'tools/call'; id: string | number; isModern: boolean; name: string; args: unknown; waits: boolean };

/** @param identity as the server tells it to clients */
export function createPlainPath(door: ToolDoor, identity: object): PlainPath {
  const known = new Set<string>();
  const meta = JSON.stringify({ [SERVER_INFO_META_KEY]: identity });
  const tailOf = ({ isModern, method }: Plain): string => {
    if (!isModern) return '';
    const cache = method === 'tools/list' ? ',"ttlMs":0,"cacheScope":"private"' : '';
    return `,"resultType":"complete"${cache},"_meta":${meta}`;
  };
  return {
    async answer(headers, message, callers) {
      const plain = plainRequest(headers, message, known);
      if (!plain) return undefined;
      const fields = await fieldsOf(door, plain, callers);
      if (fields === undefined || fields === CANCELLED) return fields;
      return `{"result":{${fields}${tailOf(plain)}},"jsonrpc":"2.0","id":${JSON.stringify(plain.id)}}`;
    },
  };
}

const CANCELLED = '';

async function fieldsOf(door: ToolDoor, plain: Plain, callers: Callers): Promise<string | undefined> {
  if (plain.method === 'tools/list') return list(door, callers.now());
  if (!plain.waits) return call(door, callers.now(), plain);
  const { caller, call: running } = callers.waiting(plain.id);
  try {
    const fields = await call(door, caller, plain);
    return running.signal.aborted ? CANCELLED : fields;
  } finally {
    running.done();
  }
}

function list(door: ToolDoor, { workerId }: Caller): string | undefined {
  const tools = door.granted(workerId);
  return tools.length > TOOLS_MAX ? undefined : `"tools":[${tools.map((tool) => toolJson(tool, door)).join()}]`;
}

async function call(door: ToolDoor, caller: Caller, { name, args }: { name: string; args: unknown }) {
  const outcome = await door.call(caller, name, args);
  switch (outcome.kind) {
    case 'ok':
      return Object.isFrozen(outcome.result) ? sharedFields(outcome.result) : resultFields(outcome.result);
    case 'refused':
      return `"content":[{"type":"text","text":${JSON.stringify(outcome.message)}}],"isError":true`;
    case 'unknown':
      // Nothing happened; an error of the protocol is the SDK's to word.
      return undefined;
  }
}

function resultFields(result: object): string {
  const text = JSON.stringify(result);
  return `"content":[{"type":"text","text":${JSON.stringify(text)}}],"structuredContent":${text}`;
}

const shared = new WeakMap<object, string>();

/** What several callers get, such as those that waited for the same, is written once. */
function sharedFields(result: object): string {
  const fields = shared.get(result) ?? resultFields(result);
  shared.set(result, fields);
  return fields;
}

/** Whatever is not known to be accepted by the SDK is none. */
function plainRequest(headers: IncomingHttpHeaders, message: unknown, known: Set<string>): Plain | undefined {
  if (!isObject(message) || !hasOnly(message, 'jsonrpc', 'id', 'method', 'params')) return undefined;
  const { jsonrpc, id, method, params = {} } = message;
  if (jsonrpc !== '2.0' || (typeof id !== 'string' && !Number.isSafeInteger(id)) || !isObject(params)) return undefined;
  const isModern = headers['mcp-protocol-version'] === MODERN;
  const fits = isModern ? isModernPlain(headers, message, params, known) : isLegacyPlain(headers, params);
  if (!fits) return undefined;
  const common = { id: id as string | number, isModern };
  if (method === 'tools/list') return hasOnly(params, '_meta') ? { ...common, method } : undefined;
  if (method !== 'tools/call' || !hasOnly(params, 'name', 'arguments', '_meta')) return undefined;
  const { name, arguments: args = {} } = params;
  if (typeof name !== 'string' || !isObject(args)) return undefined;
  return { ...common, method, name, args, waits: 'wait' in args };
}

function isModernPlain(
  headers: IncomingHttpHeaders,
  message: Record<string, unknown>,
  { name, _meta: meta }: Record<string, unknown>,
  known: Set<string>,
): boolean {
  if (headers['mcp-method'] !== message.method || headers['mcp-name'] !== name) return false;
  if (!isObject(meta) || meta[PROTOCOL_VERSION_META_KEY] !== MODERN || 'progressToken' in meta) return false;
  for (const key in meta) if (key.startsWith(RESERVED) && !ENVELOPE.includes(key)) return false;
  const envelope = JSON.stringify([meta[CLIENT_INFO_META_KEY], meta[CLIENT_CAPABILITIES_META_KEY]]);
  if (known.has(envelope)) return true;
  const { kind } = classifyInboundRequest({ httpMethod: 'POST', protocolVersionHeader: MODERN, body: message });
  if (kind !== 'modern' || known.size >= ENVELOPES_KNOWN_MAX) return kind === 'modern';
  known.add(envelope);
  return true;
}

function isLegacyPlain(headers: IncomingHttpHeaders, { _meta: meta }: Record<string, unknown>): boolean {
  const { accept = '', 'mcp-protocol-version': version } = headers;
  if (!accept.includes('application/json') || !accept.includes('text/event-stream')) return false;
  if (version !== undefined && !SUPPORTED_PROTOCOL_VERSIONS.includes(String(version))) return false;
  if (meta === undefined) return true;
  return isObject(meta) && !('progressToken' in meta) && !Object.keys(meta).some((key) => key.startsWith(RESERVED));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function hasOnly(object: Record<string, unknown>, ...keys: string[]): boolean {
  for (const key in object) if (!keys.includes(key)) return false;
  return true;
}
