import { test } from 'vitest';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { testOrg, testDirectory, stream } from '../support/org.ts';
test('residue', async () => {
  const dir = testDirectory();
  const org = await testOrg(join(dir, 'a.db'));
  await stream(org, 's-a');
  const seqs: number[] = [];
  for (let i = 0; i < 2000; i++) {
    const n = Math.floor(Math.random() ** 3 * 4000);
    seqs.push(await org.publish('w-owner', 's-a', `MARKER-${i}-SECRET-${'x'.repeat(n)}`));
  }
  const picked = seqs.map((s, i) => [s, i] as const).filter(() => Math.random() < 0.3);
  for (const [seq] of picked) await org.commit('w-owner', { type: 'RedactEvent', event: seq, streamId: 's-a', alsoErase: [], reason: 'x' });
  let leaks = 0;
  for (const f of readdirSync(dir)) {
    const bytes = readFileSync(join(dir, f));
    console.log(f, bytes.length);
    for (const [, i] of picked) if (bytes.includes(`MARKER-${i}-SECRET-`)) leaks++;
  }
  console.log('picked', picked.length, 'leaks', leaks);
});
