// Hands the terminal to another program, and has it back as it was, however that program ends.
import { spawn, spawnSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';

export type HandedOver = {
  program: string;
  args: string[];
  cwd: string;
  environment: Record<string, string>;
  user?: { uid: number; gid: number };
};

export type HandedBack = { code: number | null; signal: NodeJS.Signals | null };

/** For a program that was asked to end; then it is killed. */
const PATIENCE_MS = 3_000;
const KEYBOARD: NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/**
 * Runs the program on this terminal or these pipes, in our process group, so that Ctrl-C, Ctrl-Z and changes of size reach it.
 * Nothing of ours reads meanwhile: `process.stdin` is never touched. What asks us to end, asks it; we end by ourselves then,
 * after what the caller has still to do, so SIGTERM and SIGHUP stay without effect (a closed window sends several).
 * @throws Error when it cannot be started
 */
export async function handOver({ program, args, cwd, environment, user }: HandedOver): Promise<HandedBack> {
  const giveBack = terminalKeeper();
  process.once('exit', giveBack);
  const child = spawn(program, args, { stdio: 'inherit', cwd, env: environment, ...user });
  let killing: NodeJS.Timeout | undefined;
  let isOver = false;
  const handlers = Object.entries({
    // From the keyboard it reaches the program as well.
    SIGINT: () => {},
    SIGQUIT: () => {},
    SIGTERM: () => end('SIGTERM'),
    SIGHUP: () => end('SIGHUP'),
  } satisfies Partial<Record<NodeJS.Signals, () => void>>) as [NodeJS.Signals, () => void][];
  const end = (signal: NodeJS.Signals) => {
    if (isOver) return;
    child.kill(signal);
    killing ??= setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  };
  for (const [signal, handler] of handlers) process.on(signal, handler);
  try {
    return await new Promise<HandedBack>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
  } finally {
    clearTimeout(killing);
    for (const [signal, handler] of handlers) if (KEYBOARD.includes(signal)) process.off(signal, handler);
    isOver = true;
    process.off('exit', giveBack);
    giveBack();
  }
}

/** The exit code as shells have it. */
export const exitCodeOf = ({ code, signal }: HandedBack): number =>
  signal === null ? (code ?? 1) : 128 + constants.signals[signal];

/** Remembers how the terminal is set. @returns sets it so again, once */
function terminalKeeper(): () => void {
  // The calls are synchronous, since the last chance to make them is the end of this process.
  const stty = (args: string[]) =>
    spawnSync('stty', args, { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8', timeout: 2_000 });
  const before = isatty(0) ? stty(['-g']).stdout?.trim() : undefined;
  let isDone = !before && !isatty(1);
  return () => {
    if (isDone) return;
    isDone = true;
    if (before && stty(['-g']).stdout?.trim() !== before) {
      stty([before]);
      // It had no time to clean up.
      leaveModes();
    }
  };
}

/**
 * What a program that draws on the terminal may have switched on: the cursor hidden, bracketed paste, focus and mouse reports,
 * the enhanced keyboard, synchronised output, colours, the other screen. Each is a no-op where it was not.
 * The cursor is saved first, since to leave the other screen restores one (xterm's ctlseqs, DECSET 1049).
 */
const MODES_OFF =
  '\x1b[?2026l\x1b[<u\x1b[>4m\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?2031l\x1b7\x1b[?1049l\x1b[?25h\x1b[0m\r\n';

function leaveModes(): void {
  if (!isatty(1)) return;
  try {
    writeSync(1, MODES_OFF);
  } catch {
    // The terminal itself is gone.
  }
}
