// Conversations by mail, by a whole daemon. What it sends goes over SMTP, is parsed by postal-mime, and what is for one of our
// aliases comes back as Postmark would post it.
import type { Email } from 'postal-mime';
import { describe, expect, test } from 'vitest';
import type { EventView } from '../../src/store/event-reader.ts';
import { dispatchStage, type Run } from '../support/dispatch.ts';
import { alias, HASH, mailTo, type Payload, postMail, SENDER, smtpServer } from '../support/mail.ts';

async function stage(play: (run: Run) => Promise<void> | void = () => {}) {
  const server = await smtpServer();
  const org = await dispatchStage({ play });
  org.daemon.settings.set('transport.postmark', server.account);
  const box = (id: string, name: string, more: object = {}) =>
    org.stream(id, { transport: { kind: 'email', config: { alias: name } }, ...more });
  const post = async (payload: Payload) =>
    expect(await postMail(org.daemon.url, payload)).toEqual({ status: 204, text: '' });
  const events = (streamId: string) => org.daemon.queries.events([streamId], { limit: 100 }).reverse();
  const settle = async () => {
    await org.idle();
    await org.daemon.courier.idle();
  };
  return { ...org, server, box, post, events, settle };
}

/** What Postmark posts for a mail that came to one of our addresses. */
function asInbound(mail: Email, recipient: string): Payload {
  const header = (key: string) => mail.headers.find((each) => each.key === key)?.value;
  const Headers = ['message-id', 'in-reply-to', 'references', 'auto-submitted'].flatMap((key) =>
    header(key) === undefined ? [] : [{ Name: key, Value: header(key) }],
  );
  const from = mail.from as { address: string; name: string };
  return {
    From: from.address,
    FromName: from.name,
    To: (mail.to ?? []).map((to) => ('address' in to ? to.address : '')).join(', '),
    OriginalRecipient: recipient,
    Subject: mail.subject,
    TextBody: mail.text,
    MessageID: `pm ${header('message-id')} ${recipient}`,
    Headers,
  };
}

const replyTo = (mail: Email): string => {
  const [to] = mail.replyTo ?? [];
  return to && 'address' in to ? String(to.address) : '';
};

test('A157: four hops and three mails are one thread to a client that is not ours, delivered again and again, without an echo', async () => {
  const customer = 'ada@kunde.example';
  const said: string[] = [];
  const org = await stage(async (run) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(run.prompt)?.[1] ?? '';
    if (!field('from')) return;
    said.push(`${run.workerId} hears ${field('from')}`);
    const common = { inReplyTo: field('message_id'), threadId: field('thread_id') || field('message_id') };
    if (run.workerId === 'w-lee')
      await run.use('publish', {
        streamId: 's-engineer',
        to: [alias('sam')],
        subject: '[eng] Re: It broke',
        body: 'Turn it.',
        ...common,
      });
    else if (field('from') === customer)
      await run.use('publish', {
        streamId: 's-support',
        to: [alias('engineer')],
        subject: 'Re: It broke',
        body: 'Lee?',
        ...common,
      });
    else
      await run.use('publish', {
        streamId: 's-support',
        to: [customer],
        subject: 'Re: It broke',
        body: 'Turn it.',
        ...common,
      });
  });
  await org.box('s-support', 'sam');
  await org.box('s-engineer', 'engineer');
  await org.hire('w-sam', { streams: ['s-support'], grants: ['publish'] });
  await org.hire('w-lee', { streams: ['s-engineer'], grants: ['publish'] });
  await org.settle();

  const first = mailTo('sam', {
    From: customer,
    Subject: 'It broke',
    headers: { 'Message-ID': '<root@kunde.example>' },
  });
  await org.post(first);
  for (let hop = 0; hop < 3; hop++) {
    await org.settle();
    const mail = org.server.mails[hop]!;
    const ours = mail.to.filter((address) => address.startsWith(`${HASH}+`));
    for (const address of ours) for (let n = 0; n < 3; n++) await org.post(asInbound(mail.parsed, address));
    await org.post(first);
  }
  await org.settle();

  expect(said).toEqual([`w-sam hears ${customer}`, `w-lee hears ${SENDER}`, `w-sam hears ${SENDER}`]);
  expect(org.server.mails.map(({ to }) => to)).toEqual([[alias('engineer')], [alias('sam')], [customer]]);
  const parsed = org.server.mails.map(({ parsed: mail }) => mail);
  expect(parsed.map(({ references }) => references?.split(/\s+/)[0])).toEqual(Array(3).fill('<root@kunde.example>'));
  expect(parsed.map(({ inReplyTo }) => inReplyTo)).toEqual([
    '<root@kunde.example>',
    parsed[0]!.messageId,
    parsed[1]!.messageId,
  ]);
  expect(new Set(parsed.map(({ messageId }) => messageId)).size).toBe(3);
  const all = [...org.events('s-support'), ...org.events('s-engineer')];
  expect(all).toHaveLength(6);
  for (const { message } of all.filter(({ message }) => message?.message_id !== '<root@kunde.example>'))
    expect(message?.thread_id).toBe('<root@kunde.example>');
  // What the org wrote to itself is no new outside Event: it goes on in its chain, one hop further each time.
  const hops = (events: EventView[]) => events.map(({ seq }) => org.daemon.queries.entry(seq)?.hops);
  expect(hops(org.events('s-support'))).toEqual([0, 1, 4, 5]);
  expect(hops(org.events('s-engineer'))).toEqual([2, 3]);
});

describe('a conversation we began', () => {
  test('is one thread from its first mail on, whatever its answers name', async () => {
    const org = await stage();
    await org.box('s-support', 'sam');
    const { id } = await org.call('publish', {
      streamId: 's-support',
      to: ['ada@kunde.example'],
      subject: 'Offer',
      body: 'Hi.',
    });
    await org.settle();
    const root = `<${id}@acme.example>`;
    expect(org.server.mails[0]!.parsed).toMatchObject({ messageId: root });
    expect(org.server.mails[0]!.parsed.references).toBeUndefined();
    await org.post(
      mailTo('sam', { headers: { References: root, 'In-Reply-To': root, 'Message-ID': '<r1@kunde.example>' } }),
    );
    const again = await org.call('publish', {
      streamId: 's-support',
      to: ['ada@kunde.example'],
      body: 'And?',
      inReplyTo: '<r1@kunde.example>',
    });
    await org.settle();
    expect(org.server.mails[1]!.parsed).toMatchObject({
      subject: 'Re: Question',
      references: `${root} <r1@kunde.example>`,
    });
    // Some clients name nothing but the mail they answer.
    const second = `<${again.id}@acme.example>`;
    await org.post(mailTo('sam', { headers: { 'In-Reply-To': second } }));
    const thread = org.daemon.queries.events(['s-support'], { limit: 10, thread: root });
    expect(thread).toHaveLength(4);
    expect(thread.map(({ id: event }) => event)).toContain(id);
  });

  test('under a label of our own keeps it', async () => {
    const org = await stage();
    await org.box('s-support', 'sam');
    const { id } = await org.call('publish', {
      streamId: 's-support',
      to: ['ada@kunde.example'],
      body: 'Hi.',
      threadId: 'case-42',
    });
    await org.settle();
    const root = `<${id}@acme.example>`;
    await org.post(mailTo('sam', { headers: { References: `<case-42> ${root}`, 'In-Reply-To': root } }));
    expect(org.daemon.queries.events(['s-support'], { limit: 10, thread: 'case-42' })).toHaveLength(2);
  });

  test('is answered where it began, also when the answer goes to the bare sender’s address', async () => {
    const org = await stage();
    await org.box('s-support', 'sam');
    const { id } = await org.call('publish', { streamId: 's-support', to: ['ada@kunde.example'], body: 'Hi.' });
    await org.settle();
    const bare = { OriginalRecipient: `${HASH}@inbound.postmarkapp.com`, To: SENDER, ToFull: undefined };
    await org.post(mailTo('x', { ...bare, headers: { 'In-Reply-To': `<${id}@acme.example>` } }));
    expect(org.events('s-support')).toHaveLength(2);
    const invented = mailTo('x', {
      ...bare,
      headers: { 'In-Reply-To': `<${String(id).replace(/.$/, 'x')}@acme.example>` },
    });
    expect(await postMail(org.daemon.url, invented)).toEqual({ status: 400, text: 'no alias on recipient' });
  });

  test('that bounces says so where it began, and wakes nobody; a person’s answer wakes at no hops', async () => {
    const org = await stage();
    await org.box('s-support', 'sam');
    await org.hire('w-sam', { streams: ['s-support'], grants: ['publish'] });
    await org.settle();
    const { id } = await org.call(
      'publish',
      { streamId: 's-support', to: ['gone@kunde.example'], body: 'Hi.' },
      'w-sam',
    );
    await org.settle();
    const TextBody = `Undelivered.\n\nMessage-ID: <${id}@acme.example>\nFrom: ${SENDER}\n`;
    const headers = { 'Return-Path': '<>', 'Message-ID': '<dsn@mx.example>' };
    const bare = { OriginalRecipient: SENDER, To: SENDER, ToFull: undefined };
    await org.post(mailTo('x', { ...bare, From: 'MAILER-DAEMON@mx.example', TextBody, headers }));
    await org.post(mailTo('sam', { headers: { 'In-Reply-To': `<${id}@acme.example>` } }));
    const [, bounce, answer] = org.events('s-support');
    expect(bounce).toMatchObject({
      quiet: 'a bounce: it has no sender',
      message: { thread_id: `<${id}@acme.example>` },
    });
    expect(org.daemon.queries.entry(bounce!.seq)).toMatchObject({ hops: 2 });
    expect(answer).toMatchObject({ message: { thread_id: `<${id}@acme.example>` } });
    expect(org.daemon.queries.entry(answer!.seq)).toMatchObject({ hops: 0 });
    await org.settle();
    expect(org.activations('w-sam').map(({ triggers }) => triggers)).toEqual([[expect.any(Number)], [answer!.seq]]);
  });

  test('that comes back to the Stream that sent it is known and wakes nobody', async () => {
    const org = await stage();
    await org.box('s-support', 'sam');
    await org.hire('w-sam', { streams: ['s-support'] });
    await org.settle();
    await org.call('publish', { streamId: 's-support', to: ['ada@kunde.example'], cc: [alias('sam')], body: 'Hi.' });
    await org.settle();
    const before = org.activations('w-sam').length;
    await org.post(asInbound(org.server.mails[0]!.parsed, alias('sam')));
    expect(org.events('s-support').at(-1)).toMatchObject({ quiet: 'this Stream sent it' });
    await org.settle();
    expect(org.activations('w-sam')).toHaveLength(before);
  });
});

describe('a colleague who gets mail', () => {
  const eve = 'eve@home.example';

  async function withEve(play?: (run: Run) => Promise<void> | void) {
    const org = await stage(play);
    await org.call('create_role', { id: 'r-boss', content: '# Role: boss' });
    await org.call('create_position', { id: 'p-boss', roleId: 'r-boss', parentId: 'p-root' });
    await org.call('hire_worker', {
      id: 'w-eve',
      positionId: 'p-boss',
      kind: 'human',
      identityContent: 'Eve.',
      email: eve,
    });
    return org;
  }

  /** Her answer to the newest mail, as her mail client makes it. */
  const answer = (mail: Email, changes: Payload & { headers?: Record<string, string> } = {}) =>
    mailTo('x', {
      From: eve,
      OriginalRecipient: replyTo(mail),
      To: replyTo(mail),
      ToFull: undefined,
      Subject: `Re: ${mail.subject}`,
      TextBody: 'Yes, do it.\n\n> Shall I?\n',
      StrippedTextReply: 'Yes, do it.',
      ...changes,
    });

  test('is mailed a direct message once, and the answer is hers, in the conversation, and wakes who asked', async () => {
    const heard: string[] = [];
    const org = await withEve(async (run) => {
      if (run.prompt.includes('kind: hire'))
        await run.use('dm', { toWorkerId: 'w-eve', body: 'Shall I *refund* her?' });
      else heard.push(run.prompt);
    });
    await org.hire('w-sam', { grants: ['dm'] });
    await org.settle();
    const [mail, ...others] = org.server.mails;
    expect(others).toEqual([]);
    expect(mail).toMatchObject({
      to: [eve],
      parsed: { from: { name: 'w-sam', address: SENDER }, subject: 'Shall I *refund* her?' },
    });
    expect(mail!.parsed.text).toContain('Answer this mail, and w-sam gets your answer.');
    expect(replyTo(mail!.parsed)).toMatch(
      new RegExp(`^${HASH}\\+[0-9a-z]+\\.[a-z2-7]{16}@inbound\\.postmarkapp\\.com$`),
    );
    for (let n = 0; n < 3; n++) {
      const reply = answer(mail!.parsed, { MessageID: 'once' });
      await org.post({ ...reply, OriginalRecipient: String(reply.OriginalRecipient).toUpperCase() });
    }
    await org.settle();
    const [question, reply, ...more] = org.events('s-dm-w-eve-w-sam');
    expect(more.filter(({ source }) => source !== '')).toEqual([]);
    expect(reply).toMatchObject({
      source: 'w-eve',
      body: 'Yes, do it.',
      message: { from: 'w-eve', to: ['w-sam'], in_reply_to: question!.id },
    });
    expect(org.daemon.queries.entry(reply!.seq)).toMatchObject({ actor: 'w-eve', via: 'transport', hops: 0 });
    expect(heard).toEqual([expect.stringMatching(/source: w-eve\nsource_kind: human/)]);
    expect(org.server.mails).toHaveLength(1);
  });

  test('is mailed what names her in `to` on a Stream she may read, and answers there', async () => {
    const org = await withEve();
    await org.stream('s-team');
    await org.stream('s-board', { private: true });
    await org.hire('w-sam', { streams: ['s-team'], grants: ['publish'] });
    await org.settle();
    await org.call(
      'publish',
      { streamId: 's-team', to: ['w-eve', 'w-nobody'], body: 'Which colour?', threadId: 't-1' },
      'w-sam',
    );
    await org.call('publish', { streamId: 's-team', body: 'Not for her.' }, 'w-sam');
    await org.call('publish', { streamId: 's-board', to: ['w-eve'], body: 'She may not read this.' });
    await org.settle();
    expect(org.server.mails.map(({ parsed }) => parsed.subject)).toEqual(['Which colour?']);
    await org.post(answer(org.server.mails[0]!.parsed, { StrippedTextReply: 'Blue.' }));
    const theirs = org.events('s-team').find(({ source }) => source === 'w-eve');
    expect(theirs).toMatchObject({
      source: 'w-eve',
      body: 'Blue.',
      message: { thread_id: 't-1' },
    });
    await org.settle();
    expect(org.activations('w-sam').at(-1)?.triggers).toEqual([theirs!.seq]);
  });

  test('reaches one who asked without listening there by a direct message', async () => {
    const org = await withEve();
    await org.stream('s-team');
    await org.hire('w-sam', { grants: ['publish'] });
    await org.settle();
    await org.call('publish', { streamId: 's-team', to: ['w-eve'], body: 'Which colour?' }, 'w-sam');
    await org.settle();
    await org.post(answer(org.server.mails[0]!.parsed, { StrippedTextReply: 'Blue.' }));
    expect(org.events('s-dm-w-eve-w-sam')).toMatchObject([{ source: 'w-eve', body: 'Blue.' }]);
  });

  test('is not who anybody else says to be: another sender and an automatic answer wake nobody, a guess is unknown', async () => {
    const org = await withEve();
    await org.hire('w-sam', { grants: ['dm'] });
    await org.settle();
    await org.call('dm', { toWorkerId: 'w-eve', body: 'Shall I?' }, 'w-sam');
    await org.settle();
    const { parsed } = org.server.mails[0]!;
    await org.post(answer(parsed, { From: 'mallory@evil.example' }));
    await org.post(answer(parsed, { headers: { 'Auto-Submitted': 'auto-replied' } }));
    const [, forged, automatic] = org.events('s-dm-w-eve-w-sam');
    expect(forged).toMatchObject({
      source: '',
      quiet: "it came to w-eve's reply address from another sender",
    });
    expect(automatic).toMatchObject({ source: '', quiet: 'an automatic mail (Auto-Submitted: auto-replied)' });
    const guessed = replyTo(parsed).replace(/\.([a-z2-7])/, (_all, first: string) => `.${first === 'a' ? 'b' : 'a'}`);
    expect(await postMail(org.daemon.url, answer(parsed, { OriginalRecipient: guessed, To: guessed }))).toMatchObject({
      status: 404,
    });
    await org.settle();
    expect(org.activations('w-sam')).toHaveLength(1);
  });

  test('is mailed notices she listens to, which take no answer', async () => {
    const org = await withEve();
    await org.call('invite_workers', { streamId: 's-notices', workerIds: ['w-eve'] });
    await org.daemon.journal.commit('system', { type: 'PostNotice', subject: 'Disk full', body: 'Make room.' });
    await org.settle();
    expect(org.server.mails).toMatchObject([
      { to: [eve], parsed: { subject: 'Disk full', from: { name: 'helix-org' } } },
    ]);
    expect(replyTo(org.server.mails[0]!.parsed)).toBe('');
  });

  test('can be given, changed and taken the address; an AI has none', async () => {
    const org = await withEve();
    await org.call('update_identity', { workerId: 'w-eve', email: 'eve@new.example' });
    expect(await org.call('get_worker', { id: 'w-eve' })).toMatchObject({ email: 'eve@new.example' });
    await org.call('dm', { toWorkerId: 'w-eve', body: 'One.' });
    await org.settle();
    expect(org.server.mails.map(({ to }) => to)).toEqual([['eve@new.example']]);
    await org.call('update_identity', { workerId: 'w-eve', email: 'none' });
    expect(await org.call('get_worker', { id: 'w-eve' })).not.toHaveProperty('email');
    await org.call('dm', { toWorkerId: 'w-eve', body: 'Two.' });
    await org.settle();
    expect(org.server.mails).toHaveLength(1);
    await expect(org.call('update_identity', { workerId: 'w-eve' })).rejects.toThrow('content is required');
    await expect(org.call('update_identity', { workerId: 'w-eve', email: 'a@b, c@d' })).rejects.toThrow(
      /not an email address/,
    );
    await org.hire('w-bot');
    await expect(org.call('update_identity', { workerId: 'w-bot', email: eve })).rejects.toThrow(/is an AI/);
  });
});
