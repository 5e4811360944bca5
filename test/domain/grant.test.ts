import { describe, expect, test } from 'vitest';
import { fired, founded, given, hired, type Step } from '../support/given.ts';

const history: Step[] = [
  founded,
  hired('w-ada', { tools: ['grant_tool', 'publish', 'agent:Bash(gh *)'] }),
  hired('w-bob'),
];
const grant = (tool: string, workerId = 'w-bob') => ({ type: 'GrantTool', grantId: 'g-new', workerId, tool }) as const;

describe('GrantTool', () => {
  test('records the Grant', () => {
    given(...history)
      .when('w-owner', grant('read_events'))
      .then({ type: 'ToolGranted', grantId: 'g-new', workerId: 'w-bob', tool: 'read_events' });
  });

  test('stays quiet when the Worker holds the tool', () => {
    given(...history)
      .when('w-owner', grant('publish', 'w-ada'))
      .staysQuiet();
    given(...history)
      .when('w-owner', { ...grant('publish', 'w-ada'), grantId: 'g-w-ada-publish' })
      .staysQuiet();
  });

  test.each([
    ['the Worker is unknown', grant('publish', 'w-none'), 'not_found', /worker "w-none": record not found$/],
    [
      'the Grant id is taken',
      { ...grant('publish'), grantId: 'g-publish' },
      'conflict',
      /^Grant g-publish already exists/,
    ],
    ['no tool is named', grant(' '), 'invalid', /^toolName is required$/],
    [
      'the tool does not exist',
      grant('shell'),
      'invalid',
      /^unknown tool "shell" Valid: create_role, .*, or agent:NAME/,
    ],
    [
      'the tool is misspelt',
      grant('read_event'),
      'invalid',
      /^unknown tool "read_event"; did you mean read_events\? Valid: /,
    ],
    [
      "it carries a client's prefix",
      grant('mcp__helix__publish'),
      'invalid',
      /^Tool names are given without the client's prefix: publish, not mcp__helix__publish\.$/,
    ],
  ] as const)('is refused when %s', (_when, command, code, sentence) => {
    given(...history)
      .when('w-owner', command)
      .refused(code, sentence);
  });

  test('is refused for a Worker that was fired', () => {
    given(...history, fired('w-bob'))
      .when('w-owner', grant('publish'))
      .refused('conflict', 'was fired on');
  });

  test("does not repeat a tool's endless name", () => {
    const { org } = given(...history);
    expect(org.workers.size).toBe(3);
    given(...history)
      .when('w-owner', grant('x'.repeat(100_000)))
      .refused('invalid', /^unknown tool "x{80}"[^x]/);
  });

  describe('by a Worker', () => {
    test('gives on what it holds', () => {
      given(...history)
        .when('w-ada', grant('publish'))
        .records('ToolGranted');
      given(...history)
        .when('w-ada', grant('agent:Bash(gh *)'))
        .records('ToolGranted');
    });

    test.each(['read_events', 'hire_worker', 'agent:Bash', 'agent:Bash(*)', 'agent:Bash(gh  *)'])(
      'is refused for %s, which it does not hold',
      (tool) => {
        given(...history)
          .when('w-ada', grant(tool))
          .refused('forbidden', 'w-ada does not hold');
      },
    );

    test('is refused to itself, and through one it has hired', () => {
      given(...history)
        .when('w-ada', grant('read_events', 'w-ada'))
        .refused('forbidden', 'does not hold');
    });

    test('is refused once its own Grant is gone', () => {
      given(...history, ['w-owner', { type: 'RevokeTool', grantId: 'g-w-ada-publish' }])
        .when('w-ada', grant('publish'))
        .refused('forbidden', 'does not hold publish');
    });
  });

  test.each(['agent:Bash', 'agent:WebFetch', 'agent:Bash(gh *)', 'agent:mcp_x-y(a,b)'])(
    'takes %s, a tool of the agent program',
    (tool) => {
      given(...history)
        .when('w-owner', grant(tool))
        .records('ToolGranted');
    },
  );

  test.each([
    'agent:',
    'agent:1',
    'agent:Bash()',
    'agent:Bash(a)b',
    'agent:Bash(a\nb)',
    'agent:Bash(a)(b)',
    'agent:-x',
  ])('refuses %j, which could be more than one tool', (tool) => {
    given(...history)
      .when('w-owner', grant(tool))
      .refused('invalid', 'unknown tool');
  });
});

describe('RevokeTool', () => {
  test('records what is taken from whom', () => {
    given(...history)
      .when('w-owner', { type: 'RevokeTool', grantId: 'g-w-ada-publish' })
      .then({ type: 'ToolRevoked', grantId: 'g-w-ada-publish', workerId: 'w-ada', tool: 'publish' });
  });

  test("is refused for the owner's Grants, and for one that is not there", () => {
    const revoke = (grantId: string) => given(...history).when('w-owner', { type: 'RevokeTool', grantId });
    revoke('g-publish').refused('conflict', /^The owner holds every tool; its grants cannot be revoked\.$/);
    revoke('g-none').refused('not_found', /grant "g-none": record not found$/);
  });

  test('is refused a second time', () => {
    given(...history, ['w-owner', { type: 'RevokeTool', grantId: 'g-w-ada-publish' }])
      .when('w-owner', { type: 'RevokeTool', grantId: 'g-w-ada-publish' })
      .refused('not_found', 'record not found');
  });
});
