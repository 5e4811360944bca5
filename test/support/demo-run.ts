// Runs `helix-org demo` as a person would, and keeps what it says.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const commandLine = fileURLToPath(new URL('../../bin/helix-org.mjs', import.meta.url));

export type DemoRun = { code: number | null; output: string };

/** @param args of `helix-org demo` */
export function runDemo(...args: string[]): Promise<DemoRun> {
  let output = '';
  const child = spawn(process.execPath, [commandLine, 'demo', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

/** The lines of an output that hold these texts one after the other; the first that is missing. */
export function firstMissing(output: string, texts: string[]): string | undefined {
  let from = 0;
  return texts.find((text) => {
    const at = output.indexOf(text, from);
    from = at + text.length;
    return at < 0;
  });
}
