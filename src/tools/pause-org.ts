import { z } from 'zod';
import { defineTool } from './define-tool.ts';

export const pauseOrg = defineTool({
  name: 'pause_org',
  title: 'Pause everything',
  description: 'Stop every run and wake nobody until resume_org. Events are still accepted and wait; nothing is lost.',
  input: z.object({}),
  output: z.object({ paused: z.boolean() }),
  effect: 'changes',
  async handler(_args, { change }) {
    await change({ type: 'PauseOrg' });
    return { paused: true };
  },
});
