import { z } from 'zod';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { refreshFolders, withWarnings } from './refresh-folders.ts';
import { idResult, warnings } from './result-schemas.ts';

export const updateIdentity = defineTool({
  name: 'update_identity',
  title: 'Rewrite who a Worker is',
  description:
    'Replace the text of who a Worker is. It reads the new text at its next activation; what its job is stays in its Role.',
  input: z.object({
    workerId: required('workerId', 'The Worker.'),
    content: required('content', 'Who this Worker is, in markdown.'),
  }),
  output: idResult.extend(warnings),
  effect: 'changes',
  async handler({ workerId, content }, context) {
    await context.change({ type: 'UpdateIdentity', workerId, content });
    return { id: workerId, ...withWarnings(refreshFolders(context, [workerId])) };
  },
});
