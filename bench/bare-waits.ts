// What a long poll's wake is measured against: Fastify that holds requests and answers them all when it is told to. It keeps
// nothing and reads nothing, so what it takes is the connections' and the client's.
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyReply } from 'fastify';

/** As long as what our answer says of one short Event. */
const ANSWER = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { text: 'x'.repeat(600) } });

const app = fastify();
let held: FastifyReply[] = [];
app.post('/wait', (_request, reply) => {
  held.push(reply);
});
app.post('/tell', () => {
  const waiting = held;
  held = [];
  // After the answer to the one who tells, as a daemon does.
  setImmediate(() => {
    for (const reply of waiting) reply.type('application/json').send(ANSWER);
  });
  return {};
});
await app.listen({ host: '127.0.0.1', port: 0 });

process.on('message', async (asked: string) => {
  if (asked === 'waiting') process.send?.(held.length);
  if (asked !== 'stop') return;
  await app.close();
  process.disconnect();
});
process.on('disconnect', () => process.exit());
process.send?.({ port: (app.server.address() as AddressInfo).port });
