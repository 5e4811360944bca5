import { z } from 'zod';
import { requiredAgent } from './agent-argument.ts';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { agentResult, idResult } from './result-schemas.ts';

export const updateAgent = defineTool({
  name: 'update_agent',
  title: 'Choose how a Worker is played',
  description:
    'Choose which agent plays an AI Worker, with which model and limits; it holds from its next activation on. ' +
    'What is left out stays, null goes back to what is set for all.',
  input: z.object({ workerId: required('workerId', 'The Worker.'), agent: requiredAgent }),
  output: idResult.extend({ agent: agentResult }),
  effect: 'changes',
  async handler({ workerId, agent = {} }, { change, journal }) {
    await change({ type: 'UpdateAgent', workerId, agent });
    return { id: workerId, agent: journal.org.workers.get(workerId)?.agent ?? {} };
  },
});
