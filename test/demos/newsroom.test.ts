import { expect, it } from 'vitest';
import { firstMissing, runDemo } from '../support/demo-run.ts';

it('A204: newsroom grows from two hires to a team that is up, and puts a pull request on s-published', {
  timeout: 240_000,
}, async () => {
  const { code, output } = await runDemo('newsroom');
  expect(code, output).toBe(0);
  const byOwner = [...output.matchAll(/owner calls hire_worker id=(\S+)/g)].map(([, id]) => id);
  expect(byOwner).toEqual(['w-renee', 'w-maya']);
  const byMaya = [...output.matchAll(/w-maya uses hire_worker \{"id":"([^"]+)"/g)].map(([, id]) => id);
  expect(byMaya.toSorted()).toEqual(['w-ines', 'w-milo', 'w-petra', 'w-thea', 'w-wanda']);
  expect(
    firstMissing(output, [
      's-editorial   w-maya: Newsroom is up: ',
      'w-petra was hired by w-maya',
      "Renée's folder has a file for each candidate: 15",
      's-bullpen   w-maya: assign: {"id":"wire-0411"',
      's-published   w-petra: http://127.0.0.1:',
      'w-ines: The last I handed in is wire-0411',
      's-bullpen   w-maya: assign: {"id":"wire-0413"',
      's-published   w-petra: http://127.0.0.1:',
    ]),
  ).toBeUndefined();
  expect(output).toMatch(/s-published {3}w-petra: \S+\/harbour-post\/site\/pull\/101\n/);
});
