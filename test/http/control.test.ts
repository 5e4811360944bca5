import { afterAll, beforeAll, expect, test } from 'vitest';
import { conflict } from '../../src/domain/errors.ts';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await openTestDaemon({
    control: {
      echo: async (args) => ({ args }),
      nothing: async () => undefined,
      refuse: async () => {
        throw conflict('Not now.');
      },
      break: async () => {
        throw new Error('boom');
      },
    },
  });
  await daemon.hire('w-echo');
});
afterAll(() => daemon.close());

async function run(command: string, { body, token = daemon.token() }: { body?: string; token?: string } = {}) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`${daemon.url}/control/${command}`, {
    method: 'POST',
    headers,
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, text: (await response.text()).trim() };
}

test('a command gets the JSON it was sent and answers with JSON', async () => {
  expect(await run('echo', { body: '{"a":[1]}' })).toEqual({ status: 200, text: '{"args":{"a":[1]}}' });
  expect(await run('echo')).toEqual({ status: 200, text: '{"args":{}}' });
  expect(await run('nothing')).toEqual({ status: 200, text: '{}' });
});

test('an unknown command gets 404, what every object has as well', async () => {
  for (const command of ['nope', 'toString', 'constructor', '__proto__']) {
    expect(await run(command)).toMatchObject({ status: 404, text: expect.stringContaining('There is no command') });
  }
});

test('a refusal keeps its sentence, a failure keeps its details to the log', async () => {
  expect(await run('refuse')).toEqual({ status: 409, text: 'Not now.' });
  expect(await run('break')).toMatchObject({ status: 500, text: expect.not.stringContaining('boom') });
  expect(await run('echo', { body: '{' })).toEqual({ status: 400, text: 'The body is not valid JSON.' });
});

test('nobody but the owner gets in, and not by a page’s cookie', async () => {
  expect(await run('echo', { token: 'hxo_nobody' })).toMatchObject({ status: 401 });
  expect(await run('echo', { token: daemon.token('w-echo') })).toMatchObject({
    status: 403,
    text: expect.stringContaining("w-echo's"),
  });
  for (const workerId of ['w-owner', 'w-echo']) {
    const { token } = daemon.core.tokens.create({ workerId, kind: 'chat', label: 'chat at a terminal' });
    expect(await run('echo', { token })).toMatchObject({ status: 403, text: expect.stringContaining('tools alone') });
  }
  const session = daemon.core.tokens.create({ workerId: 'w-owner', kind: 'session', label: 'test' }).token;
  const response = await fetch(`${daemon.url}/control/echo`, {
    method: 'POST',
    headers: { cookie: `helix_session=${session}` },
  });
  expect(response.status).toBe(401);
});
