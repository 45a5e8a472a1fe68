import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** One test file in a copy of the tree without one guard. Nothing is packed: commands run from their sources. */
const config: ViteUserConfig = defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/{unit,property,cli,crash}/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    allowOnly: false,
  },
});

export default config;
