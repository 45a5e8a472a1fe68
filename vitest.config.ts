import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,property,structure,cli,crash,packages,guards,mutation}/**/*.test.ts'],
    globalSetup: ['test/support/pack-mains.ts'],
    pool: 'forks',
    // Modules are loaded once a worker: no test of ours leaves anything behind in them, and starting anew for each file costs 20 seconds.
    isolate: false,
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    passWithNoTests: false,
    allowOnly: false,
    reporters: ['default'],
  },
});
