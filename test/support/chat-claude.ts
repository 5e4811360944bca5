// A program in the place of Claude Code that stays and talks: it reads what is said from stdin and speaks stream-json. What it does
// stands in the message itself, so that a test reads as a conversation.
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { writeChatClaude } from './chat-claude-program.ts';

export type ChatClaude = {
  bin: string;
  /** Each start: its arguments, its environment, its pid. */
  starts(): { argv: string[]; env: Record<string, string>; pid: number; cwd: string }[];
  /** All that it was told, of all processes. */
  told(): string[];
  /** Lets an answer that waits (`wait`) go on. */
  goOn(): void;
};

/**
 * What it understands, else it answers `You said: …`:
 * `say TEXT`, `slow TEXT` (a word at a time), `wait TEXT` (says the text, waits until it may go on, then says `went on`),
 * `call NAME JSON` (a tool of its MCP server), `fail call`, `error KIND` (as the API's), `die`, `deaf` (says `half`, heeds nothing).
 */
export function chatClaude({ version = '2.1.329', model = 'claude-test-5' } = {}): ChatClaude {
  const folder = mkdtempSync(join(tmpdir(), 'helix-chat-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const path = (name: string) => join(folder, name);
  const bin = writeChatClaude(folder, version, model);
  const linesOf = (name: string) =>
    readFileSync(path(name), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as never);
  return {
    bin,
    starts: () => linesOf('starts'),
    told: () => linesOf('told'),
    goOn: () => appendFileSync(path('gates'), 'x'),
  };
}
