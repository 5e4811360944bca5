// What `npm run test:conformance` runs: it needs programs that the ordinary tests do without.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const knowsAgents = process.env.HELIX_REAL_AGENTS_BIN !== undefined || existsSync(path('../real-agents/package.json'));

export default defineConfig({
  test: {
    root: path('../..'),
    include: ['test/conformance/*.test.ts'],
    exclude: knowsAgents ? [] : ['test/conformance/real-agents.test.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 60_000,
    retry: process.env.CI ? 1 : 0,
    reporters: ['default', './test/support/reporter.ts'],
  },
});
