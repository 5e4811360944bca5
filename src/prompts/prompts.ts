// The one door to prompts: who sees which, and what each says. The MCP endpoint and the chat come in here.
import { invalid, nearest, notFound } from '../domain/errors.ts';
import type { Org } from '../domain/org.ts';
import type { Prompt } from './define-prompt.ts';

export type Prompts = {
  /** The prompts a Worker sees, in alphabetical order. */
  visibleTo(workerId: string): readonly Prompt[];
  /**
   * A prompt that the Worker sees, in words for the model.
   * @throws OrgError not_found, or invalid when a required argument is missing
   */
  render(workerId: string, name: string, args?: Readonly<Record<string, string>>): { prompt: Prompt; text: string };
  /** Tools whose Grant makes a prompt appear. */
  gates: ReadonlySet<string>;
};

export type PromptsDeps = {
  journal: { readonly org: Pick<Org, 'grants'> };
  /** A text of `templates/prompts`. */
  text(name: string): string;
};

export function createPrompts(catalog: readonly Prompt[], { journal, text }: PromptsDeps): Prompts {
  const sorted = catalog.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const visibleTo = (workerId: string): readonly Prompt[] => {
    const held = journal.org.grants.get(workerId);
    return sorted.filter(({ requires }) => requires === undefined || held?.has(requires));
  };
  return {
    visibleTo,
    render(workerId, name, args = {}) {
      const visible = visibleTo(workerId);
      const prompt = visible.find((each) => each.name === name);
      if (!prompt) throw unknownPrompt(name, visible);
      const lacking = prompt.arguments.find((each) => each.required && !args[each.name]?.trim());
      if (lacking) throw invalid(`/${name} needs ${lacking.name}: ${lacking.description}`);
      return { prompt, text: prompt.render(args, { visible, text }) };
    },
    gates: new Set(catalog.flatMap(({ requires }) => requires ?? [])),
  };
}

function unknownPrompt(name: string, visible: readonly Prompt[]) {
  const names = visible.map((prompt) => prompt.name);
  const near = nearest(name, names);
  return notFound(
    `unknown prompt ${JSON.stringify(name.slice(0, 100))}; ${near ? `did you mean ${near}?` : `valid: ${names.join(', ')}.`}`,
  );
}
