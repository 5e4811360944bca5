// What keeps Claude Code from answering a person, in words that say what to do about it.
import type { ChatProblem } from '../domain/chat-agent.ts';
import type { ClaudeMessage } from './claude-message.ts';
import { clip } from './transcript-text.ts';

export const LOGIN_FIX =
  'Run `helix-org login claude`, or start the daemon with ANTHROPIC_API_KEY; then send your message again.';

/** What is wrong with a turn that ended; undefined when it ended well or was stopped. */
export function problemOf(message: ClaudeMessage, apiError?: string): ChatProblem | undefined {
  const { is_error: isError, subtype = 'success', api_error_status: status, result, errors } = message;
  if (isError !== true && subtype === 'success' && apiError === undefined) return undefined;
  const said = clip((result ?? errors?.join('; ') ?? subtype).replace(/\s+/g, ' ').trim());
  if (apiError === 'authentication_failed' || apiError === 'oauth_org_not_allowed' || status === 401 || status === 403)
    return { sentence: `Claude Code is not logged in: ${said}`, fix: LOGIN_FIX };
  if (apiError === 'billing_error' || status === 402)
    return {
      sentence: `Nobody pays for the answer: ${said}`,
      fix: 'Add credit to the account, then send your message again.',
    };
  if (apiError === 'rate_limit' || status === 429)
    return {
      sentence: `The usage limit is reached: ${said}`,
      fix: 'Wait until it resets, or log in with another account, then send your message again.',
    };
  if (apiError === 'overloaded' || apiError === 'server_error' || (typeof status === 'number' && status >= 500))
    return { sentence: `The model's service does not answer: ${said}`, fix: 'Send your message again in a minute.' };
  if (apiError === 'model_not_found')
    return { sentence: said, fix: 'Choose another model, such as: `helix-org config set agent.model sonnet`' };
  if (apiError !== undefined || message.terminal_reason === 'api_error')
    return { sentence: said, fix: 'Check the connection to the model, then send your message again.' };
  // A turn that was interrupted ends so too; who stopped it knows.
  return { sentence: said, fix: 'Send your message again, or begin a new chat.' };
}
