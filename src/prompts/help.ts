import { definePrompt } from './define-prompt.ts';

export const help = definePrompt({
  name: 'help',
  title: 'Available slash commands',
  description: 'List the slash commands you can use here.',
  arguments: [],
  render(_args, { visible }) {
    const lines = visible.map(({ name, description }) => `- **/${name}**: ${description}`);
    return ['Answer with exactly this list, in markdown, and add nothing before or after it:', '', ...lines].join('\n');
  },
});
