import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createCommandAgent } from '../../src/agents/command.ts';
import { createFolder, createRun, play, script, sh } from './play.ts';

test('delivers each line in order, stderr marked, blank lines left out', async () => {
  const folder = createFolder();
  const print = `console.log('one\\r\\n\\n  two   words ');
    process.stdout.write('nul: \\0.\\nlast without a newline');`;
  expect((await play(script(folder, print), { folder })).bodies).toEqual([
    'one',
    'two words',
    'nul: .',
    'last without a newline',
  ]);
  expect((await play(sh('echo "not  good" >&2'))).bodies).toEqual(['stderr: not good']);
});

test('delivers ten thousand lines in order', async () => {
  const { bodies } = await play(sh('i=0; while [ $i -lt 10000 ]; do echo $i; i=$((i+1)); done'));
  expect(bodies).toEqual(Array.from({ length: 10_000 }, (_, index) => String(index)));
});

test('keeps a character whole that comes in two writes, and replaces what is not UTF-8', async () => {
  const folder = createFolder();
  // The test lets the program write the second half when the first line is there, so that they cannot come together.
  const print = `const write = (bytes) => new Promise((done) => process.stdout.write(Buffer.from(bytes), done));
    await write([0x61, 0x0a, 0xf0, 0x9f]);
    while (!(await import('node:fs')).existsSync('go')) await new Promise(setImmediate);
    await write([0x99, 0x82, 0x0a, 0x62, 0xff, 0x0a]);`;
  const { bodies } = await play(script(folder, print), {
    folder,
    onSegment() {
      writeFileSync(`${folder}/go`, '');
      return true;
    },
  });
  expect(bodies).toEqual(['a', '🙂', 'b\ufffd']);
});

test('cuts a line of more than 64 KiB into pieces', async () => {
  const { segments } = await play(sh("head -c 150000 /dev/zero | tr '\\0' x; echo; echo end"));
  expect(segments.map(({ body }) => body.length)).toEqual([501, 501, 501, 3]);
  expect(JSON.stringify(segments[0]?.extra).length).toBeGreaterThan(15_000);
});

test('keeps its memory while a program prints 200 MB without a newline, and lets it end', async () => {
  const before = process.resourceUsage().maxRSS;
  let kept = 0;
  const { result, segments } = await play(sh("head -c 200000000 /dev/zero | tr '\\0' x"), {
    onSegment(segment) {
      kept += JSON.stringify(segment).length;
      return kept < 5 * 2 ** 20;
    },
  });
  expect(segments.length).toBeLessThan(400);
  expect(result).toMatchObject({ outcome: 'done', exit: 'ok' });
  expect(result.droppedBytes).toBeGreaterThan(170_000_000);
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(120_000);
});

test('holds the program up rather than keep what nobody has taken yet', async () => {
  const before = process.resourceUsage().maxRSS;
  let count = 0;
  const run = createRun({
    onSegment() {
      count++;
      return true;
    },
  });
  const result = await createCommandAgent({ command: () => sh('yes | head -c 20000000') }).run(run);
  expect(count).toBe(10_000_000);
  expect(result).toEqual({ outcome: 'done', exit: 'ok' });
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(120_000);
});

test('delivers nothing more once the transcript is full, and counts what comes', async () => {
  const lines = 'echo 1; echo 2; echo 3 >&2; echo four';
  const { result, bodies } = await play(sh(lines), { onSegment: () => false });
  expect(bodies).toHaveLength(1);
  expect(result).toEqual({ outcome: 'done', exit: 'ok', droppedBytes: 9 });
});

test('stops the program when the caller fails, and passes its error on', async () => {
  const bug = new Error('a bug in the caller');
  const failing = play(sh('echo $$; exec sleep 300'), {
    onSegment() {
      throw bug;
    },
  });
  await expect(failing).rejects.toBe(bug);
  const unstarted = play(['sleep', '300'], {
    onStart() {
      throw bug;
    },
  });
  await expect(unstarted).rejects.toBe(bug);
});
