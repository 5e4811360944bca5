import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { isFit } from './bin/node-version.mjs';

if (!isFit(process.versions.node)) throw new Error(`Node ${process.version} is too old for these tests; use npm test.`);

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // These have a run of their own: npm run test:conformance.
    exclude: [...configDefaults.exclude, 'test/conformance/**'],
    pool: 'forks',
    // Many tests wait for processes they started: two at a time even where vitest would leave one core free.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Only what hangs shall end by it: tests start processes and browsers, and machines are busy.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // Processes, browsers and clocks on a machine that others use: CI tries once more, and names what needed it.
    retry: process.env.CI ? 1 : 0,
    reporters: ['default', './test/support/reporter.ts'],
  },
});
