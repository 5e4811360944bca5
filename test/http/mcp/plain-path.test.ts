// The short way must answer what the SDK would have answered. A progress token makes the same request the SDK's.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDaemon, type TestDaemon } from '../../support/http.ts';

const seed = Number(process.env.HELIX_SEED ?? Math.floor(Math.random() * 2 ** 31));

let daemon: TestDaemon;
let token: string;

beforeAll(async () => {
  daemon = await openTestDaemon();
  await daemon.hire('w-ann', { grants: ['get_role', 'list_roles', 'read_events'] });
  token = daemon.token('w-ann');
});
afterAll(() => daemon.close());

type Message = Record<string, unknown> & { params?: unknown };
type Headers = Record<string, string | undefined>;

async function post(message: Message, headers: Headers) {
  const given = Object.entries({ accept: 'application/json, text/event-stream', ...headers });
  const response = await fetch(`${daemon.url}/workers/w-ann/mcp`, {
    method: 'POST',
    body: JSON.stringify(message),
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...(Object.fromEntries(given.filter(([, value]) => value !== undefined)) as Record<string, string>),
    },
  });
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    length: response.headers.get('content-length'),
    answer: text === '' ? '' : JSON.parse(text.split('\ndata: ')[1] ?? text),
  };
}

const PV = 'io.modelcontextprotocol/protocolVersion';
const INFO = 'io.modelcontextprotocol/clientInfo';
const CAN = 'io.modelcontextprotocol/clientCapabilities';
const META = { [PV]: '2026-07-28', [INFO]: { name: 'test', version: '1' }, [CAN]: {} };
const modernHeaders = (method: string, name?: string): Headers => ({
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': method,
  'mcp-name': name,
});

test.each([
  ['tools/list', undefined],
  ['tools/call', { name: 'get_role', arguments: { id: 'r-owner' } }],
  ['tools/call', { name: 'get_role' }],
  ['tools/call', { name: 'publish', arguments: {} }],
])('a plain %s of either era takes the short way', async (method, params) => {
  const old = await post({ jsonrpc: '2.0', id: 'a"b', method, ...(params ? { params } : {}) }, {});
  expect(old).toMatchObject({
    status: 200,
    type: 'application/json',
    length: expect.any(String),
    answer: { id: 'a"b' },
  });
  const modern = await post(
    { jsonrpc: '2.0', id: 7, method, params: { ...params, _meta: { ...META, 'claudecode/toolUseId': 'x' } } },
    modernHeaders(method, params?.name),
  );
  expect(modern).toMatchObject({
    status: 200,
    length: expect.any(String),
    answer: {
      id: 7,
      result: { resultType: 'complete', _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'helix-org' } } },
    },
  });
});

test('a call that waits takes the short way unless it wants to hear of its progress', async () => {
  const params = { name: 'read_events', arguments: { wait: 0 } };
  const plain = await post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }, {});
  expect(plain).toMatchObject({ type: 'application/json', answer: { id: 1 } });
  const reporting = { ...params, _meta: { progressToken: 1 } };
  const { type } = await post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: reporting }, {});
  expect(type).toBe('text/event-stream');
});

const pick = <T>(...values: T[]) => fc.constantFrom(...values);
/** Mostly the first, so that requests are mostly well-formed. */
const mostly = (first: unknown, ...others: unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: fc.constant(first), weight: 8 }, { arbitrary: fc.constantFrom(...others), weight: 1 });

const LEAVE_OUT = Symbol('left out');
const made = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc
    .record(fields)
    .map((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== LEAVE_OUT)));

const metaOf = (isModern: boolean) =>
  isModern
    ? made({
        [PV]: mostly('2026-07-28', LEAVE_OUT, '2025-11-25', 'v999', 7),
        [INFO]: mostly({ name: 'test', version: '1' }, LEAVE_OUT, { name: 7 }, 'x', { name: 'a', version: 'b', c: 1 }),
        [CAN]: mostly({}, { roots: { listChanged: true }, sampling: {} }, { roots: 7 }, [], 'x', LEAVE_OUT),
        'io.modelcontextprotocol/logLevel': mostly(LEAVE_OUT, 'info', 'nonsense'),
        'io.modelcontextprotocol/other': mostly(LEAVE_OUT, 1),
        'other/key': mostly(LEAVE_OUT, 'x', null),
      })
    : made({
        'other/key': mostly(LEAVE_OUT, 'x'),
        [PV]: mostly(LEAVE_OUT, '2025-11-25', '2026-07-28'),
        [CAN]: mostly(LEAVE_OUT, {}),
      });

const requests = fc.boolean().chain((isModern) =>
  fc.record({
    isModern: fc.constant(isModern),
    method: pick('tools/list', 'tools/call'),
    name: mostly('get_role', 'list_roles', 'publish', 'nope', '', 'ü', 7, null, LEAVE_OUT),
    args: mostly({ id: 'r-owner' }, {}, { id: 'r-none' }, { id: 7 }, LEAVE_OUT, null, 'x', [1], { limit: '1' }),
    id: mostly(1, 'a', '', -1, 0, 1.5, null, {}, LEAVE_OUT, 2 ** 53),
    jsonrpc: mostly('2.0', '1.0', LEAVE_OUT),
    extraTop: mostly(LEAVE_OUT, 'x'),
    extraParam: mostly(
      LEAVE_OUT,
      ['cursor', 'x'],
      ['task', {}],
      ['inputResponses', {}],
      ['requestState', 's'],
      ['foo', 1],
    ),
    meta: metaOf(isModern),
    version: isModern
      ? mostly('2026-07-28', LEAVE_OUT, '2025-11-25', 'v999')
      : mostly(LEAVE_OUT, '2025-11-25', '2025-06-18', '2024-11-05', '1999-01-01', '2026-07-28'),
    methodHeader: mostly('right', LEAVE_OUT, 'tools/other'),
    nameHeader: mostly('right', LEAVE_OUT, 'other', '=?base64?Z2V0X3JvbGU=?='),
    accept: mostly('application/json, text/event-stream', 'application/json', '*/*', 'text/event-stream'),
  }),
);

type Request = typeof requests extends fc.Arbitrary<infer T> ? T : never;

function toWire(request: Request): { message: Message; headers: Headers } {
  const { method, name, args, id, jsonrpc, extraTop, extraParam, meta, isModern } = request;
  const isCall = method === 'tools/call';
  const extra = Array.isArray(extraParam) ? { [String(extraParam[0])]: extraParam[1] } : {};
  const kept = (fields: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== LEAVE_OUT));
  const params = { ...(isCall ? kept({ name, arguments: args }) : {}), ...extra, _meta: meta };
  const header = (value: unknown, right: unknown) =>
    value === LEAVE_OUT ? undefined : value === 'right' ? String(right) : String(value);
  return {
    message: kept({ jsonrpc, id, method, params, extraTop }),
    headers: {
      accept: String(request.accept),
      'mcp-protocol-version': header(request.version, ''),
      'mcp-method': isModern ? header(request.methodHeader, method) : undefined,
      'mcp-name':
        isModern && isCall && typeof name === 'string' && /^\w+$/.test(name)
          ? header(request.nameHeader, name)
          : undefined,
    },
  };
}

test(`whatever is sent, both ways answer alike (seed ${seed})`, { timeout: 120_000 }, async () => {
  let short = 0;
  await fc.assert(
    fc.asyncProperty(requests, async (request) => {
      const { message, headers } = toWire(request);
      const asSent = await post(message, headers);
      const params = message.params as { _meta: object };
      const bySdk = await post(
        { ...message, params: { ...params, _meta: { ...params._meta, progressToken: 1 } } },
        headers,
      );
      if (asSent.length !== null) short += 1;
      expect({ status: asSent.status, answer: asSent.answer }).toEqual({ status: bySdk.status, answer: bySdk.answer });
    }),
    { seed, numRuns: 600 },
  );
  expect(short).toBeGreaterThan(50);
});
