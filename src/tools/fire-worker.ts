import { z } from 'zod';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { withWarnings } from './refresh-folders.ts';
import { whileReporting } from './report-wait.ts';
import { idResult, warnings } from './result-schemas.ts';

export const fireWorker = defineTool({
  name: 'fire_worker',
  title: 'Fire a Worker',
  description:
    "End a Worker's employment at once: its run is stopped, its grants, subscriptions and tokens end, what waited for it is dropped. " +
    'Its history stays, and its id is never given again. To stop it for a while, use pause_worker.',
  input: z.object({ workerId: required('workerId', 'Whom to fire.') }),
  output: idResult.extend(warnings),
  effect: 'changes',
  async handler({ workerId }, { change, lifecycle, caller }) {
    await change({ type: 'FireWorker', workerId });
    const warnings = await whileReporting(caller, `Fired; stopping what ${workerId} runs.`, () =>
      lifecycle.dismiss(workerId),
    ).then(
      () => [],
      (error: unknown) => [`Fired, but the folder stays where it is: ${String(error)}`],
    );
    return { id: workerId, ...withWarnings(warnings) };
  },
});
