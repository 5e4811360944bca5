import { expect, test } from 'vitest';
import { createProcesses } from '../../src/store/processes.ts';
import { testOrg } from '../support/org.ts';

test('processes are remembered until they are forgotten, each once', async () => {
  const processes = createProcesses((await testOrg()).db);
  const one = { activationId: 'a-1', worker: 'w-ada', pid: 17, startedAt: '12345' };
  const two = { ...one, activationId: 'a-2', pid: 18 };
  processes.remember(one);
  processes.remember(two);
  processes.remember({ ...one, pid: 99 });
  expect(processes.list()).toEqual([one, two]);
  processes.forget('a-1');
  processes.forget('a-none');
  expect(processes.list()).toEqual([two]);
});
