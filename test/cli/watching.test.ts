// What watches over a daemon is told: readiness, figures, and a log in which lines that belong together can be found.
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../src/cli/logger.ts';
import { logContext, withLogContext } from '../../src/store/log-context.ts';
import { openCatcher } from '../support/catcher.ts';
import { connectOwner, startTestDaemon, type TestDaemon, type TestDaemonOptions, waitFor } from '../support/daemon.ts';

const hire = async (daemon: TestDaemon, grants: string[] = []) => {
  const owner = await connectOwner(daemon);
  await owner.call('create_stream', { id: 's-in', name: 'in', transport: { kind: 'webhook' } });
  await owner.call('create_role', { id: 'r-a', content: '# A' });
  await owner.call('create_position', { id: 'p-a', roleId: 'r-a', parentId: 'p-root' });
  await owner.call('hire_worker', {
    id: 'w-a',
    positionId: 'p-a',
    kind: 'ai',
    identityContent: 'A.',
    streams: ['s-in'],
    grants,
  });
  await daemon.dispatcher.idle();
  return owner;
};

const read = (daemon: TestDaemon, token = daemon.ownerToken) =>
  fetch(`${daemon.url}/metrics`, { headers: token === '' ? {} : { Authorization: `Bearer ${token}` } });

/** Value of a sample, by its name with labels. */
async function figure(daemon: TestDaemon, name: string): Promise<number | undefined> {
  const line = (await (await read(daemon)).text()).split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

describe('/readyz', () => {
  const ready = async ({ url }: { url: string }) => {
    const response = await fetch(`${url}/readyz`);
    return `${response.status} ${(await response.text()).trim()}`;
  };

  test('says no while the database takes nothing, with the reason, and yes again', async () => {
    const daemon = await startTestDaemon();
    expect(await ready(daemon)).toBe('200 ready');
    daemon.db.sqlite.pragma('query_only = ON');
    await waitFor('it has noticed', async () => (await ready(daemon)) === '503 the database is read-only');
    expect((await fetch(`${daemon.url}/healthz`)).status).toBe(200);
    daemon.db.sqlite.pragma('query_only = OFF');
    await waitFor('it has noticed again', async () => (await ready(daemon)) === '200 ready');
  });

  test('says no until what a crash left is seen to', async () => {
    let clean = false;
    const daemon = await startTestDaemon({
      after: (ms, callback) => {
        const timer = setTimeout(callback, clean ? ms : Math.min(ms, 10));
        return () => clearTimeout(timer);
      },
    });
    clean = true;
    expect(await ready(daemon)).toBe('200 ready');
    const stopping = daemon.stop();
    // Whoever asks meanwhile is told, or finds the door closed.
    expect(await ready(daemon).catch(() => 'closed')).toMatch(/^503 stopping$|^closed$/);
    await stopping;
  });
});

describe('/metrics', () => {
  test('counts runs, what came in, what left, commits and the state of things, as OpenMetrics', async () => {
    const catcher = await openCatcher(() => ({ status: 500 }));
    const daemon = await startTestDaemon({
      agent: ({ prompt }) =>
        prompt.includes('break-now') ? { outcome: 'failed', exit: 'exit code 1' } : { usage: { costUsd: 0.25 } },
      settings: { 'outbound.allow_private': true, 'dispatch.attempts': 1 },
    });
    const owner = await hire(daemon);
    await owner.call('create_stream', {
      id: 's-out',
      name: 'out',
      transport: { kind: 'webhook', config: { outbound_url: catcher.url } },
    });
    const post = (path: string, body: string) => fetch(`${daemon.url}/webhooks/${path}`, { method: 'POST', body });
    await post('s-in', 'hello');
    await daemon.dispatcher.idle();
    await post('s-in', 'break-now');
    await post('s-none', 'nobody');
    await daemon.dispatcher.idle();
    await owner.call('publish', { streamId: 's-out', body: 'out' });
    await daemon.courier.idle();

    const response = await read(daemon);
    expect(response.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    const text = await response.text();
    expect(text.endsWith('# EOF\n')).toBe(true);
    const samples = Object.fromEntries(
      text
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
    // The hire is a run as well.
    expect(samples).toMatchObject({
      'helix_org_activations_total{outcome="done"}': 2,
      'helix_org_activations_total{outcome="failed"}': 1,
      'helix_org_activation_duration_seconds_count{outcome="done"}': 2,
      helix_org_activation_cost_dollars_total: 0.5,
      'helix_org_inbound_total{transport="webhook",result="accepted"}': 2,
      'helix_org_inbound_total{transport="webhook",result="refused"}': 1,
      'helix_org_outbound_total{transport="webhook",result="attempt_failed"}': 1,
      'helix_org_events_total{transport="webhook",from="outside"}': 2,
      'helix_org_set_aside_triggers{state="parked"}': 1,
      'helix_org_deliveries{state="queued"}': 1,
      helix_org_activations_running: 0,
      helix_org_queue_triggers: 0,
      'helix_org_workers{kind="ai"}': 1,
      helix_org_ready: 1,
      helix_org_stalled: 0,
      helix_org_journal_seq: daemon.journal.lastSeq,
    });
    expect(samples.helix_org_commit_seconds_count).toBeGreaterThan(10);
    expect(samples['helix_org_memory_bytes{kind="rss"}']).toBeGreaterThan(10_000_000);
    for (const quantile of ['0.5', '0.99', '1'])
      expect(samples).toHaveProperty([`helix_org_event_loop_lag_seconds{quantile="${quantile}"}`]);
    expect(samples['helix_org_http_request_seconds_count{route="/webhooks/:stream",status="2xx"}']).toBe(2);
  });

  test('what waits is counted, and what outsiders make up is no label', async () => {
    let finish = () => {};
    const daemon = await startTestDaemon({
      agent: () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    });
    const owner = await connectOwner(daemon);
    await owner.call('create_role', { id: 'r-a', content: '# A' });
    await owner.call('create_position', { id: 'p-a', roleId: 'r-a', parentId: 'p-root' });
    await owner.call('create_stream', { id: 's-in', name: 'in' });
    await owner.call('hire_worker', {
      id: 'w-a',
      positionId: 'p-a',
      kind: 'ai',
      identityContent: 'A.',
      streams: ['s-in'],
    });
    await waitFor('it runs', () => daemon.dispatcher.running === 1);
    for (let n = 0; n < 3; n++) await owner.call('publish', { streamId: 's-in', body: `${n}` });
    expect(await figure(daemon, 'helix_org_activations_running')).toBe(1);
    // The hire, for which the run is under way, and what came meanwhile.
    await waitFor('four wait', async () => (await figure(daemon, 'helix_org_queue_triggers')) === 4);
    for (let n = 0; n < 20; n++) await fetch(`${daemon.url}/made-up-${n}`);
    await fetch(`${daemon.url}/webhooks/s-made-up`, { method: 'POST', body: 'x' });
    const text = await waitFor('they are counted', async () => {
      const all = await (await read(daemon)).text();
      return /http_request_seconds_count\{route="none",status="4xx"\} 20/.test(all) && all;
    });
    expect(text).not.toContain('made-up');
    finish();
  });

  test('nobody reads it without a credential, a Worker not without the tool for it', async () => {
    const daemon = await startTestDaemon();
    await hire(daemon);
    expect((await read(daemon, '')).status).toBe(401);
    expect((await read(daemon, 'hxo_nonsense')).status).toBe(401);
    const { token } = daemon.tokens.create({ workerId: 'w-a', label: 'test' });
    const refused = await read(daemon, token);
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('list_activations')]);
    await (await connectOwner(daemon)).call('grant_tool', { workerId: 'w-a', toolName: 'list_activations' });
    expect((await read(daemon, token)).status).toBe(200);
  });
});

describe('the log', () => {
  type Line = Record<string, unknown> & { msg: string };

  async function logging(options: TestDaemonOptions = {}) {
    const lines: Line[] = [];
    const log = createLogger({
      json: true,
      level: 'debug',
      write: (line) => void lines.push(JSON.parse(line) as Line),
    });
    return { lines, daemon: await startTestDaemon({ ...options, log }) };
  }

  test('each request has an id, which its answer and its lines bear; those of a run bear the run’s', async () => {
    const { lines, daemon } = await logging();
    await hire(daemon);
    const posted = await fetch(`${daemon.url}/webhooks/s-in`, { method: 'POST', body: 'secret words' });
    const requestId = posted.headers.get('x-request-id');
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    await daemon.dispatcher.idle();
    await waitFor('it is logged', () => lines.some((line) => line.requestId === requestId));
    expect(lines.find((line) => line.requestId === requestId)).toMatchObject({
      msg: 'answered',
      method: 'POST',
      route: '/webhooks/:stream',
      status: 200,
    });
    const [run] = daemon.queries.activationsOf('w-a', 1);
    const ofRun = lines.filter(({ activationId }) => activationId === run?.id);
    expect(ofRun.map(({ msg }) => msg)).toEqual(['a run began', 'a run ended']);
    // The run is nobody's request, though one woke it.
    for (const line of ofRun) expect(line.requestId).toBeUndefined();
    expect(JSON.stringify(lines)).not.toContain('secret words');
    expect(JSON.stringify(lines)).not.toContain(daemon.ownerToken);
  });

  test('a request made by a run bears both ids; a failure is found by the id that was answered', async () => {
    const { lines, daemon } = await logging({
      async agent({ mcp }) {
        const call = {
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name: 'publish', arguments: { streamId: 's-in', body: 'x' } },
        };
        const headers = {
          Authorization: `Bearer ${mcp.token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        };
        await (await fetch(mcp.url, { method: 'POST', headers, body: JSON.stringify(call) })).text();
      },
    });
    await hire(daemon, ['publish']);
    const [run] = daemon.queries.activationsOf('w-a', 1);
    await waitFor('it is logged', () => lines.some((line) => line.activationId === run?.id && line.msg === 'answered'));
    const line = lines.find(({ activationId, msg }) => activationId === run?.id && msg === 'answered');
    expect(line).toMatchObject({ route: '/workers/:id/mcp', workerId: 'w-a', requestId: expect.any(String) });

    daemon.db.sqlite.pragma('query_only = ON');
    const failed = await fetch(`${daemon.url}/webhooks/s-in`, { method: 'POST', body: 'x' });
    daemon.db.sqlite.pragma('query_only = OFF');
    expect(failed.status).toBe(503);
    expect(lines.find(({ msg }) => msg === 'a request failed')).toMatchObject({
      requestId: failed.headers.get('x-request-id'),
    });
  });

  test('what is logged in a context bears it, at any depth, and its own words win', async () => {
    const lines: Line[] = [];
    const log = createLogger({ json: true, write: (line) => void lines.push(JSON.parse(line) as Line) });
    await withLogContext({ requestId: 'r' }, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      (logContext() ?? {}).activationId = 'a-1';
      log.info('one');
      log.info({ activationId: 'a-2' }, 'two');
    });
    log.info('three');
    expect(lines).toMatchObject([
      { requestId: 'r', activationId: 'a-1' },
      { requestId: 'r', activationId: 'a-2' },
      { msg: 'three' },
    ]);
    expect(lines[2]).not.toHaveProperty('requestId');
  });
});
