// `helix-org demo --all`: every demo there is, two at a time, each as a process of its own.
import { spawn } from 'node:child_process';
import { COMMAND_LINE } from './demo.ts';
import { demoNames } from './demo-folder.ts';

const AT_ONCE = 2;

/** Prints what each demo said once it has ended; the last line is the count. @returns 0 when all succeeded */
export async function runAllDemos(names = demoNames(), print = (text: string) => void process.stdout.write(text)) {
  const queue = [...names];
  const failed: string[] = [];
  const work = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const began = performance.now();
      const { code, output } = await runOne(name);
      const seconds = ((performance.now() - began) / 1_000).toFixed(1);
      print(`\n=== ${name} ===\n${output}\n=== ${name}: ${code === 0 ? 'passed' : 'FAILED'} in ${seconds} s ===\n`);
      if (code !== 0) failed.push(name);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (failed.length > 0) print(`\nFailed: ${failed.join(', ')}\n`);
  print(`\n${names.length - failed.length} passed, ${failed.length} failed\n`);
  return failed.length === 0 ? 0 : 1;
}

function runOne(name: string): Promise<{ code: number | null; output: string }> {
  const [program = process.execPath, ...first] = COMMAND_LINE;
  const child = spawn(program, [...first, 'demo', name], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}
