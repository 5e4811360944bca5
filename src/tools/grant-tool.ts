import { z } from 'zod';
import { optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { withWarnings } from './refresh-folders.ts';
import { idResult, warnings } from './result-schemas.ts';
import { strangerWarnings } from './strangers.ts';

export const grantTool = defineTool({
  name: 'grant_tool',
  title: 'Grant a tool',
  description: 'Let a Worker use a tool, from its next call on. Nobody but the owner can give a tool they do not hold.',
  input: z.object({
    id: optionalId('Id for the Grant; made up when left out.'),
    workerId: required('workerId', 'Who gets the tool.'),
    toolName: required('toolName', 'The tool, such as publish; agent:NAME for a tool of the agent program itself.'),
  }),
  output: idResult.extend(warnings),
  effect: 'adds',
  async handler({ id, workerId, toolName }, context) {
    const { journal, newId, change } = context;
    const grantId = id ?? `g-${newId()}`;
    await change({ type: 'GrantTool', grantId, workerId, tool: toolName });
    const found = toolName.startsWith('agent:') ? strangerWarnings(context, [workerId]) : [];
    return { id: journal.org.grants.get(workerId)?.get(toolName) ?? grantId, ...withWarnings(found) };
  },
});
