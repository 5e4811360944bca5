// What a Role's markdown says about tools: names in backticks, and the list under its "Tools (MCP)" heading.

/**
 * The tools that the "Tools (MCP)" section of a Role names, in order. Some names are plain English words (release, retry),
 * so where a section puts any name in backticks, only those count.
 */
export function toolsOfRole(content: string, toolNames: ReadonlySet<string>): string[] {
  const lines = content.split('\n');
  const start = lines.findIndex((line) => /^#{1,6}\s+tools\s*\(mcp\)\s*$/i.test(line));
  if (start < 0) return [];
  const length = lines.slice(start + 1).findIndex((line) => /^#{1,6}\s/.test(line));
  const section = lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n');
  const quoted = [...section.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]).join('\n');
  return words(quoted === '' ? section : quoted).filter((word) => toolNames.has(word));
}

/** The tools that a Role mentions anywhere in backticks. */
export function mentionedTools(content: string, toolNames: ReadonlySet<string>): string[] {
  const quoted = [...content.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');
  return [...new Set(quoted.filter((word) => toolNames.has(word) || word.startsWith('agent:')))];
}

function words(section: string): string[] {
  return [...new Set(section.replaceAll(/agent:\S+/g, '').match(/[a-z][a-z_]*/g) ?? [])];
}

/** A Role's title: its first heading, without a leading "Role:"; else its first line, shortened. */
export function roleTitle(content: string): string {
  const heading = /^#\s+(.+)$/m.exec(content)?.[1] ?? content.trim().split('\n')[0] ?? '';
  const title = heading.replace(/^role:\s*/i, '').trim();
  return title.length > 80 ? `${title.slice(0, 79).toWellFormed()}…` : title;
}

/** The first paragraph after the title, shortened. */
export function roleSummary(content: string): string {
  const paragraphs = content.split(/\n\s*\n/).map((paragraph) => paragraph.replace(/\s+/g, ' ').trim());
  const first = paragraphs.find((paragraph) => paragraph !== '' && !paragraph.startsWith('#')) ?? '';
  return first.length > 200 ? `${first.slice(0, 199)}…` : first;
}
