import { z } from 'zod';
import { invalid } from '../domain/errors.ts';
import { optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { refreshFolders, withWarnings } from './refresh-folders.ts';
import { idResult, warnings } from './result-schemas.ts';

export const updateIdentity = defineTool({
  name: 'update_identity',
  title: 'Rewrite who a Worker is',
  description:
    'Replace the text of who a Worker is, or where a person gets mail. It reads the new text at its next activation; what its job is stays in its Role.',
  input: z.object({
    workerId: required('workerId', 'The Worker.'),
    content: optionalId('Who this Worker is, in markdown. Required unless email is given.'),
    email: optionalId("A person's mail address: what is sent to them goes there too. `none` takes it away."),
  }),
  output: idResult.extend(warnings),
  effect: 'changes',
  async handler({ workerId, content, email }, context) {
    if (content === undefined && email === undefined) throw invalid('content is required');
    await context.change({
      type: 'UpdateIdentity',
      workerId,
      ...(content === undefined ? {} : { content }),
      ...(email === undefined ? {} : { email: email === 'none' ? null : email }),
    });
    return { id: workerId, ...withWarnings(refreshFolders(context, [workerId])) };
  },
});
