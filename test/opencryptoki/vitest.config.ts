import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Runs in a root file system that has openCryptoki: `run.ts` makes it. */
const config: ViteUserConfig = defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/opencryptoki/*.test.ts'],
    pool: 'forks',
    testTimeout: 300_000,
    hookTimeout: 300_000,
    passWithNoTests: false,
    allowOnly: false,
    reporters: ['default'],
  },
});

export default config;
