import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { OrgError } from '../../domain/errors.ts';
import type { Prompts } from '../../prompts/prompts.ts';
import type { McpAnswers } from './answers.ts';
import { pageAfter } from './cursor.ts';

export function promptAnswers(prompts: Prompts): Pick<McpAnswers, 'prompts/list' | 'prompts/get'> {
  return {
    'prompts/list'({ cursor }, { workerId }) {
      const { page, ...next } = pageAfter(prompts.visibleTo(workerId), ({ name }) => name, cursor);
      const views = page.map(({ name, title, description, arguments: args }) => ({
        name,
        title,
        description,
        ...(args.length > 0
          ? { arguments: args.map(({ completes: _, required = false, ...rest }) => ({ ...rest, required })) }
          : {}),
      }));
      return { prompts: views, ...next };
    },
    'prompts/get'({ name, arguments: args }, { workerId }) {
      try {
        const { prompt, text } = prompts.render(workerId, name, args);
        return { description: prompt.description, messages: [{ role: 'user', content: { type: 'text', text } }] };
      } catch (error) {
        if (error instanceof OrgError) throw new ProtocolError(ProtocolErrorCode.InvalidParams, error.message);
        throw error;
      }
    },
  };
}
