// Real processes, killed while they deliver: what was acknowledged arrives, and what arrives twice says that it is the same.
import { expect, test } from 'vitest';
import { openCatcher } from '../support/catcher.ts';
import { connectOwner, spawnDaemon, temporaryDirectory, waitFor } from '../support/daemon.ts';

const KILLS = 4;
const BURST = 12;

test('every acknowledged message arrives, under one id, however often the daemon is killed', async () => {
  const dir = temporaryDirectory();
  const start = () => spawnDaemon({ dir, settings: { 'outbound.allow_private': true } });
  const acknowledged: string[] = [];
  let kill: (() => void) | undefined;
  // Some answers come late, some not at all, so that kills fall between sending and recording.
  const catcher = await openCatcher(async (_caught, n) => {
    if (n % 5 === 2) kill?.();
    await new Promise((resolve) => setTimeout(resolve, n % 3));
    return n % 7 === 3 ? { status: 503 } : {};
  });
  let daemon = await start();
  let owner = await connectOwner(daemon);
  for (const id of ['s-a', 's-b']) {
    const transport = { kind: 'webhook', config: { outbound_url: `${catcher.url}/${id}` } };
    await owner.call('create_stream', { id, name: id, transport });
  }
  for (let round = 0; round <= KILLS; round++) {
    const killed = new Promise<void>((resolve) => {
      if (round === KILLS) return resolve();
      kill = () => {
        kill = undefined;
        void daemon.kill('SIGKILL').then(() => resolve());
      };
    });
    const burst = Array.from({ length: BURST }, (_, n) =>
      owner
        .call('publish', { streamId: n % 2 ? 's-a' : 's-b', body: `${round}.${n}`, threadId: `t${n % 3}` })
        .then(({ id }) => void acknowledged.push(id as string))
        .catch(() => {}),
    );
    await Promise.all(burst);
    if (round === KILLS) break;
    // Where all that is left waits for its next attempt.
    const late = setTimeout(() => kill?.(), 2_000);
    await killed;
    clearTimeout(late);
    daemon = await start();
    owner = await connectOwner(daemon);
    // What a failed attempt waits for is not what this is about.
    for (const id of acknowledged) await owner.call('retry', { id }).catch(() => {});
  }
  kill = undefined;
  const stateOf = async (id: string) => {
    await owner.call('retry', { id }).catch(() => {});
    const { outbound } = await owner.call('event_status', { id });
    return (outbound as { state: string }[])[0]?.state;
  };
  for (const id of acknowledged) await waitFor(`${id} is delivered`, async () => (await stateOf(id)) === 'delivered');

  const idsOf = new Map<string, Set<string>>();
  for (const { headers } of catcher.caught) {
    const event = String(headers['x-helix-event']);
    idsOf.set(event, (idsOf.get(event) ?? new Set()).add(String(headers['webhook-id'])));
  }
  expect(acknowledged.filter((id) => !idsOf.has(id))).toEqual([]);
  expect([...idsOf.values()].every(({ size }) => size === 1)).toBe(true);
  expect(new Set([...idsOf.values()].flatMap((ids) => [...ids])).size).toBe(idsOf.size);
  expect(acknowledged.length).toBeGreaterThan(BURST);
}, 120_000);
