// A real terminal for tests: a tmux session of its own, with a shell in it.
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { NOWHERE, waitFor } from './daemon.ts';

const COMMAND_LINE = fileURLToPath(new URL('../../bin/helix-org.mjs', import.meta.url));

const hasTmux = spawnSync('tmux', ['-V']).status === 0;
/** Why a test that needs a terminal cannot run here; in CI it runs and fails instead. */
export const noTerminal: string | false = hasTmux || process.env.CI ? false : 'tmux is not installed';

export type Terminal = {
  /** Types a line into the shell, or whatever runs there. */
  type(line: string): void;
  /** Presses keys by tmux's names, such as `C-c`. */
  press(...keys: string[]): void;
  screen(): string;
  /** Waits until the screen shows it. */
  shows(text: string | RegExp): Promise<string>;
  resize(columns: number, rows: number): void;
  /** Closes it as a window is closed: what runs in it gets SIGHUP. */
  close(): void;
  /** Runs the command line to its end. @returns how the terminal was set before and after, and its exit code */
  start(args: string[]): { ended(): Promise<{ before: string; after: string; code: number }> };
};

/** @param environment what the shell has besides PATH */
export function openTerminal(environment: Record<string, string>): Terminal {
  const socket = `helix-${randomUUID()}`;
  const folder = mkdtempSync(join(tmpdir(), 'helix-terminal-'));
  const tmux = (...args: string[]) =>
    execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: folder, TERM: 'xterm-256color', LANG: 'C.UTF-8' },
    });
  onTestFinished(() => {
    spawnSync('tmux', ['-L', socket, 'kill-server']);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const all = { PATH: process.env.PATH ?? '', HELIX_ORG_HOME: NOWHERE, PS1: '$ ', ...environment };
  const given = Object.entries(all).flatMap((entry) => ['-e', entry.join('=')]);
  tmux('-u', 'new-session', '-d', '-x', '100', '-y', '30', ...given, 'sh');
  const screen = () => tmux('capture-pane', '-p', '-J');
  const type = (line: string) => void tmux('send-keys', '-l', line) + tmux('send-keys', 'Enter');
  return {
    type,
    screen,
    press: (...keys) => void tmux('send-keys', ...keys),
    async shows(text) {
      await waitFor(`the terminal shows ${text}`, () =>
        typeof text === 'string' ? screen().includes(text) : text.test(screen()),
      ).catch((error) => {
        throw new Error(`${(error as Error).message}:\n${screen()}`);
      });
      return screen();
    },
    resize: (columns, rows) => void tmux('resize-window', '-x', String(columns), '-y', String(rows)),
    close: () => void tmux('kill-pane'),
    start(args) {
      const file = (name: string) => join(folder, name);
      const words = [process.execPath, COMMAND_LINE, ...args].map((word) => `'${word}'`).join(' ');
      type(
        `stty -g > ${file('before')}; ${words}; echo $? > ${file('code')}; stty -g > ${file('after')}; echo OVER > ${file('over')}`,
      );
      const read = (name: string) => readFileSync(file(name), 'utf8').trim();
      return {
        async ended() {
          await waitFor('the command has ended', () => {
            try {
              return read('over') === 'OVER';
            } catch {
              return false;
            }
          }).catch((error) => {
            throw new Error(`${(error as Error).message}:\n${screen()}`);
          });
          return { before: read('before'), after: read('after'), code: Number(read('code')) };
        },
      };
    },
  };
}
