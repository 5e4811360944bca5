// What pages about Streams show of the newsroom: a letter from outside, an answer that waits for a person, and a run that spoke.
import type { openNewsroom } from './newsroom.ts';

/** @returns the id of an Event that a run published, and which woke others */
export async function addLetters({
  call,
  daemon,
}: Pick<Awaited<ReturnType<typeof openNewsroom>>, 'call' | 'daemon'>): Promise<string> {
  await call('create_stream', {
    id: 's-readers',
    name: 'Readers',
    description: 'What readers send from the site, and what we answer.',
    transport: { kind: 'webhook', config: { outbound_url: 'https://readers.example/answers' } },
    hold: true,
  });
  await call('invite_workers', { streamId: 's-readers', workerIds: ['w-maria', 'w-frida'] });
  await fetch(`${daemon.url}/webhooks/s-readers`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Ines Duarte', question: 'Which bus goes round the bridge?', stars: 4 }),
  });
  const answer = {
    streamId: 's-readers',
    threadId: 'bridge',
    subject: 'The bus',
    body: 'Line **14**, every ten minutes.',
  };
  await call('publish', answer, 'w-frida');
  const [run] = daemon.queries.runningActivations();
  const trigger = run?.triggers.at(-1);
  if (!run || trigger === undefined) throw new Error('nobody works in the newsroom');
  const cause = { causedBy: trigger, root: run.root, hops: run.hops + 1, activationId: run.id };
  const said = {
    streamId: 's-desk',
    subject: 'Half time at Mill Park',
    body: 'Two all.\n\n1. Rovers, 12th\n2. United, 31st',
  };
  const outcome = await daemon.door.call({ workerId: run.worker, via: 'mcp', cause }, 'publish', said);
  if (outcome.kind !== 'ok') throw new Error('it was not published');
  return String(outcome.result.id);
}
