import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** Why bubblewrap cannot make a sandbox on this machine; undefined when it can. */
export function doesBubblewrapWork(): string | undefined {
  try {
    execFileSync('bwrap', ['--ro-bind', '/', '/', 'true'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return String((error as { stderr?: Buffer; message: string }).stderr ?? '').trim() || String(error);
  }
}

/** As docs/security.md has it, and with this clone's agents to be seen wherever the clone lies. */
export const recipe = (agent: string): string[] => {
  const text = readFileSync(fileURLToPath(new URL('../../docs/security.md', import.meta.url)), 'utf8');
  const [, json] = /agent\.wrap '(\[[^']*"bwrap"[^']*\])'/.exec(text) ?? [];
  const words = JSON.parse(json ?? '[]') as string[];
  return words.toSpliced(words.indexOf('--bind'), 0, '--ro-bind', agent, agent);
};

/** Until the test has ended. */
export function liveIn(home: string): void {
  const before = process.env.HOME;
  process.env.HOME = home;
  onTestFinished(() => {
    process.env.HOME = before;
  });
}
