// A small newsroom that looks lived in: Roles, seats, people and AI Workers, Streams with Events, runs that ended well and badly,
// and one that goes on. For screenshots and for tests that need a page with something on it.

import type { Segment } from '../../src/domain/agent.ts';
import { startPages } from './browser.ts';
import type { PlayAgent } from './daemon.ts';
import { waitFor } from './daemon.ts';

const ROLES: Record<string, string> = {
  'r-editor': `# Role: Editor-in-chief

You decide what the paper stands for, and what goes out.

## What triggers you

Each story on \`s-desk\` that somebody marks as ready.

## What you do

1. Read it against our three rules: **true**, **fair**, **worth the reader's time**.
2. If it holds, publish "go" on \`s-desk\` with the reasons in two sentences.
3. If it does not, say what is missing. Never rewrite it yourself.

## Tools (MCP)

\`publish\`, \`read_events\`, \`dm\`
`,
  'r-reporter': `# Role: Reporter

You turn tips into stories of 200 words, with two sources each.

## Tools (MCP)

\`publish\`, \`read_events\`
`,
  'r-checker': `# Role: Fact checker

You look for the one number that is wrong.

| Claim | What proves it |
|---|---|
| A number | its table, its year |
| A quote | who heard it |

## Tools (MCP)

\`publish\`, \`read_events\`, \`get_event\`
`,
  'r-letters': '# Role: Letters\n\nYou answer readers.\n\n## Tools (MCP)\n\n`publish`, `read_events`\n',
  'r-layout':
    '# Role: Layout\n\nYou give every story a place on the page.\n\n## Tools (MCP)\n\n`publish`, `read_events`\n',
  'r-intern': '# Role: Intern\n\nYou learn.\n',
};

const SEATS: [id: string, role: string, above: string][] = [
  ['p-editor', 'r-editor', 'p-root'],
  ['p-city', 'r-reporter', 'p-editor'],
  ['p-science', 'r-reporter', 'p-editor'],
  ['p-sports', 'r-reporter', 'p-editor'],
  ['p-culture', 'r-reporter', 'p-editor'],
  ['p-checking', 'r-checker', 'p-editor'],
  ['p-letters', 'r-letters', 'p-root'],
  ['p-layout', 'r-layout', 'p-root'],
  ['p-night', 'r-layout', 'p-layout'],
];

const STAFF: [id: string, seat: string, kind: 'ai' | 'human', who: string, streams: string[]][] = [
  ['w-maria', 'p-editor', 'human', '# Maria\n\nThirty years at papers. Wants short sentences.', ['s-desk']],
  ['w-cleo', 'p-city', 'ai', '# Cleo\n\nKnows every street. Distrusts press releases.', ['s-tips']],
  ['w-sven', 'p-science', 'ai', '# Sven\n\nReads the paper, not the abstract.', ['s-tips']],
  ['w-sofia', 'p-sports', 'ai', '# Sofia\n\nNever writes "giving 110 percent".', ['s-scores']],
  ['w-carl', 'p-culture', 'ai', '# Carl\n\nHas seen it before it was good.', []],
  ['w-fay', 'p-checking', 'ai', '# Fay\n\nDoubts first.', ['s-desk']],
  ['w-finn', 'p-checking', 'ai', '# Finn\n\nCounts everything twice.', []],
  ['w-frida', 'p-checking', 'ai', '# Frida\n\nAsks who told you.', []],
  ['w-felix', 'p-checking', 'ai', '# Felix\n\nReads footnotes.', []],
  ['w-lena', 'p-letters', 'ai', '# Lena\n\nFriendly with everybody.', ['s-letters']],
  ['w-leo', 'p-layout', 'ai', '# Leo\n\nThinks in columns.', ['s-desk']],
];

/** What an agent writes that thinks, looks things up and publishes. */
const WATCHING: Segment[] = [
  {
    body: '--- session start ---',
    extra: { model: 'claude-sonnet-4-5', version: '2.1.0', tools: ['publish', 'read_events'] },
  },
  { body: 'thinking: Half time. The last score I told was 1:1, so there is news, but is it worth a line now?' },
  {
    body: 'tool_use read_events: {"limit":20}',
    extra: { tool_use: { id: 'c1', name: 'read_events', input: { streamId: 's-scores', limit: 20 } } },
  },
  {
    body: 'tool_result: {"events":[]}',
    extra: {
      tool_result: {
        id: 'c1',
        name: 'read_events',
        isError: false,
        content: '{"events":[{"id":"e-1","body":"Rovers 1, United 1"}],"next":null}',
      },
    },
  },
  {
    body: 'assistant: The wire says 2:2.',
    extra: {
      text: 'The wire says **2:2**, and I have told 1:1. I check two things before I write:\n\n- who scored\n- whether it was before the whistle',
    },
  },
  {
    body: 'tool_use get_event: {"id":"e-9"}',
    extra: { tool_use: { id: 'c2', name: 'get_event', input: { id: 'e-9' } } },
  },
  {
    body: 'tool_result-error: There is no Event e-9.',
    extra: {
      tool_result: {
        id: 'c2',
        name: 'get_event',
        isError: true,
        content: 'There is no Event e-9; read_events shows ids.',
      },
    },
  },
  { body: 'stderr: the wire is slow today' },
  {
    body: 'tool_use publish: {"streamId":"s-desk"}',
    extra: {
      tool_use: {
        id: 'c3',
        name: 'publish',
        input: { streamId: 's-desk', subject: 'Half time', body: 'Rovers 2, United 2' },
      },
    },
  },
];

/** Wakes of w-sofia go on until they are stopped, those of w-lena fail, the others end well. */
const play: PlayAgent = async ({ workerId, prompt, signal, onSegment }) => {
  onSegment({ body: 'Reading what came in.' });
  if (workerId === 'w-sofia' && prompt.includes('Rovers')) {
    for (const segment of WATCHING) onSegment(segment);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    return;
  }
  if (workerId === 'w-lena' && prompt.includes('refund')) return { outcome: 'failed', exit: 'exit code 3' };
  return { usage: { costUsd: 0.031, inputTokens: 5_200, outputTokens: 340 } };
};

export type Newsroom = Awaited<ReturnType<typeof openNewsroom>>;

export async function openNewsroom() {
  const pages = await startPages({ agent: play, settings: { 'dispatch.attempts': 1 } });
  const { call, daemon } = pages;
  for (const [id, content] of Object.entries(ROLES)) await call('create_role', { id, content });
  for (const [id, roleId, parentId] of SEATS) await call('create_position', { id, roleId, parentId });
  const streams = [
    { id: 's-desk', name: 'News desk', description: 'Stories on their way into the paper.' },
    { id: 's-tips', name: 'Tips', description: 'What people tell us.', transport: 'webhook' },
    { id: 's-scores', name: 'Scores', description: 'The wire of the league.', transport: 'webhook' },
    { id: 's-letters', name: 'Letters', description: 'What readers write.', hold: true },
  ];
  for (const stream of streams) await call('create_stream', stream);
  for (const [id, positionId, kind, identityContent, listens] of STAFF)
    await call('hire_worker', { id, positionId, kind, identityContent, streams: listens });
  await daemon.dispatcher.idle();
  await call('update_role', {
    roleId: 'r-reporter',
    content: `${ROLES['r-reporter']}\nSilence is better than a thin story.\n`,
  });
  await call('update_role', {
    roleId: 'r-reporter',
    content: ROLES['r-reporter']?.replace('200 words', '150 to 250 words') ?? '',
  });
  const events: [from: string, stream: string, subject: string, body: string][] = [
    [
      'w-owner',
      's-tips',
      'Bridge on Mill Road',
      'The council closes the bridge for eight months. The *cyclists* were not asked.',
    ],
    [
      'w-cleo',
      's-desk',
      'Bridge closes for eight months',
      'Draft is **ready**. Two sources: the notice, and the engineer.',
    ],
    [
      'w-fay',
      's-desk',
      'Re: Bridge closes for eight months',
      'Seven months, not eight: see the table on page 4 of the notice.',
    ],
    ['w-maria', 's-desk', 'Go', 'Front page, below the fold.'],
    ['w-owner', 's-letters', 'My subscription', 'I want a refund for March, please.'],
    ['w-owner', 's-scores', 'Half time', 'Rovers 2, United 2'],
  ];
  for (const [from, streamId, subject, body] of events) {
    await call('publish', { streamId, subject, body }, from);
    await waitFor('the rest is quiet', () =>
      daemon.queries.runningActivations().every(({ worker }) => worker === 'w-sofia'),
    );
  }
  await waitFor('the match is being watched', () => daemon.queries.runningActivations().length === 1);
  await call('create_stream', {
    id: 's-partners',
    name: 'Partners',
    description: 'What other papers get from us.',
    transport: { kind: 'webhook', config: { outbound_url: 'https://partners.example/in' } },
    hold: true,
  });
  await call(
    'publish',
    { streamId: 's-partners', subject: 'Bridge on Mill Road', body: 'Free to reprint, with our name.' },
    'w-cleo',
  );
  await call('publish', { streamId: 's-partners', subject: 'Correction', body: 'Seven months, not eight.' }, 'w-cleo');
  await call('dm', { toWorkerId: 'w-fay', body: 'Is the second source for the bridge in writing?' });
  await waitFor('the question was left alone', () => daemon.queries.attention.unanswered('', 1).length === 1);
  await call('pause_worker', { workerId: 'w-leo' });
  await call('publish', { streamId: 's-desk', body: 'Who takes the photo of the bridge?' }, 'w-cleo');
  return { ...pages, roles: ROLES };
}
