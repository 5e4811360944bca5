import { z } from 'zod';
import { invalid } from '../domain/errors.ts';
import { agentArgument } from './agent-argument.ts';
import { list, optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { refreshFolders, withWarnings } from './refresh-folders.ts';
import { idResult, warnings } from './result-schemas.ts';
import { mentionedTools, toolsOfRole } from './role-text.ts';
import { strangerWarnings } from './strangers.ts';

const KINDS = ['human', 'ai'] as const;

export const hireWorker = defineTool({
  name: 'hire_worker',
  title: 'Hire a Worker',
  description:
    'Put a person or an AI into a Position; an AI Worker is activated at once to set itself up. ' +
    'Without grants, it gets the tools that the "Tools (MCP)" section of the Role names.',
  input: z.object({
    id: optionalId('A short given name such as w-priya. Never a UUID.'),
    positionId: required('positionId', 'The Position to fill.'),
    kind: z
      .enum(KINDS, {
        error: ({ input }) => `unknown worker kind ${JSON.stringify(input ?? '')} (valid: "human", "ai")`,
      })
      .describe('human or ai.'),
    identityContent: required('identityContent', 'Who this Worker is, in markdown.'),
    grants: list(
      z.union([z.object({ toolName: z.string() }), z.string()]),
      'Tools to give, such as [{"toolName": "publish"}]; left out, those of the Role.',
    ),
    streams: list(z.string(), 'Streams to listen to from the first moment.'),
    email: optionalId("A person's mail address: what is sent to them goes there too, and they may answer by mail."),
    agent: agentArgument,
  }),
  output: idResult.extend({ granted: z.array(z.string()), ...warnings }),
  effect: 'adds',
  async handler(args, context) {
    const { queries, newId, change, toolNames } = context;
    const workerId = args.id ?? `w-${newId()}`;
    const position = queries.position(args.positionId);
    const role = position && queries.role(position.roleId);
    const named = args.grants?.map((grant) => (typeof grant === 'string' ? grant : grant.toolName));
    if (named?.some((tool) => tool.trim() === '')) throw invalid('grants: toolName is required');
    const tools = [...new Set(named ?? toolsOfRole(role?.content ?? '', toolNames))];
    await change({
      type: 'HireWorker',
      workerId,
      positionId: args.positionId,
      kind: args.kind,
      identity: args.identityContent,
      grants: tools.map((tool) => ({ grantId: `g-${newId()}`, tool })),
      streams: args.streams ?? [],
      ...(args.email === undefined ? {} : { email: args.email }),
      ...(args.agent === undefined ? {} : { agent: args.agent }),
    });
    const warnings = refreshFolders(context, [workerId]);
    const lacking = mentionedTools(role?.content ?? '', toolNames).filter((tool) => !tools.includes(tool));
    warnings.push(...strangerWarnings(context, [workerId]));
    warnings.push(...lacking.map((tool) => `The Role mentions ${tool}, which ${workerId} was not granted.`));
    return { id: workerId, granted: tools, ...withWarnings(warnings) };
  },
});
