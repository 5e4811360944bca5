import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: dirname(dirname(dirname(fileURLToPath(import.meta.url)))),
  test: {
    // Another ending than that of the other tests, which run without the real agents.
    include: ['test/real-agents/**/*.real.ts'],
    pool: 'forks',
    // An agent that starts takes a core for half a second.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    retry: process.env.CI ? 1 : 0,
    reporters: ['default', './test/support/reporter.ts'],
  },
});
