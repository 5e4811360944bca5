// Slash commands as a person types them in a chat.
import type { Prompt } from './define-prompt.ts';
import type { Prompts } from './prompts.ts';

const COMMAND = /^\/([a-z][\w-]*)(?:\s+([\s\S]*))?$/i;
/** No name of an argument is longer; without an end, a long word would be tried from each of its letters. */
const NAMED = /([A-Za-z]\w{0,40})=("(?:[^"\\]|\\.)*"|\S+)/g;

/**
 * What the agent is told for what was typed. A text that is no command the Worker sees passes unchanged.
 * @throws OrgError invalid when the command lacks an argument
 */
export function expandSlash(prompts: Prompts, workerId: string, text: string): string {
  const [, name = '', rest = ''] = COMMAND.exec(text.trim()) ?? [];
  const prompt = prompts.visibleTo(workerId).find((each) => each.name === name.toLowerCase());
  return prompt ? prompts.render(workerId, prompt.name, argumentsOf(prompt, rest.trim())).text : text;
}

/** Commands that begin like what is typed; none for a text that is no command. */
export function slashOffers(prompts: Prompts, workerId: string, text: string): readonly Prompt[] {
  const typed = /^\/(\S*)/.exec(text)?.[1];
  if (typed === undefined) return [];
  return prompts.visibleTo(workerId).filter(({ name }) => name.startsWith(typed.toLowerCase()));
}

/** By name (`hint="a cto" level=2`) where every word is one of the prompt's; else all of it is the first argument. */
function argumentsOf({ arguments: known }: Prompt, rest: string): Record<string, string> {
  const [first] = known;
  if (rest === '' || !first) return {};
  const named = [...rest.matchAll(NAMED)];
  const isNamed =
    rest.replace(NAMED, '').trim() === '' && named.every(([, name]) => known.some((each) => each.name === name));
  return isNamed
    ? Object.fromEntries(named.map(([, name = '', value = '']) => [name, unquoted(value)]))
    : { [first.name]: rest };
}

const unquoted = (value: string): string =>
  value.startsWith('"') && value.endsWith('"') && value.length > 1 ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
