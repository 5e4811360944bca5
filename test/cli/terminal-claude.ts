// A program in the place of Claude Code at a terminal: it draws on it as the real one does, notes what it was given, keeps
// sessions where the real one keeps them, and ends when it is told to.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/daemon.ts';

export type Seen = { argv: string[]; env: Record<string, string>; cwd: string; pid: number; stdin: string };

export type TerminalClaude = {
  bin: string;
  /** Each start, oldest first. */
  starts(): Seen[];
  last(): Seen;
  /** Signals and keys that reached the one at the terminal. */
  got(): string[];
};

export function terminalClaude(): TerminalClaude {
  const folder = temporaryDirectory();
  const bin = join(folder, 'claude');
  writeFileSync(bin, `#!${process.execPath}\nconst notes = ${JSON.stringify(folder)};\n${PROGRAM}`);
  chmodSync(bin, 0o755);
  const linesOf = (name: string) =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8').trim().split('\n') : [];
  const starts = () => linesOf('starts').map((line) => JSON.parse(line) as Seen);
  return {
    bin,
    starts,
    last() {
      const last = starts().at(-1);
      if (!last) throw new Error('It was not started.');
      return last;
    },
    got: () => linesOf('got'),
  };
}

const PROGRAM = `
const fs = require('node:fs');
const path = require('node:path');
const argv = process.argv.slice(2);
if (argv[0] === '--version') { console.log('2.1.329 (Claude Code)'); process.exit(0); }
const isOnce = argv.includes('-p');
const stdin = isOnce && !process.stdin.isTTY ? fs.readFileSync(0, 'utf8') : '';
const note = (name, text) => fs.appendFileSync(path.join(notes, name), text + '\\n');
note('starts', JSON.stringify({ argv, env: process.env, cwd: process.cwd(), pid: process.pid, stdin }));
const after = (flag) => argv.includes(flag) ? argv[argv.indexOf(flag) + 1] : undefined;
const session = after('--resume') ?? after('--session-id');
const sessions = path.join(process.env.CLAUDE_CONFIG_DIR, 'projects', process.cwd().replace(/[^A-Za-z0-9]/g, '-'));
const record = (type, content) => {
  fs.mkdirSync(sessions, { recursive: true });
  const line = { type, message: { role: type, content }, timestamp: new Date().toISOString(), sessionId: session };
  fs.appendFileSync(path.join(sessions, session + '.jsonl'), JSON.stringify(line) + '\\n');
};
const talk = (text) => {
  record('user', text);
  record('assistant', [{ type: 'text', text: 'You said: ' + text }]);
};
if (isOnce) {
  const text = [argv[argv.indexOf('-p') + 1]?.startsWith('--') ? '' : argv[argv.indexOf('-p') + 1], stdin.trim()].filter(Boolean).join(' / ');
  talk(text);
  console.log('You said: ' + text);
} else {
  process.stdin.setRawMode(true);
  process.stdout.write('\\x1b[?1049h\\x1b[?25l\\x1b[?2004h\\x1b[?1000h\\x1b[H\\x1b[2J');
  const draw = () => process.stdout.write('\\r\\nREADY ' + process.stdout.columns + 'x' + process.stdout.rows + '\\r\\n');
  process.stdout.on('resize', draw);
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.on(signal, () => { note('got', signal); if (signal !== 'SIGINT') leave(signal === 'SIGTERM' ? 143 : 129); });
  const leave = (code) => {
    try { process.stdin.setRawMode(false); process.stdout.write('\\x1b[?1000l\\x1b[?2004l\\x1b[?25h\\x1b[?1049l'); } catch {}
    process.exit(code);
  };
  let line = '';
  process.stdin.on('data', (keys) => {
    for (const key of String(keys)) {
      if (key === '\\x03') { note('got', 'Ctrl-C'); continue; }
      if (key === '\\x04') leave(0);
      if (key !== '\\r') { line += key; continue; }
      if (line === 'fail') leave(7);
      talk(line);
      process.stdout.write('You said: ' + line + '\\r\\n');
      line = '';
    }
  });
  draw();
}
`;
