import { expect, test } from 'vitest';
import { createLogger } from '../../src/cli/logger.ts';

function logged(json: boolean, log: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  log(createLogger({ json, write: (line) => lines.push(line) }));
  return lines.join('');
}

test('a line for people is time, level, message, and key=value, quoted where one could not tell the end', () => {
  const fields = { url: 'http://127.0.0.1:1', text: 'two words', list: ['a'], line: 'a\nb' };
  const line = logged(false, (log) => log.info(fields, 'server listening'));
  expect(line).toMatch(
    /^20\S+Z INFO {2}server listening url=http:\/\/127\.0\.0\.1:1 text="two words" list=\["a"\] line="a\\nb"\n$/,
  );
});

test('a line for machines is one JSON object, with the error it is about', () => {
  const line = logged(true, (log) => log.error({ err: new Error('no') }, 'it failed'));
  expect(JSON.parse(line)).toMatchObject({ level: 'error', msg: 'it failed', err: { message: 'no', type: 'Error' } });
  expect(line.split('\n')).toHaveLength(2);
});
