import { describe, expect, test } from 'vitest';
import { mentionedTools, roleSummary, roleTitle, toolsOfRole } from '../../src/tools/role-text.ts';

const TOOLS = new Set(['publish', 'read_events', 'release', 'dm']);
const role = (section: string) =>
  `# Role: Clerk\n\n## Tools (MCP)\n\n${section}\n\n## Triggers\n\n- On an order: \`dm\` the owner.\n`;

describe('the tools of a Role', () => {
  test.each([
    ['a list in backticks', '- `publish`\n- `read_events`: to look', ['publish', 'read_events']],
    ['a plain list', '- publish\n- read_events', ['publish', 'read_events']],
    ['a sentence', 'publish, read_events and dm', ['publish', 'read_events', 'dm']],
    ['no tool of the agent itself, which is given by name only', '- `publish`\n- `agent:Bash(gh *)`', ['publish']],
    ['each once', '`publish` `publish`', ['publish']],
    ['names nobody knows', '`fly` `publish`', ['publish']],
    ['nothing', 'None.', []],
  ])('%s', (_what, section, tools) => {
    expect(toolsOfRole(role(section), TOOLS)).toEqual(tools);
  });

  test('are not taken from the words of a sentence beside names in backticks', () => {
    expect(toolsOfRole(role('- `publish`. Never release what is held.'), TOOLS)).toEqual(['publish']);
  });

  test('are none without the section, and none of another', () => {
    expect(toolsOfRole('# Role: Clerk\n\nUse `publish`.', TOOLS)).toEqual([]);
    expect(toolsOfRole(role('`publish`'), TOOLS)).not.toContain('dm');
  });

  test('that are mentioned anywhere in backticks are known too', () => {
    expect(mentionedTools(role('- publish\n- `agent:Bash(gh *)`'), TOOLS)).toEqual(['agent:Bash(gh *)', 'dm']);
  });
});

test('the title is the first heading, the summary the first paragraph, neither endless', () => {
  expect(roleTitle('# Role: Clerk\n\nAnswers mail.\n\nMore.')).toBe('Clerk');
  expect(roleTitle('Answers mail.\nMore.')).toBe('Answers mail.');
  expect(roleTitle(`# ${'x'.repeat(200)}`)).toHaveLength(80);
  expect(roleSummary('# Role: Clerk\n\nAnswers\nmail.\n\nMore.')).toBe('Answers mail.');
  expect(roleSummary('x'.repeat(300))).toHaveLength(200);
});
