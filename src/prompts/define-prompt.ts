/** What may complete an argument: ids of this kind that the caller may see. */
export type Completes = 'role' | 'stream' | 'worker';

export type PromptArgument = { name: string; description: string; required?: boolean; completes?: Completes };

export type PromptContext = {
  /** The prompts the caller sees, in alphabetical order. */
  visible: readonly Prompt[];
  /** A text of `templates/prompts`. */
  text(name: string): string;
};

/** A slash command: what a person types, and the words to the model that it stands for. */
export type Prompt = {
  /** What is typed after the slash; the file is named for it. */
  name: string;
  title: string;
  /** One sentence, for the person who picks. */
  description: string;
  arguments: readonly PromptArgument[];
  /** Who holds this tool sees the prompt; without one, everybody does. */
  requires?: string;
  /** What the model is told, as a message of the user. Arguments that were left out are absent. */
  render(args: Readonly<Record<string, string>>, context: PromptContext): string;
};

/** Gives the literal its type; nothing else. */
export const definePrompt = (prompt: Prompt): Prompt => prompt;
