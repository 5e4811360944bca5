import { expect, it } from 'vitest';
import { eventsIn, runDemo } from './run-demo.ts';

it('A198: webhook: one curl leads to one direct message to the owner and one post to the receiver', {
  timeout: 120_000,
}, async () => {
  const { code, output, dataDir } = await runDemo(['webhook']);
  expect(code, output).toBe(0);
  const by = (stream: string) => eventsIn(dataDir, stream).filter(({ actor }) => actor === 'w-secretary');
  expect(eventsIn(dataDir, 's-inbox')).toHaveLength(1);
  expect(by('s-dm-w-owner-w-secretary')).toHaveLength(1);
  expect(by('s-outbox')).toHaveLength(1);
  expect(output.match(/the receiver got {2}\{"from":"w-secretary","body":"/g)).toHaveLength(1);
});

it('fails, and says what was missing, when the agent does nothing', { timeout: 120_000 }, async () => {
  const { code, output, dataDir } = await runDemo(['webhook', '--agent-command', '["true"]', '--patience', '4']);
  expect(code).toBe(1);
  expect(output).toContain('The demo failed: waited 4 s in vain until w-secretary publishes a summary on s-outbox');
  expect(eventsIn(dataDir, 's-outbox')).toEqual([]);
});
