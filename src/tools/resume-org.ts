import { z } from 'zod';
import { defineTool } from './define-tool.ts';

export const resumeOrg = defineTool({
  name: 'resume_org',
  title: 'Resume everything',
  description: 'End the pause of the whole org; what waited is worked off.',
  input: z.object({}),
  output: z.object({ paused: z.boolean() }),
  effect: 'changes',
  async handler(_args, { change }) {
    await change({ type: 'ResumeOrg' });
    return { paused: false };
  },
});
