import { expect, test, vi } from 'vitest';
import type { TraceNode } from '../../src/cli/trace-tree.ts';
import type { Trace } from '../../src/cli/tracing.ts';
import { cli, temporaryDirectory } from '../support/daemon.ts';
import { dispatchStage, type Play } from '../support/dispatch.ts';
import { deliver, issue, WEBHOOK_SECRET } from '../support/github.ts';
import { mailTo, postMail, smtpServer } from '../support/mail.ts';

// Each asks many times, by a command that starts anew.
vi.setConfig({ testTimeout: 180_000 });

const CUSTOMER = 'ada@kunde.example';
const ROOT = '<root@kunde.example>';

/** A customer's mail, of which w-sam makes a question to w-lee, and of the answer a mail to the customer. */
const answers: Play = async (run) => {
  if (run.prompt.includes('It broke') && run.workerId === 'w-sam' && !run.prompt.includes('Turn it.')) {
    await run.use('dm', { toWorkerId: 'w-lee', body: 'What now?' });
    return { usage: { costUsd: 0.02 } };
  }
  if (run.workerId === 'w-lee' && run.prompt.includes('What now?')) {
    await run.use('publish', {
      streamId: 's-support',
      to: [CUSTOMER],
      subject: 'Re: It broke',
      body: 'Turn it.',
      inReplyTo: ROOT,
      threadId: ROOT,
    });
    return { usage: { costUsd: 0.03 } };
  }
  return {};
};

async function stage() {
  const dataDir = temporaryDirectory();
  const server = await smtpServer();
  const org = await dispatchStage({ play: answers, dataDir });
  org.daemon.settings.set('transport.postmark', server.account);
  org.daemon.settings.set('transport.github', { webhook_secret: WEBHOOK_SECRET });
  await org.stream('s-support', { transport: { kind: 'email', config: { alias: 'sam' } } });
  await org.stream('s-gh', { transport: { kind: 'github', config: { repo: 'acme/site', events: ['*'] } } });
  await org.hire('w-sam', { streams: ['s-support'], grants: ['dm', 'publish'] });
  await org.hire('w-lee', { grants: ['publish'] });
  await org.idle();
  const mail = mailTo('sam', { From: CUSTOMER, Subject: 'It broke', headers: { 'Message-ID': ROOT } });
  expect(await postMail(org.daemon.url, mail)).toMatchObject({ status: 204 });
  await org.idle();
  await org.daemon.courier.idle();
  const run = (...args: string[]) => cli([...args, '--data-dir', dataDir]);
  const trace = async (reference: string): Promise<Trace> => {
    const { code, stdout, stderr } = await run('--json', 'trace', reference);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as Trace;
  };
  const tree = async (reference: string): Promise<TraceNode> => {
    const found = await trace(reference);
    if (!('tree' in found)) throw new Error(`${reference} means ${found.matches.length} things`);
    return found.tree;
  };
  return { ...org, dataDir, run, trace, tree, mail };
}

const all = (node: TraceNode): TraceNode[] => [node, ...node.children.flatMap(all)];
const target = (node: TraceNode) => all(node).filter(({ isTarget }) => isTarget);
test('a mail, its Workers, the answer and its delivery are one chain, from whichever end one holds it', async () => {
  const { tree, daemon, run, trace, mail } = await stage();
  const first = await tree(ROOT);
  expect(target(first)).toEqual([first]);
  const nodes = all(first);
  const [sam, lee] = ['w-sam', 'w-lee'].map(
    (who) => nodes.find(({ kind, who: is }) => kind === 'activation' && is === who)!,
  );
  expect([sam!.costUsd, lee!.costUsd]).toEqual([0.02, 0.03]);
  expect(sam).toMatchObject({ outcome: 'done', attempt: 1, endedAt: expect.any(String) });
  const reply = nodes.find(({ kind, who }) => kind === 'event' && who === 'w-lee')!;
  const delivery = nodes.find(({ kind }) => kind === 'delivery')!;
  expect(delivery).toMatchObject({ text: 'email', stream: 's-support', outcome: expect.stringMatching(/^delivered/) });
  // w-sam listens, and was woken by the answer as well.
  expect(reply.children.map(({ kind, who }) => `${kind} ${who}`)).toContain('activation w-sam');

  // Whatever is held of the way, it leads back to the mail.
  const sentAs = daemon.queries.deliveriesOf(reply.seq)[0]!.messageId!;
  const names = [
    sam!.id,
    sam!.id.slice(0, 10),
    lee!.id,
    String(lee!.seq),
    reply.id,
    String(reply.seq),
    delivery.id,
    sentAs,
    sentAs.slice(1, -1),
    `/ui/streams/s-support/${reply.id}`,
  ];
  for (const name of names) {
    const found = await tree(name);
    expect(found.id, name).toBe(first.id);
    expect(target(found), name).toHaveLength(1);
  }
  expect(target(await tree(delivery.id))[0]).toMatchObject({ kind: 'delivery', id: delivery.id });
  expect(target(await tree(lee!.id))[0]!.children.map(({ id }) => id)).toEqual([reply.id]);
  expect((await tree(String(mail.MessageID))).id).toBe(first.id);

  const address = await trace(CUSTOMER);
  expect('matches' in address && address.matches.map(({ id }) => id)).toEqual([reply.id, first.id]);

  // People read the same.
  const { stdout, code } = await run('trace', lee!.id);
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ada@kunde\.example on s-support: "It broke" · e-/);
  expect(lines.find((line) => line.includes('▶'))).toMatch(/^[ │]*└─ ▶ .* w-lee ran · done · \d+\.\d s · \$0\.03 · a-/);
  expect(lines.filter((line) => line.includes('email from s-support · delivered'))).toHaveLength(1);
  expect(lines.at(-1)).toMatch(/^ +└─ … and \d+ more, not shown here$/);
});

test('an issue is meant by owner/repo#12, its delivery by X-GitHub-Delivery, and several things are listed', async () => {
  const { trace, tree, daemon, run } = await stage();
  const id = '72d3162e-cc78-11e3-81ab-4c9367dc0958';
  await deliver(daemon.url, { id, body: issue() });
  expect(await tree('acme/site#7')).toMatchObject({ stream: 's-gh', text: 'It breaks', isTarget: true });
  expect(await tree('Acme/Site#7')).toMatchObject({ stream: 's-gh' });
  await deliver(daemon.url, { id: `${id}2`, body: issue({ action: 'closed' }) });
  expect((await tree(id)).stream).toBe('s-gh');
  const found = await trace('acme/site#7');
  expect('matches' in found && found.matches.map(({ kind }) => kind)).toEqual(['event', 'event']);
  expect((await run('trace', '#7')).stdout).toMatch(
    /^2 things are meant; trace one of them by its id:\n( {2}.* e-.*\n){2}$/,
  );
  expect((await run('trace', 'acme/other#7')).code).toBe(1);

  // The key of the delivery is forgotten in a week; the Message still says it.
  daemon.db.sqlite.exec('DELETE FROM idempotency');
  expect((await tree(id)).stream).toBe('s-gh');
});

test('who listened and did not run is told with the reason; so it is without a daemon', async () => {
  const { tree, daemon, call, stream, publish, hire, idle } = await stage();
  await stream('s-quiet');
  await hire('w-tim', { streams: ['s-quiet'] });
  await idle();
  await call('pause_worker', { workerId: 'w-tim' });
  const { id } = await publish('s-quiet', 'Anybody?');
  const listener = { kind: 'listener', who: 'w-tim', outcome: expect.stringMatching(/^queued: .*paused/) };
  expect((await tree(String(id))).children).toMatchObject([listener]);
  await daemon.stop();
  expect((await tree(String(id))).children).toMatchObject([listener]);
});

test('what nobody knows is refused with what can be given; a word in a text is no name', async () => {
  const { run, publish, stream } = await stage();
  await stream('s-talk');
  await publish('s-talk', 'nobody@nowhere.example wrote <x@y.example>');
  for (const name of [
    'nobody@nowhere.example',
    '<x@y.example>',
    'e-00000000-0000-8000-8000-000000000000',
    '999999',
    "%'",
  ]) {
    const { code, stdout, stderr } = await run('trace', name);
    expect({ name, code, stdout }).toEqual({ name, code: 1, stdout: '' });
    expect(stderr).toContain('Nothing here is known as');
  }
  expect(await run('trace', ' ')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/Nothing was given to trace;/),
  });
});
