import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Other people's tools check us, and we check theirs. What they need is in docs/testing.md. */
const config: ViteUserConfig = defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/interop/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 600_000,
    passWithNoTests: false,
    allowOnly: false,
    reporters: ['default'],
  },
});

export default config;
