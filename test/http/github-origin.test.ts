// Who wrote what comes in from GitHub: an AI Worker of ours, by the mark that its wrappers left, or somebody else.
import { describe, expect, test } from 'vitest';
import { createProvenance, type Mark } from '../../src/store/provenance.ts';
import { originOf } from '../../src/transports/github-origin.ts';
import { type DispatchStage, dispatchStage } from '../support/dispatch.ts';
import { deliver, WEBHOOK_SECRET } from '../support/github.ts';
import { startFakeGithub, TOKEN } from '../support/github-api.ts';

const NONCE = '0123456789ab';
const comment = (mark: string, nonce = NONCE) => `<!-- helix-activation: ${mark} ${nonce} -->`;
const repository = { full_name: 'acme/site' };
const pull = { number: 7, title: 'A change', body: '', head: { sha: 'ab'.repeat(20) } };

/** An org whose Worker w-ann was woken by a comment on GitHub, with what that run may leave as its mark. */
async function open(account: object = {}) {
  const stage = await dispatchStage({ play: () => {} });
  stage.daemon.settings.set('transport.github', { webhook_secret: WEBHOOK_SECRET, ...account });
  const config = { repo: 'acme/site', events: ['*'] };
  await stage.stream('s-gh', { transport: { kind: 'github', config } });
  await stage.hire('w-ann', { streams: ['s-gh'] });
  await stage.idle();
  await arrive(stage, 'issue_comment', { action: 'created', issue: { number: 7 }, comment: { body: 'Please.' } });
  const run = stage.runs.at(-1)!;
  const [first] = stage.daemon.queries.events(['s-gh'], { limit: 1 });
  return { ...stage, mark: run.environment.HELIX_PROVENANCE!, first: stage.daemon.queries.entry(first!.seq)! };
}

/** The entry that a delivery became, and the runs it led to. */
async function arrive(
  { daemon, runs, idle }: Pick<DispatchStage, 'daemon' | 'runs' | 'idle'>,
  event: string,
  payload: object,
) {
  const before = runs.length;
  const body = { repository, sender: { login: 'ana' }, ...payload };
  expect(await deliver(daemon.url, { event, body })).toMatchObject({ status: 204 });
  await idle();
  const [{ seq } = { seq: 0 }] = daemon.queries.events(['s-gh'], { limit: 1 });
  const { hops, root, causedBy } = daemon.queries.entry(seq)!;
  return { hops, root, causedBy, runs: runs.length - before };
}

const outside = { hops: 0, causedBy: null };

describe('what an AI Worker wrote', () => {
  test('is one hop further than what woke it, and of the same root, whoever’s account it is', async () => {
    const stage = await open();
    const body = `Done.\n\n${comment(stage.mark)}`;
    const back = await arrive(stage, 'issue_comment', { action: 'created', comment: { body } });
    expect(back).toMatchObject({ hops: 1, root: stage.first.root, runs: 1 });
    // And so on: what the Worker writes in the run that this led to is two hops away.
    const mark = stage.runs.at(-1)!.environment.HELIX_PROVENANCE!;
    const further = await arrive(stage, 'issue_comment', { action: 'created', comment: { body: comment(mark) } });
    expect(further).toMatchObject({ hops: 2, root: stage.first.root });
  });

  test.each<[string, string, (mark: string) => object]>([
    ['an issue', 'issues', (mark) => ({ action: 'opened', issue: { number: 8, body: comment(mark) } })],
    [
      'a pull request',
      'pull_request',
      (mark) => ({ action: 'opened', pull_request: { ...pull, body: comment(mark) } }),
    ],
    [
      'a review',
      'pull_request_review',
      (mark) => ({ action: 'submitted', review: { body: comment(mark) }, pull_request: pull }),
    ],
    [
      'a review comment',
      'pull_request_review_comment',
      (mark) => ({ action: 'created', comment: { body: comment(mark) } }),
    ],
    [
      'a changed comment',
      'issue_comment',
      (mark) => ({
        action: 'edited',
        comment: { body: comment(mark) },
        changes: { body: { from: comment(mark, 'other') } },
      }),
    ],
    [
      'a commit',
      'push',
      (mark) => ({
        ref: 'refs/heads/x',
        head_commit: { message: `Mend it\n\nHelix-Activation: ${mark}`, committer: { username: 'ana' } },
      }),
    ],
    [
      'a run of a commit’s checks',
      'workflow_run',
      (mark) => ({
        action: 'completed',
        workflow_run: { head_commit: { message: `Mend it\n\nHelix-Activation: ${mark}\nSigned-off-by: W` } },
      }),
    ],
  ])('%s counts as its own', async (_name, event, payload) => {
    const stage = await open();
    expect(await arrive(stage, event, payload(stage.mark))).toMatchObject({ hops: 1, root: stage.first.root });
  });

  test('stops when it goes round too often', async () => {
    const stage = await open();
    let hops = 0;
    for (let n = 0; n < 12; n++) {
      const mark = stage.runs.at(-1)!.environment.HELIX_PROVENANCE!;
      const back = await arrive(stage, 'issue_comment', { action: 'created', comment: { body: comment(mark) } });
      hops = Math.max(hops, back.hops);
    }
    // dispatch.max_hops is 8: the ninth is held and wakes nobody.
    expect(hops).toBe(9);
    expect(stage.notices()).toContain('Loop stopped on s-gh');
  });
});

describe('what somebody else wrote', () => {
  test.each<[string, string, (mark: string) => object]>([
    [
      'a comment by the same account without a mark',
      'issue_comment',
      () => ({ action: 'created', comment: { body: 'By hand.' } }),
    ],
    [
      'a review of our pull request',
      'pull_request_review',
      (mark) => ({ action: 'submitted', review: { body: 'No.' }, pull_request: { ...pull, body: comment(mark) } }),
    ],
    [
      'a comment on our issue',
      'issue_comment',
      (mark) => ({ action: 'created', comment: { body: 'Why?' }, issue: { number: 7, body: comment(mark) } }),
    ],
    ['a label on our issue', 'issues', (mark) => ({ action: 'labeled', issue: { number: 7, body: comment(mark) } })],
    [
      'a merge of our pull request',
      'pull_request',
      (mark) => ({ action: 'closed', pull_request: { ...pull, merged: true, body: comment(mark) } }),
    ],
    [
      'a merge commit of GitHub’s making',
      'push',
      (mark) => ({
        ref: 'refs/heads/main',
        head_commit: { message: `Mend it\n\nHelix-Activation: ${mark}`, committer: { username: 'web-flow' } },
      }),
    ],
    [
      'a change to our comment',
      'issue_comment',
      (mark) => ({
        action: 'edited',
        comment: { body: `Better.\n\n${comment(mark)}` },
        changes: { body: { from: `Good.\n\n${comment(mark)}` } },
      }),
    ],
    [
      'a quotation of ours',
      'issue_comment',
      (mark) => ({ action: 'created', comment: { body: `> ${comment(mark)}` } }),
    ],
    [
      'a text with a mark in its middle',
      'issue_comment',
      (mark) => ({ action: 'created', comment: { body: `${comment(mark)}\n\nI say this.` } }),
    ],
    [
      'a forged signature',
      'issue_comment',
      (mark) => ({ action: 'created', comment: { body: comment(`${mark.slice(0, -4)}AAAA`) } }),
    ],
    [
      'a mark of fewer hops',
      'issue_comment',
      (mark) => ({ action: 'created', comment: { body: comment(mark.replace('.0.', '.1.')) } }),
    ],
    [
      'an unsigned mark',
      'issue_comment',
      (mark) => ({ action: 'created', comment: { body: comment(mark.split('.').slice(0, 4).join('.')) } }),
    ],
    ['nonsense', 'issue_comment', () => ({ action: 'created', comment: { body: comment('helix') } })],
  ])('%s wakes as anything from outside does', async (_name, event, payload) => {
    const stage = await open();
    expect(await arrive(stage, event, payload(stage.mark))).toMatchObject({ ...outside, runs: 1 });
  });

  test('a mark of another organisation’s daemon is none', async () => {
    const [stage, other] = [await open(), await open()];
    const back = await arrive(stage, 'issue_comment', { action: 'created', comment: { body: comment(other.mark) } });
    expect(back).toMatchObject(outside);
  });
});

describe('a commit that a delivery only names', () => {
  const synchronized = { action: 'synchronize', pull_request: pull };

  test('is asked for, once, and counts as who made it', async () => {
    const fake = await startFakeGithub();
    const stage = await open({ token: TOKEN, api_url: fake.url });
    fake.commits.set(pull.head.sha, `Mend it\n\nHelix-Activation: ${stage.mark}`);
    for (const [event, payload] of [
      ['pull_request', synchronized],
      ['check_run', { action: 'completed', check_run: { head_sha: pull.head.sha } }],
      ['workflow_job', { action: 'completed', workflow_job: { head_sha: pull.head.sha } }],
    ] as const)
      expect(await arrive(stage, event, payload)).toMatchObject({ hops: 1, root: stage.first.root });
    expect(fake.requests.filter((request) => request.includes('/commits/'))).toHaveLength(1);
    fake.commits.set('cd'.repeat(20), 'By hand');
    const theirs = { ...synchronized, pull_request: { ...pull, head: { sha: 'cd'.repeat(20) } } };
    expect(await arrive(stage, 'pull_request', theirs)).toMatchObject(outside);
  });

  test('is taken for somebody else’s when GitHub cannot be asked, and asked for again', async () => {
    const fake = await startFakeGithub();
    const stage = await open({ token: TOKEN, api_url: fake.url });
    const own = { ...pull, head: { sha: 'ef'.repeat(20) } };
    fake.refuse = () => ({ status: 500 });
    expect(await arrive(stage, 'pull_request', { ...synchronized, pull_request: own })).toMatchObject(outside);
    fake.refuse = undefined;
    fake.commits.set(own.head.sha, `Mend it\n\nHelix-Activation: ${stage.mark}`);
    expect(await arrive(stage, 'pull_request', { ...synchronized, pull_request: own })).toMatchObject({ hops: 1 });
  });

  test('is not asked for without a token, nor by a name that is none', async () => {
    const fake = await startFakeGithub();
    const stage = await open({ api_url: fake.url });
    expect(await arrive(stage, 'pull_request', synchronized)).toMatchObject(outside);
    for (const sha of ['../../user', 'main', 'x'.repeat(40)])
      expect(
        originOf({ event: 'check_run', id: '', text: '', payload: { repository, check_run: { head_sha: sha } } }),
      ).toBeUndefined();
    expect(fake.requests).toEqual([]);
  });
});

describe('a mark', () => {
  const provenance = () => {
    const secrets = new Map<string, string>();
    return createProvenance({
      secret: (name) => secrets.get(name),
      setSecret: (name, value) => void secrets.set(name, value),
    });
  };
  const mark: Mark = {
    activationId: 'a-01234567-89ab-cdef-0123-456789abcdef',
    hops: 3,
    eventId: 'e-01234567-89ab-cdef-0123-456789abcdef',
  };

  test('says what was written, to whoever wrote it', () => {
    const ours = provenance();
    for (const each of [mark, { ...mark, eventId: '', hops: 0 }]) {
      const text = ours.write(each);
      expect(text).toMatch(/^[\w.-]+$/);
      expect(ours.read(text)).toEqual(each);
      expect(provenance().read(text)).toBeUndefined();
    }
  });

  test('changed in any place is none', () => {
    const ours = provenance();
    const text = ours.write(mark);
    for (let n = 0; n < text.length - 1; n++) {
      const changed = `${text.slice(0, n)}${text[n] === '1' ? '2' : '1'}${text.slice(n + 1)}`;
      expect(ours.read(changed), changed).toBeUndefined();
    }
  });
});
