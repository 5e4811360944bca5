// Three Workers that write mail to each other in a ring, over a Postmark that brings each mail back as the internet would. Nobody
// outside takes part, so only the chain of causes can tell that it is one loop.
import { expect, test } from 'vitest';
import { dispatchStage } from '../support/dispatch.ts';
import { alias, fakePostmark, headerOf, mailTo, postMail, SENDER } from '../support/mail.ts';

const NEXT: Record<string, string> = { ann: 'ben', ben: 'cem', cem: 'ann' };

/** Answers every mail by one of its own to the next in the ring. */
async function ring(answerWith: (id: string) => object) {
  const postmark = await fakePostmark();
  const org = await dispatchStage({
    play: async ({ workerId, prompt, use }) => {
      const id = /^message_id: (.*)$/m.exec(prompt)?.[1];
      if (id === undefined) return;
      const name = workerId.slice(2);
      await use('publish', {
        streamId: `s-${name}`,
        to: [alias(NEXT[name] ?? '')],
        subject: 'Thanks',
        body: 'You too.',
        ...answerWith(id),
      });
    },
  });
  org.daemon.settings.set('transport.postmark', postmark.account);
  for (const name of Object.keys(NEXT)) {
    await org.stream(`s-${name}`, { transport: { kind: 'email', config: { alias: name } } });
    await org.hire(`w-${name}`, { streams: [`s-${name}`], grants: ['publish'] });
  }
  const settle = async () => {
    await org.idle();
    await org.daemon.courier.idle();
  };
  return { ...org, postmark, settle };
}

test.each([
  ['answer each other', (id: string) => ({ inReplyTo: id })],
  ['begin a new conversation each time', () => ({})],
])('A112: three Workers that %s by mail end at the hop limit, with one notice', async (_how, answerWith) => {
  const { daemon, postmark, settle, notices, runs, call } = await ring(answerWith);
  await settle();
  const begun = runs.length;
  expect(await postMail(daemon.url, mailTo('ann'))).toMatchObject({ status: 204 });
  await settle();
  // More rounds than any limit allows; each mail comes twice, as after an answer that was lost.
  for (let brought = 0; brought < postmark.sent.length && brought < 50; brought++) {
    const mail = postmark.sent[brought]!;
    const to = String(mail.body.To);
    const changes = {
      From: SENDER,
      To: to,
      ToFull: [],
      OriginalRecipient: to,
      Subject: 'Thanks',
      MessageID: `pm-${brought}`,
    };
    const headers = Object.fromEntries(mail.body.Headers.map(({ Name, Value }) => [Name, Value]));
    const inbound = mailTo('any', { ...changes, headers });
    for (let times = 0; times < 2; times++) expect(await postMail(daemon.url, inbound)).toMatchObject({ status: 204 });
    await settle();
  }
  // A mail and its arrival are a hop each: 1 2, 3 4, 5 6, 7 8; the next one would be the ninth.
  const ids = postmark.sent.map((mail) => headerOf(mail, 'Message-ID'));
  expect([ids.length, new Set(ids).size]).toEqual([4, 4]);
  expect(runs.slice(begun).map(({ workerId }) => workerId)).toEqual(['w-ann', 'w-ben', 'w-cem', 'w-ann', 'w-ben']);
  expect(notices()).toEqual([expect.stringContaining('Loop stopped on s-ben')]);
  // What was said last is kept, and a person may let it go.
  const [last] = daemon.queries.events(['s-ben'], { limit: 1 });
  expect(await call('event_status', { id: last!.id })).toMatchObject({ outbound: [{ state: 'held' }] });
});
