import { definePrompt } from './define-prompt.ts';

export const role = definePrompt({
  name: 'role',
  title: 'Draft a Role from a title',
  description: 'Draft a job description from a few words, save it, and hire for it.',
  arguments: [
    {
      name: 'hint',
      description: 'A title or a line about the job, such as "cto"; or the id of a Role to rewrite.',
      completes: 'role',
    },
  ],
  requires: 'create_role',
  render({ hint = '' }, { text }) {
    const playbook = text('role.md').trimEnd();
    const job = hint.trim();
    if (job === '') return playbook;
    return `${playbook}\n\nThe job is: ${JSON.stringify(job)}. Draft it straight away, without an interview; guess what is missing and mark each guess.`;
  },
});
