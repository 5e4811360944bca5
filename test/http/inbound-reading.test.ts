import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OrgError } from '../../src/domain/errors.ts';
import { createInboundReader, type InboundReader, type Reading } from '../../src/http/inbound-reading.ts';
import { createRoom } from '../../src/http/inbound-room.ts';
import { github } from '../../src/transports/github.ts';
import { type Receiver, Unready } from '../../src/transports/transport.ts';
import { delivery, issue, type SentDelivery, WEBHOOK_SECRET } from '../support/github.ts';

const receive = github.receive as unknown as Receiver<unknown>;
const MIB = 1_048_576;

let reader: InboundReader;
beforeEach(() => {
  reader = createInboundReader();
});
afterEach(() => reader.close());

function reading(sent: SentDelivery, account: unknown = { webhook_secret: WEBHOOK_SECRET }): Reading {
  const { bytes, headers } = delivery(sent);
  // In memory of its own, as the server hands it over.
  const body = new Uint8Array(new ArrayBuffer(bytes.length));
  body.set(bytes);
  return {
    kind: 'github',
    request: { method: 'POST', path: '/github/webhook', query: '', headers, body, at: new Date(0) },
    streams: [{ id: 's-gh', config: { repo: 'acme/site', events: ['*'] }, secrets: [] }],
    account,
  };
}

const large = (filling: string) => ({
  id: 'd-1',
  body: JSON.stringify(issue()).replace(/}$/, `,"filling":${filling}}`),
});
const read = (sent: SentDelivery, account?: unknown) => reader.read(reading(sent, account), receive);

describe('a large body', () => {
  test('becomes what it would become here', async () => {
    const sent = large(`"${'x'.repeat(300_000)}"`);
    const here = reading(sent);
    const expected = receive.handle(here.request, here.streams, here.account);
    const { inbound, digest } = await read(sent);
    const plain = (all: typeof expected) =>
      all.map(({ content, ...rest }) => ({
        ...rest,
        content: content.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()]),
      }));
    expect(plain(inbound)).toEqual(plain(expected));
    const { createHash } = await import('node:crypto');
    expect(Buffer.from(digest)).toEqual(createHash('sha256').update(here.request.body).digest());
  });

  test('is refused with the same words', async () => {
    const sent = large(`"${'x'.repeat(300_000)}"`);
    await expect(read({ ...sent, secret: 'other' })).rejects.toMatchObject({
      code: 'forbidden',
      message: 'invalid signature',
    });
    await expect(read({ ...sent, body: `${sent.body}}` })).rejects.toThrow(/^parse json: /);
    await expect(read({ ...sent, body: `${sent.body}}` })).rejects.toBeInstanceOf(OrgError);
    await expect(reader.read({ ...reading(sent), account: null }, receive)).rejects.toBeInstanceOf(Unready);
  });

  test('of the worst shape does not hold up the loop', async () => {
    let turns = 0;
    const count = setInterval(() => void turns++, 1);
    await read(large(`[${'{},'.repeat(3_000_000)}{}]`));
    clearInterval(count);
    // On this loop it would be two turns, however fast the machine.
    expect(turns).toBeGreaterThan(20);
  });

  test('too complex for the memory it may use is refused, and the next one is read', async () => {
    const levels = `${'{"a":'.repeat(3)}[${'[],'.repeat(8 * MIB)}[]]${'}'.repeat(3)}`;
    const outcomes = await Promise.allSettled([read(large(levels)), read(large('"x"'.padEnd(80_000)))]);
    expect(outcomes[1].status).toBe('fulfilled');
    if (outcomes[0].status === 'rejected') expect(outcomes[0].reason).toBeInstanceOf(OrgError);
  });
});

describe('the room for bodies', () => {
  test('lets small ones in always, and large ones in their order as there is room', async () => {
    const room = createRoom();
    const entered: string[] = [];
    const enter = (name: string, bytes: number) =>
      room.take(bytes).then((leave) => {
        entered.push(name);
        return leave;
      });
    const first = await enter('a', 40 * MIB);
    const second = enter('b', 40 * MIB);
    const third = enter('c', 2 * MIB);
    await enter('small', MIB);
    expect(entered).toEqual(['a', 'small']);
    first();
    first();
    (await second)();
    await third;
    expect(entered).toEqual(['a', 'small', 'b', 'c']);
  });
});
