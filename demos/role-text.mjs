// What scripted agents look up in the text of a Role, and what they write down for their next activation.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** The text of one section of a Role, without its heading. */
export function section(role, heading) {
  const from = role.indexOf(`\n## ${heading}\n`);
  if (from < 0) return '';
  const text = role.slice(from + heading.length + 5);
  const end = text.indexOf('\n## ');
  return (end < 0 ? text : text.slice(0, end)).trim();
}

/** The rows of the first table in a section, each a list of its cells without backticks; without the heading. */
export const tableOf = (role, heading) =>
  section(role, heading)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );

/** Adds a line to the Worker's own memory, in its folder. */
export const remember = (text) =>
  appendFileSync('helix-log.md', `- ${new Date().toISOString().slice(0, 16)} ${text}\n`);

/** All that the Worker has remembered. */
export const memory = () => (existsSync('helix-log.md') ? readFileSync('helix-log.md', 'utf8') : '');

/** Does what may have been done in a run that was cut off. @throws Error with any other refusal */
export async function once({ tryUse }, tool, input) {
  const { refusal } = await tryUse(tool, input);
  if (refusal !== undefined && !refusal.includes('already exists')) throw new Error(refusal);
}
